"""Confidence bounds on a binomial share.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "at_least",
    "binomial_quantile",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "largest_count_within",
    "wilson_interval",
]


def at_least(count: ArrayLike, trials: ArrayLike, share: ArrayLike) -> NDArray[Any]:
    """Probability that a binomial variable reaches a count: P(Bin(trials, share) >= count).

    Parameters
    ----------
    count, trials : array_like of int
        With ``0 <= count <= trials + 1``; broadcast against each other and `share`.
    share : array_like of float
        Success probability in [0, 1].

    Returns
    -------
    numpy.ndarray of float
        1 where `count` is 0 or less.
    """
    count, trials = np.asarray(count, float), np.asarray(trials, float)
    below = np.maximum(trials - count + 1, 1e-300)
    inside = special.betainc(np.maximum(count, 1), below, np.asarray(share, float))
    return np.where(count <= 0, 1.0, np.where(count > trials, 0.0, inside))


def binomial_quantile(level: float, trials: int, share: float) -> int:
    """Give the smallest count that a binomial variable stays within at a given chance.

    Parameters
    ----------
    level : float
        The chance, in (0, 1).
    trials : int
        Attempts, at least 1.
    share : float
        Success probability in [0, 1].

    Returns
    -------
    int
        Between 0 and `trials`.
    """
    low, high = 0, trials
    while low < high:
        middle = (low + high) // 2
        if at_least(middle + 1, trials, share) <= 1 - level:
            high = middle
        else:
            low = middle + 1
    return low


def clopper_pearson_lower(count: ArrayLike, trials: ArrayLike, error: ArrayLike) -> NDArray[Any]:
    """Exact lower confidence bound on a share, at a one-sided error.

    Parameters
    ----------
    count, trials : array_like of int
        Successes and attempts, ``0 <= count <= trials``, ``trials >= 1``.
    error : array_like of float
        Probability, in (0, 1), with which the bound may lie above the share.

    Returns
    -------
    numpy.ndarray of float
        In [0, 1]; 0 where no success was seen.

    References
    ----------
    Clopper and Pearson (1934), The use of confidence or fiducial limits, Biometrika 26.
    """
    count, trials = np.asarray(count, float), np.asarray(trials, float)
    bound = special.betaincinv(np.maximum(count, 1), trials - count + 1, np.asarray(error, float))
    return np.where(count <= 0, 0.0, bound)


def clopper_pearson_upper(count: ArrayLike, trials: ArrayLike, error: ArrayLike) -> NDArray[Any]:
    """Exact upper confidence bound on a share, at a one-sided error.

    Parameters, errors and source as for `clopper_pearson_lower`, mirrored.

    Returns
    -------
    numpy.ndarray of float
        In [0, 1]; 1 where every attempt succeeded.
    """
    count, trials = np.asarray(count, float), np.asarray(trials, float)
    return 1.0 - clopper_pearson_lower(trials - count, trials, error)


def largest_count_within(limit: float, trials: int, error: float) -> int:
    """Give the largest count whose Clopper-Pearson upper bound is within a limit.

    Parameters
    ----------
    limit : float
        The share that the bound may reach, in [0, 1].
    trials : int
        Attempts, at least 1.
    error : float
        One-sided error of the bound, in (0, 1).

    Returns
    -------
    int
        Between 0 and `trials`, or -1 where not even a count of 0 is within the limit.
    """
    if limit >= 1:
        return trials
    low, high = -1, trials
    while low < high:
        middle = (low + high + 1) // 2
        if clopper_pearson_upper(middle, trials, error) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def wilson_interval(count: int, trials: int, error: float) -> tuple[float, float]:
    """Score interval of a share, for display only: its coverage is approximate.

    Parameters
    ----------
    count, trials : int
        Successes and attempts, ``0 <= count <= trials``, ``trials >= 1``.
    error : float
        Error of both sides together, in (0, 1).

    Returns
    -------
    tuple of float
        Lower and upper end, in [0, 1].

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    z = float(special.ndtri(1 - error / 2))
    share = count / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    spread /= 1 + z * z / trials
    return max(0.0, float(centre - spread)), min(1.0, float(centre + spread))
