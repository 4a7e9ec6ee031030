"""How often the bounds on a TPR decide a limit, from the sizes alone.

A model without leakage has exchangeable scores, for which only ranks matter. A leaking model is
taken as binormal: member scores shifted by mu, so that the TPR at FPR a is Phi(Phi^-1(a) + mu).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special

from pytest_leakpro.stats.binomial import at_least
from pytest_leakpro.stats.order_statistics import COARSE, fpr_above_rank
from pytest_leakpro.stats.tpr_lower import choose_rank, smallest_refuting_count
from pytest_leakpro.stats.tpr_upper import fpr_grid, upper_rule

__all__ = ["fail_chance", "pass_chance", "passing_counts"]

DRAWS = 8192  # a chance of 95 % is then known to about 0.5 points


@lru_cache(maxsize=1024)
def passing_counts(
    m: int, n: int, fpr: float, limit: float, error: float
) -> tuple[tuple[int, int], ...] | None:
    """Give the ranks of the upper bound, each with the largest count that passes there.

    Parameters
    ----------
    m, n : int
        Number of members and of non-members.
    fpr, limit : float
        The budget, both in (0, 1).
    error : float
        One-sided error of the bound, in (0, 1).

    Returns
    -------
    tuple of (rank, largest count), or None
        Ascending in rank; None where no count of members passes at some rank.
    """
    largest: dict[int, int] = {}
    for rate in fpr_grid(fpr):
        at_rate = limit * float(rate) / fpr
        if at_rate >= 1:
            break
        rule = upper_rule(n, float(rate), error)
        if rule is None:
            return None
        for rank, count in zip(rule.ranks, rule.largest_counts(m, at_rate), strict=True):
            if count < 0:
                return None
            largest[rank] = min(count, largest.get(rank, m))
    return tuple(sorted(largest.items()))


@lru_cache(maxsize=1024)
def pass_chance(
    m: int, n: int, fpr: float, limit: float, error: float, true: float | None
) -> float:
    """Chance that the upper bound comes out within the limit.

    Parameters
    ----------
    m, n, fpr, limit, error
        As for `passing_counts`.
    true : float or None
        The true TPR at this FPR; None, or at most the FPR, for scores without leakage.

    Returns
    -------
    float
        In [0, 1], by simulation with a fixed seed; 0 where no PASS is possible.
    """
    rule = passing_counts(m, n, fpr, limit, error)
    if rule is None:
        return 0.0
    rng = np.random.default_rng(0)
    ranks = np.array([rank for rank, _ in rule])
    # Order statistics of uniform scores are partial sums of exponentials over their total.
    steps = rng.standard_gamma(np.diff(ranks, prepend=0), size=(DRAWS, len(ranks)))
    sums = np.cumsum(steps, axis=1)
    total = sums[:, -1] + rng.standard_gamma(n + 1 - ranks[-1], size=DRAWS)
    below = np.clip(sums / total[:, None], 0.0, 1.0)
    if true is not None and true > fpr:
        below = special.ndtr(special.ndtri(below) + _shift(fpr, true))

    passed = np.ones(DRAWS, bool)
    counts, reached = np.zeros(DRAWS, np.int64), np.zeros(DRAWS)
    for column, (_, largest) in enumerate(rule):
        left = 1 - reached
        share = np.divide(below[:, column] - reached, left, out=np.zeros(DRAWS), where=left > 0)
        counts += rng.binomial(m - counts, np.clip(share, 0.0, 1.0))
        reached = below[:, column]
        passed &= counts <= largest
    return float(passed.mean())


@lru_cache(maxsize=1024)
def fail_chance(m: int, n: int, fpr: float, limit: float, error: float, true: float) -> float:
    """Chance that the limit is refuted where the true TPR at this FPR is `true`.

    Parameters as for `pass_chance`.

    Returns
    -------
    float
        In [0, 1]; for ``true = 1`` whether all members above every non-member would do.
    """
    k = choose_rank(m, n, fpr, limit, error)
    c = smallest_refuting_count(m, k, n, fpr, limit, error)
    if c > m:
        return 0.0
    if true >= 1:
        return 1.0
    above = fpr_above_rank(k, n, COARSE)
    if true > fpr:
        above = special.ndtr(special.ndtri(above) + _shift(fpr, true))
    return float(at_least(c, m, above).mean())


def _shift(fpr: float, true: float) -> float:
    return float(special.ndtri(true) - special.ndtri(fpr))
