"""Bounds on the mean of differences between two shares, by betting.

Each unit brings a difference Z in [-1, 1], such as the share of a batch that an attack reaches
minus the share that is reached without it. Nothing is assumed of the law of Z. A gambler who is
told that E[Z] is at most m bets on more: from unit to unit the capital is multiplied by
1 + f (Z - m)/(1 + m), for a share f in [0, 1] of the largest bet that cannot lose more than
everything. Where E[Z] is at most m the capital is not expected to grow, so it reaches 1/p with a
probability of at most p (Markov). The capital here is an average over six fixed f, half of it on
f = 1: where the second share is seldom above 0, that is nearly the best bet.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.stats.binomial import at_least
from pytest_leakpro.stats.bounded_mean import mean_lower, mean_p_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "difference_lower",
    "difference_p_value",
    "difference_upper",
    "fail_chance",
    "pass_chance",
]

BETS = 2.0 ** -np.arange(6.0)
CAPITAL = np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
_HALVINGS = 40


def difference_p_value(differences: ArrayLike, mean: float) -> float:
    """Test "the mean difference is at most `mean`".

    Parameters
    ----------
    differences : array_like of shape (r,)
        One per independent unit, each in [-1, 1]; at least one.
    mean : float
        In (-1, 1). "At least m" is "at most -m" of the differences with their signs changed.

    Returns
    -------
    float
        In [0, 1]. It is the same in whatever order the units come, and falls with every difference.

    References
    ----------
    Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting,
    JRSS B 86, section 4: the capital, and averages of it over fixed bets.
    """
    values = np.asarray(differences, float)
    return _p_value(values, np.ones(len(values)), mean)


def difference_lower(differences: ArrayLike, error: float) -> float:
    """Lower confidence bound on the mean difference, and on 0 where it lies below.

    Parameters
    ----------
    differences : array_like of shape (r,)
        As for `difference_p_value`.
    error : float
        One-sided error, in (0, 1).

    Returns
    -------
    float
        In [0, 1]: the largest mean that `difference_p_value` refutes; 0 where it refutes none.
    """
    values = np.asarray(differences, float)
    mean = float(values.mean())
    if mean <= 0:
        return 0.0
    return _last(lambda limit: difference_p_value(values, limit) <= error, mean)


def difference_upper(differences: ArrayLike, error: float, rare: float) -> float:
    """Upper confidence bound on the mean difference, and on 0 where it lies below.

    Parameters
    ----------
    differences : array_like of shape (r,)
        As for `difference_p_value`.
    error : float
        One-sided error, in (0, 1).
    rare : float
        Share of the error, in [0, 1], that is spent on the bound for differences that are seldom
        above 0; fixed before they are seen.

    Returns
    -------
    float
        In [0, 1]. The smaller of two bounds that share the error. E[Z] is at most the mean of
        max(Z, 0), which lies in [0, 1] and is bounded by `mean_lower`: nothing is sharper where no
        unit is above 0, whatever the others are. Where units lie on both sides of 0 by chance the
        capital of a bet on less is.

    References
    ----------
    As for `difference_p_value` and `pytest_leakpro.stats.bounded_mean.mean_p_value`.
    """
    values = np.asarray(differences, float)
    gain = float(np.maximum(values, 0).mean())
    seldom = 1.0
    if rare > 0:
        seldom = 1 - mean_lower(1 - gain, len(values), error * rare)
    if rare >= 1:
        return max(seldom, 0.0)

    def refuted(complement: float) -> bool:
        return difference_p_value(-values, complement - 1) <= error * (1 - rare)

    betting = 1 - _last(refuted, 1 - max(0.0, float(values.mean())))
    return min(max(seldom, 0.0), betting)


def _p_value(values: NDArray[Any], counts: NDArray[Any], mean: float) -> float:
    """Give one over the capital; `mean` in (-1, 1), and each value stands for `counts` units."""
    if mean <= -1:  # so near to it that it was rounded there
        return 1.0
    factors = 1 + BETS[:, None] * (values - mean) / (1 + mean)
    # A difference of -1 loses everything that was bet on it.
    with np.errstate(divide="ignore"):
        logs = np.where(counts > 0, np.log(np.maximum(factors, 0)), 0.0) @ counts
    largest = float(logs.max())
    if largest == -math.inf:
        return 1.0
    log_capital = largest + math.log(float(CAPITAL @ np.exp(logs - largest)))
    return math.exp(min(0.0, -log_capital))


def _last(refuted: Callable[[float], bool], last: float) -> float:
    """Give the largest value in [0, last] that is refuted, as all below it are; else 0."""
    first = 0.0
    for _ in range(_HALVINGS):
        middle = (first + last) / 2
        first, last = (middle, last) if refuted(middle) else (first, middle)
    return first


@lru_cache(maxsize=4096)
def pass_chance(units: int, limit: float, error: float, true: float, rare: float) -> float:
    """Chance that the upper bound comes out within a limit.

    Parameters
    ----------
    units : int
        Independent units, at least 1.
    limit : float
        In [0, 1).
    error, rare : float
        As for `difference_upper`.
    true : float
        The share of units whose difference is 1, in [0, 1]; that of all others is 0. No law on
        [0, 1] with this mean spreads more.

    Returns
    -------
    float
        In [0, 1], exact for this law.
    """

    def within(count: int) -> bool:
        if rare > 0 and mean_p_value(1 - count / units, units, 1 - limit) <= error * rare:
            return True
        return rare < 1 and _of_counts(units, count, -1, -limit) <= error * (1 - rare)

    if not within(0):
        return 0.0
    most = _largest(within, units)
    return 1.0 - float(at_least(most + 1, units, true))


@lru_cache(maxsize=4096)
def fail_chance(units: int, limit: float, error: float, true: float) -> float:
    """Chance that the lower bound exceeds a limit; parameters as for `pass_chance`."""

    def kept(count: int) -> bool:
        return _of_counts(units, count, 1, limit) > error

    if not kept(0):
        return 1.0
    return float(at_least(_largest(kept, units) + 1, units, true))


def _of_counts(units: int, count: int, value: float, mean: float) -> float:
    counts = np.array([count, units - count], float)
    return _p_value(np.array([value, 0.0]), counts, mean)


def _largest(holds: Callable[[int], bool], most: int) -> int:
    """Give the largest count up to `most` for which something holds that holds of 0."""
    if holds(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
