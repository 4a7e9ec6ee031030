"""Views of targets whose model only repeats what stands in the records."""

import numpy as np
from scipy import special

from pytest_leakpro import Classifier


def identity(X):
    """A model that returns its input: the records are logits."""
    return X


def exchangeable(seed, n_classes, size, *, population=False, logits=True):
    """A classifier target whose members and non-members are drawn alike.

    Labels depend on the logits, so that per-class calibration has something to calibrate.
    """
    rng = np.random.default_rng(seed)

    def side(count):
        z = rng.normal(size=(count, n_classes)) * 2
        cumulative = np.cumsum(special.softmax(z, axis=1), axis=1)
        cumulative /= cumulative[:, -1:]
        y = (cumulative <= rng.random((count, 1))).sum(axis=1)
        return (z if logits else special.softmax(z, axis=1)), y

    return Classifier(
        identity,
        members=side(size),
        nonmembers=side(size),
        population=side(size) if population else None,
        classes=range(n_classes),
        output="logits" if logits else "probabilities",
    )
