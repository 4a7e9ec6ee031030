"""Finite-sample bounds on the membership advantage, the largest TPR - FPR over all cuts.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import optimize

from pytest_leakpro.stats.binomial import at_least
from pytest_leakpro.stats.order_statistics import FINE, fpr_above_rank

__all__ = ["advantage_half_width", "advantage_lower", "advantage_p_value", "advantage_rank"]


def advantage_rank(n: int) -> int:
    """Give the rank of the non-member score at which the lower bound is taken."""
    return math.ceil(n / 3)


@lru_cache(maxsize=65536)
def advantage_p_value(c: int, m: int, n: int, limit: float, size: int = FINE) -> float:
    """Test "the advantage is at most `limit`" from one count.

    Parameters
    ----------
    c : int
        Members strictly above the non-member score of rank `advantage_rank`.
    m, n : int
        Number of members and of non-members.
    limit : float
        The advantage under test, in [0, 1].
    size : int
        Quadrature points over the distribution of the true FPR.

    Returns
    -------
    float
        E_U[ P(Bin(m, min(1, U + limit)) >= c) ], valid at every sample size.
    """
    above = fpr_above_rank(advantage_rank(n), n, size)
    return float(at_least(c, m, np.minimum(1.0, above + limit)).mean())


@lru_cache(maxsize=16384)
def advantage_lower(c: int, m: int, n: int, error: float) -> float:
    """Lower confidence bound on the advantage: the largest limit that is refuted at `error`.

    Parameters as for `advantage_p_value`; `error` is the one-sided error, in (0, 1).

    Returns
    -------
    float
        In [0, 1].
    """

    def excess(limit: float) -> float:
        return advantage_p_value.__wrapped__(c, m, n, limit) - error

    if excess(0.0) > 0:
        return 0.0
    if excess(1.0) <= 0:
        return 1.0
    return float(optimize.brentq(excess, 0.0, 1.0, xtol=1e-10, rtol=1e-9))


def advantage_half_width(m: int, n: int, error: float) -> float:
    """Distance of the upper bound above the best cut's empirical advantage.

    The best cut's empirical value dominates that of the truly best cut, whose error a Hoeffding
    bound over both samples covers; so no band over all cuts is needed.

    Parameters
    ----------
    m, n : int
        Number of members and of non-members.
    error : float
        One-sided error, in (0, 1).

    Returns
    -------
    float
        sqrt(ln(1/error)/2 (1/m + 1/n)).
    """
    return math.sqrt(math.log(1 / error) / 2 * (1 / m + 1 / n))
