"""Finite-sample lower bound on what an attacker reaches at a false-positive rate.

With a cut at the k-th largest non-member score, U the true FPR above it and T the true TPR above
it, an attacker who may also answer at random reaches at least T min(1, a/U) at FPR a. If that is
at most b, then T <= b max(U/a, 1), and the number of members strictly above the cut is at most a
binomial variable with that share. Averaging over U, which is Beta(k, n - k + 1), gives an exact
p-value, whatever the distributions of the scores. (Strictly above: a cut that counted members
tied with the k-th score would see more of them than U allows for.)

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from pytest_leakpro.stats.binomial import at_least
from pytest_leakpro.stats.order_statistics import COARSE, FINE, fpr_above_rank

__all__ = [
    "choose_rank",
    "rank_without_limit",
    "smallest_refuting_count",
    "tpr_lower",
    "tpr_p_value",
]


@lru_cache(maxsize=65536)
def tpr_p_value(
    c: int, m: int, k: int, n: int, fpr: float, limit: float, size: int = FINE
) -> float:
    """Test "the attacker reaches at most `limit` at this FPR" from one count.

    Parameters
    ----------
    c : int
        Members strictly above the k-th largest non-member score.
    m, n : int
        Number of members and of non-members.
    k : int
        Rank fixed before the member scores were seen, ``1 <= k <= n``.
    fpr : float
        The budget's false-positive rate a, in (0, 1).
    limit : float
        The TPR b under test, in [0, 1].
    size : int
        Quadrature points over the distribution of the true FPR.

    Returns
    -------
    float
        E_U[ P(Bin(m, min(1, b max(U/a, 1))) >= c) ], valid at every sample size.
    """
    above = fpr_above_rank(k, n, size)
    share = np.minimum(1.0, limit * np.maximum(above / fpr, 1.0))
    return float(at_least(c, m, share).mean())


@lru_cache(maxsize=16384)
def tpr_lower(c: int, m: int, k: int, n: int, fpr: float, error: float) -> float:
    """Lower confidence bound on the attacker's TPR: the limit whose p-value is `error`.

    Parameters as for `tpr_p_value`; `error` is the one-sided error, in (0, 1).

    Returns
    -------
    float
        In [0, 1]; 0 where no member stands above the cut.
    """
    if c == 0:
        return 0.0

    def excess(limit: float) -> float:
        return tpr_p_value.__wrapped__(c, m, k, n, fpr, limit) - error

    if excess(1.0) <= 0:
        return 1.0
    return float(optimize.brentq(excess, 0.0, 1.0, xtol=1e-12, rtol=1e-9))


def smallest_refuting_count(
    m: int, k: int, n: int, fpr: float, limit: float, error: float, size: int = FINE
) -> int:
    """Give the smallest count of members above the cut that refutes a limit.

    Parameters as for `tpr_p_value` and `tpr_lower`.

    Returns
    -------
    int
        ``m + 1`` where not even all members above the cut would do.
    """
    low, high = 1, m + 1
    while low < high:
        middle = (low + high) // 2
        if tpr_p_value(middle, m, k, n, fpr, limit, size) <= error:
            high = middle
        else:
            low = middle + 1
    return low


def rank_without_limit(n: int, fpr: float) -> int:
    """Give the rank at which a lower bound is taken where no limit is under test."""
    return min(n, max(4, math.ceil(fpr * n)))


@lru_cache(maxsize=1024)
def choose_rank(m: int, n: int, fpr: float, limit: float, error: float) -> int:
    """Choose the rank at which a limit is refuted most easily, from the sizes alone.

    Among the ranks 2, 3, 4, … (in steps of 15 % further on) it is the one for which a model whose
    member scores are shifted by mu, binormal, is refuted with power 0.8 at the smallest mu.

    Parameters
    ----------
    m, n : int
        Number of members and of non-members.
    fpr, limit : float
        The budget, both in (0, 1).
    error : float
        One-sided error of the test.

    Returns
    -------
    int
        A rank between 1 and n.
    """
    highest = int(min(n / 4, max(24, 6 * fpr * n)))
    best, best_shift = min(2, n), math.inf
    k = 2
    while k <= highest:
        c = smallest_refuting_count(m, k, n, fpr, limit, error, COARSE)
        if c <= m:
            shift = _shift_for_power(c, m, k, n, best_shift)
            if shift < best_shift:
                best, best_shift = k, shift
        k = max(k + 1, int(k * 1.15))
    return best


def _shift_for_power(c: int, m: int, k: int, n: int, ceiling: float, power: float = 0.8) -> float:
    cut = special.ndtri(1 - fpr_above_rank(k, n, COARSE))

    def lacking(shift: float) -> float:
        return float(at_least(c, m, special.ndtr(shift - cut)).mean()) - power

    high = min(ceiling, 40.0)
    if lacking(high) < 0:  # no better than what was found already
        return math.inf
    return float(optimize.brentq(lacking, -10.0, high, xtol=1e-4)) if lacking(-10.0) < 0 else -10.0
