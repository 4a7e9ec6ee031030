"""Trade-off curves of differential privacy, and the epsilon that a curve has at a delta.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "approximate_curve",
    "gaussian_curve",
    "gaussian_delta",
    "gaussian_epsilon",
    "gaussian_mu",
]

_STEPS = 200


def approximate_curve(epsilon: float, delta: float) -> Callable[[float], float]:
    """Give by how little a share of non-members a share of members can be accused.

    Parameters
    ----------
    epsilon : float
        At least 0.
    delta : float
        In [0, 1).

    Returns
    -------
    callable
        ``g(tpr)``: the smallest false-positive rate at which a test of an (epsilon, delta)-
        differentially private mechanism reaches this true-positive rate.

    References
    ----------
    Dong, Roth and Su (2022), Gaussian differential privacy, JRSS B 84, equation 5.
    """
    grow = math.exp(epsilon)

    def least_fpr(tpr: float) -> float:
        return max(0.0, (tpr - delta) / grow, 1 - delta - grow * (1 - tpr))

    return least_fpr


def gaussian_curve(mu: float) -> Callable[[float], float]:
    """Give the curve of mu-Gaussian differential privacy, as `approximate_curve`.

    Parameters
    ----------
    mu : float
        At least 0: the difference of means over the standard deviation.

    References
    ----------
    Dong, Roth and Su (2022), Gaussian differential privacy, JRSS B 84, equation 6.
    """
    from scipy.special import ndtr, ndtri

    def least_fpr(tpr: float) -> float:
        if tpr <= 0 or tpr >= 1:
            return float(min(max(tpr, 0.0), 1.0))
        return float(ndtr(ndtri(tpr) - mu))

    return least_fpr


def gaussian_delta(mu: float, epsilon: float) -> float:
    """Give the delta of mu-Gaussian differential privacy at an epsilon.

    References
    ----------
    Balle and Wang (2018), Improving the Gaussian mechanism for differential privacy, ICML, theorem
    8; Dong, Roth and Su (2022), corollary 2.13.
    """
    from scipy.special import log_ndtr, ndtr

    if mu <= 0:
        return 0.0
    first = float(ndtr(mu / 2 - epsilon / mu))
    # The product is finite where its factors are not.
    second = math.exp(min(0.0, epsilon + float(log_ndtr(-mu / 2 - epsilon / mu))))
    return max(0.0, first - second)


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Give the epsilon of mu-Gaussian differential privacy at a delta in (0, 1); at least 0."""
    if gaussian_delta(mu, 0.0) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while gaussian_delta(mu, high) > delta:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if gaussian_delta(mu, middle) > delta:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return high


def gaussian_mu(epsilon: float, delta: float) -> float:
    """Give the mu at which a Gaussian mechanism has this epsilon at a delta in (0, 1)."""
    low, high = 0.0, 1.0
    while gaussian_delta(high, epsilon) < delta:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if gaussian_delta(middle, epsilon) < delta:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return high
