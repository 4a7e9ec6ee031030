"""How often the bounds on AUC and advantage decide a limit, from the sizes alone.

Leaking models are taken as binormal (see `tpr_power`). Normal laws are good enough here: they plan
sizes and decide nothing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import special

from pytest_leakpro.stats.advantage import (
    advantage_half_width,
    advantage_p_value,
    advantage_rank,
)
from pytest_leakpro.stats.binomial import at_least
from pytest_leakpro.stats.bounded_mean import mean_p_value
from pytest_leakpro.stats.order_statistics import COARSE, fpr_above_rank

__all__ = [
    "advantage_fail_chance",
    "advantage_pass_chance",
    "auc_fail_chance",
    "auc_pass_chance",
]


def _auc_deviation(m: int, n: int, auc: float) -> float:
    """Give the deviation of the estimate (Hanley and McNeil 1982, equation 2)."""
    pair_members, pair_nonmembers = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc)
    variance += (m - 1) * (pair_members - auc**2) + (n - 1) * (pair_nonmembers - auc**2)
    return math.sqrt(max(variance, 0.0) / (m * n))


def _below(estimate: float, m: int, n: int, auc: float) -> float:
    deviation = _auc_deviation(m, n, auc)
    return float(special.ndtr((estimate - auc) / deviation)) if deviation else float(auc < estimate)


@lru_cache(maxsize=1024)
def auc_pass_chance(m: int, n: int, limit: float, error: float, true: float) -> float:
    """Chance that the upper bound on the AUC is within a limit.

    Parameters
    ----------
    m, n : int
        Number of members and of non-members.
    limit, true : float
        The budget and the true AUC, in [1/2, 1].
    error : float
        One-sided error of the bound.
    """
    r = min(m, n)
    low, high = 0.0, limit  # the largest estimate that passes
    for _ in range(40):
        middle = (low + high) / 2
        # The upper bound is within the limit where the mirrored estimate refutes its mirror image.
        if mean_p_value(1 - middle, r, 1 - limit) <= error:
            low = middle
        else:
            high = middle
    return _below(low, m, n, true)


@lru_cache(maxsize=1024)
def auc_fail_chance(m: int, n: int, limit: float, error: float, true: float) -> float:
    """Chance that a limit on the AUC is refuted; parameters as for `auc_pass_chance`."""
    r = min(m, n)
    if mean_p_value(1.0, r, limit) > error:
        return 0.0
    low, high = limit, 1.0  # the smallest estimate that is refuted
    for _ in range(40):
        middle = (low + high) / 2
        if mean_p_value(middle, r, limit) <= error:
            high = middle
        else:
            low = middle
    return 1.0 if true >= 1 else 1 - _below(high, m, n, true)


@lru_cache(maxsize=1024)
def advantage_pass_chance(m: int, n: int, limit: float, error: float, true: float) -> float:
    """Chance that the upper bound on the advantage is within a limit.

    Parameters
    ----------
    m, n : int
        Number of members and of non-members.
    limit, true : float
        The budget and the true advantage, in [0, 1].
    error : float
        One-sided error of the bound.
    """
    largest = limit - advantage_half_width(m, n, error)
    if largest < 0:
        return 0.0
    # Without leakage the maximum is the one-sided Smirnov statistic; with it the best cut decides.
    noise = 1 - math.exp(-2 * largest**2 * m * n / (m + n))
    if true <= 0:
        return noise
    tpr, fpr = (1 + true) / 2, (1 - true) / 2
    deviation = math.sqrt(tpr * (1 - tpr) / m + fpr * (1 - fpr) / n)
    at_best_cut = float(special.ndtr((largest - true) / deviation)) if deviation else 0.0
    return min(noise, at_best_cut)


@lru_cache(maxsize=1024)
def advantage_fail_chance(m: int, n: int, limit: float, error: float, true: float) -> float:
    """Chance that a limit on the advantage is refuted; as for `advantage_pass_chance`."""
    low, high = 1, m + 1
    while low < high:
        middle = (low + high) // 2
        if advantage_p_value(middle, m, n, limit) <= error:
            high = middle
        else:
            low = middle + 1
    if low > m:
        return 0.0
    if true >= 1:
        return 1.0
    above = fpr_above_rank(advantage_rank(n), n, COARSE)
    shift = 2 * special.ndtri((1 + true) / 2)
    return float(at_least(low, m, special.ndtr(special.ndtri(np.asarray(above)) + shift)).mean())
