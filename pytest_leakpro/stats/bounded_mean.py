"""Finite-sample bounds on the mean of bounded observations.

Among all variables in [0, 1] with a given mean the Bernoulli variable is the largest in convex
order, and sums keep the order. So for every h below t, P(mean of r >= t) is at most
E(Bin(r, A0)/r - h)+ / (t - h), which the best h makes nearly as sharp as the exact binomial test.
A two-sample U-statistic is an average of means of min(m, n) independent terms, to which the same
bound applies.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize

from pytest_leakpro.stats.binomial import at_least

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mean_interval", "mean_lower", "mean_p_value"]


def mean_p_value(estimate: float, r: int, mean: float) -> float:
    """Test "the true mean is at most `mean`" from an average of r observations in [0, 1].

    Parameters
    ----------
    estimate : float
        The average t, in [0, 1].
    r : int
        Number of independent observations, at least 1.
    mean : float
        The mean A0 under test, in [0, 1].

    Returns
    -------
    float
        min over h in {0, 1/r, …} below t of E(Bin(r, A0)/r - h)+ / (t - h), at most 1.

    References
    ----------
    Hoeffding (1963), Probability inequalities for sums of bounded random variables, JASA 58,
    sections 5 and 6; Bentkus (2004), On Hoeffding's inequalities, Annals of Probability 32.
    """
    if estimate <= mean:
        return 1.0
    if mean < 1e-300:  # incomplete beta functions overflow there
        return 0.0
    last = int(np.ceil(estimate * r - 1e-9)) - 1  # the largest j with j/r below the estimate
    # The ratio is quasi-convex in h, and its minimum lies between the mean and the estimate.
    first = max(0, int(np.floor(mean * r)) - 1)
    stride = max(1, (last - first) // 64)
    j = np.unique(np.append(np.arange(first, last + 1, stride), last))
    best = int(j[np.argmin(_ratios(estimate, r, mean, j))])
    j = np.arange(max(0, best - stride), min(last, best + stride) + 1)
    return min(1.0, float(np.min(_ratios(estimate, r, mean, j))))


def _ratios(estimate: float, r: int, mean: float, j: NDArray[Any]) -> NDArray[Any]:
    tail = mean * at_least(j, r - 1, mean) - j / r * at_least(j + 1, r, mean)
    ratios: NDArray[Any] = np.maximum(tail, 0.0) / (estimate - j / r)
    return ratios


@lru_cache(maxsize=16384)
def mean_lower(estimate: float, r: int, error: float) -> float:
    """Lower confidence bound on the mean of observations in [0, 1].

    Parameters
    ----------
    estimate : float
        Their average, in [0, 1].
    r : int
        Number of independent observations, at least 1.
    error : float
        One-sided error, in (0, 1).

    Returns
    -------
    float
        The largest mean that `mean_p_value` refutes at `error`; 0 for an average of 0. The upper
        bound is ``1 - mean_lower(1 - estimate, r, error)``.
    """
    if estimate <= 0:
        return 0.0

    def excess(mean: float) -> float:
        return mean_p_value(estimate, r, mean) - error

    # At the estimate itself the p-value is 1: the root lies strictly between.
    return float(optimize.brentq(excess, 0.0, estimate, xtol=1e-10, rtol=1e-9))


def mean_interval(
    estimate: float, r: int, error: float, low: float = 0.0, high: float = 1.0
) -> tuple[float, float]:
    """Bounds on the mean of observations in [low, high], each at a one-sided error.

    Parameters
    ----------
    estimate : float
        Their average.
    r : int
        Number of independent observations, at least 1.
    error : float
        Error of each side, in (0, 1).
    low, high : float
        The range that the observations cannot leave, known beforehand.

    Returns
    -------
    tuple of float
        Lower and upper bound, within [low, high].
    """
    width = high - low
    unit = min(1.0, max(0.0, (estimate - low) / width))
    return low + width * mean_lower(unit, r, error), high - width * mean_lower(1 - unit, r, error)
