"""Ridge regression of many outcomes on few cases at once: how much a case is like each other one.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["dual_weights"]

_FURTHEST = 10.0  # standard deviations, beyond which a feature says no more
_CONSTANT = 1e-9


def dual_weights(
    features: NDArray[Any], case: NDArray[Any], penalties: Sequence[float]
) -> NDArray[np.float64]:
    """Give the weights by which known outcomes of K cases predict that of another case.

    Whatever the outcome y of the K cases, its ridge regression on standardised features predicts
    y @ weights. One system of K equations serves for all outcomes.

    Parameters
    ----------
    features : ndarray of shape (K, p)
        Finite, of at least two cases.
    case : ndarray of shape (p,)
        Finite.
    penalties : sequence of float
        b of them, positive, as multiples of the mean squared length of the standardised cases.

    Returns
    -------
    ndarray of shape (b, K)
        Those of one penalty sum up to zero: the outcome's mean is left out. All zero where no
        feature varies.

    References
    ----------
    Saunders, Gammerman and Vovk (1998), Ridge regression learning algorithm in dual variables,
    ICML.
    """
    location = features.mean(axis=0)
    scale = features.std(axis=0)
    varies = scale > _CONSTANT * (1 + np.abs(location))
    if not varies.any():
        return np.zeros((len(penalties), len(features)))
    centred = (features[:, varies] - location[varies]) / scale[varies]
    apart = np.clip((case[varies] - location[varies]) / scale[varies], -_FURTHEST, _FURTHEST)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    ridges = np.outer(penalties, [values.mean()])
    return np.asarray((vectors.T @ (centred @ apart) / (values + ridges)) @ vectors.T)
