"""Recipes whose models' decision regions are known, for attacks that train models of their own."""

import numpy as np

HEIGHT, REACH = 6.0, 0.25


def near_boundary(seed, n):
    """Records of two classes near the plane x0 = 0, and so far from one another that few meet."""
    rng = np.random.default_rng(seed)
    X, y = rng.uniform(-1, 1, (n, 8)), np.arange(n) % 2
    X[:, 0] = rng.uniform(0.05, 0.15, n) * (2 * y - 1)
    return X, y


class Bumps:
    """Log-odds of class 1 are 10 x0, and bumps that hold on to each record of the training data."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __call__(self, X):
        squares = ((X[:, None] - self.X[None]) ** 2).sum(axis=2)
        bumps = HEIGHT * np.exp(-squares / (2 * REACH**2)) @ (2 * self.y - 1)
        return np.stack([np.zeros(len(X)), 10 * X[:, 0] + bumps], axis=1)


def bumps(X, y, seed):
    """Train a model whose answers are asked for."""
    return Bumps(X, y)


def torch_bumps(X, y, seed):
    """Train the same model as a torch module."""
    import torch

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.as_tensor(X, dtype=torch.float32))
            self.register_buffer("signs", torch.as_tensor(2 * y - 1, dtype=torch.float32))

        def forward(self, inputs):
            assert not self.training
            squares = ((inputs[:, None] - self.seen[None]) ** 2).sum(dim=2)
            found = HEIGHT * torch.exp(-squares / (2 * REACH**2)) @ self.signs
            return torch.stack([torch.zeros(len(inputs)), 10 * inputs[:, 0] + found], dim=1)

    return Module()


class Means:
    """Logits are what is nearer to the mean of a class: with few records these are overfitted."""

    def __init__(self, X, y, n_classes):
        self.means = np.stack(
            [
                X[y == k].mean(axis=0) if (y == k).any() else np.zeros(X.shape[1])
                for k in range(n_classes)
            ]
        )

    def __call__(self, X):
        return X @ self.means.T - (self.means**2).sum(axis=1) / 2
