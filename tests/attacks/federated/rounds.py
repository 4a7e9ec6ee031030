"""Federated trainings of two clients on digits, small enough for a test."""

import copy

import numpy as np


def network(seed, width=64, inputs=64, classes=10):
    import torch

    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(inputs, width), torch.nn.ReLU(), torch.nn.Linear(width, classes)
    )


def trained(model, side, seed, epochs=5, rate=0.3, batch=16):
    """Give what a client makes of a model by plain gradient descent on its records."""
    import torch

    model = copy.deepcopy(model)
    X, y = (torch.as_tensor(part) for part in side)
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(epochs):
        for rows in torch.randperm(len(X), generator=order).split(batch):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
            optimiser.step()
    return model


def average(models):
    import torch

    mean = copy.deepcopy(models[0])
    with torch.no_grad():
        for value, *others in zip(
            mean.parameters(), *(m.parameters() for m in models), strict=True
        ):
            value.copy_(sum(others) / len(others))
    return mean


def difference(after, before):
    pairs = zip(after.parameters(), before.parameters(), strict=True)
    return [(new - old).detach() for new, old in pairs]


class Federation:
    """Two clients, non-members and a population of digits, one label in ten a wrong one."""

    def __init__(self, seed, rounds=5, size=150, **options):
        from sklearn.datasets import load_digits

        rng = np.random.default_rng(seed)
        X, y = load_digits(return_X_y=True)
        order = rng.permutation(len(X))
        X, y = (X[order] / 16).astype(np.float32), y[order]
        y = np.where(rng.random(len(y)) < 0.1, rng.integers(0, 10, len(y)), y)
        self.client, self.other, self.nonmembers, self.population = (
            (X[rows], y[rows]) for rows in np.arange(4 * size).reshape(4, size)
        )
        self.options = options
        self.models, self.updates = [network(seed)], []
        for number in range(rounds):
            sent = self._sent(self.models[-1], 1000 * seed + 2 * number)
            self.updates.append(difference(sent[0], self.models[-1]))
            self.models.append(average(sent))

    def _sent(self, model, seed):
        sides = self.client, self.other
        return [trained(model, side, seed + k, **self.options) for k, side in enumerate(sides)]

    def continue_round(self, model, seed):
        return average(self._sent(model, seed))

    def target(self, **options):
        from pytest_leakpro import FederatedRounds

        return FederatedRounds(
            self.models, self.client, self.nonmembers, output="logits", **options
        )
