"""Small sides and models that the tests of the targets share."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression

CANARY = 7291083.4127


def side(n=40, seed=0, width=3, n_classes=2):
    """Records with continuous inputs and classes that take turns."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)), np.arange(n) % n_classes


def sides(n=40, width=3, n_classes=2):
    """Members and non-members that share no record."""
    return side(n, 1, width, n_classes), side(n, 2, width, n_classes)


def regression_sides(n=40, outputs=None):
    (x1, _), (x2, _) = sides(n)
    rng = np.random.default_rng(3)
    shape = (n,) if outputs is None else (n, outputs)
    return (x1, rng.normal(size=shape)), (x2, rng.normal(size=shape))


def logistic(members):
    return LogisticRegression().fit(*members)


def linear(members):
    return LinearRegression().fit(*members)


def softmax(logits):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


class Recorder:
    """A callable model that remembers what it was sent."""

    def __init__(self, answer=None, columns=2):
        self.calls = []
        self.answer = answer
        self.columns = columns

    def __call__(self, inputs):
        self.calls.append(inputs)
        if self.answer is not None:
            return self.answer(inputs)
        n = len(inputs) if isinstance(inputs, list) else inputs.shape[0]
        return np.tile(np.arange(self.columns, dtype=float) * 3, (n, 1))

    @property
    def sent(self):
        return sum(len(c) if isinstance(c, list) else c.shape[0] for c in self.calls)


def never(inputs):
    raise AssertionError("the model was called")
