"""A finite-sample band around a ROC curve, for display.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.stats.binomial import clopper_pearson_upper
from pytest_leakpro.stats.tpr_upper import upper_rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["roc_band"]

# `decimate` leaves out no stretch of false-positive rates wider than a 48th without a vertex, so
# that what is much wider is a tie.
_WIDEST_GAP = 48
# Non-members beyond a rate, below which a lower bound at that rate is hardly above 0.
_FEW = 12


def roc_band(
    x: NDArray[Any], y: NDArray[Any], rates: NDArray[Any], error: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bound the true-positive rate at each of some false-positive rates, each by itself.

    The upper bound is that of `upper_rule`; the lower bound is the same rule on the other side,
    for the members that are missed at a true-negative rate. Both count members at ranks of
    non-member scores that follow from n and the rate alone.

    Parameters
    ----------
    x, y : ndarray of int of shape (d,)
        Non-members and members at or above each cut, non-decreasing, from 0 to all of them, of
        which there is at least one each; all cuts or some, as `decimate` chooses them.
    rates : ndarray of shape (q,)
        False-positive rates in (0, 1), ascending.
    error : float
        Of both sides together, in (0, 1).

    Returns
    -------
    low, high : ndarray of shape (q,)
        In [0, 1], around the curve.

    Notes
    -----
    The band is distribution-free. It holds with probability ``1 - error`` at each rate that was
    chosen beforehand, not at all of them at once. At rates below ``12 / n``, where the non-members
    allow hardly any lower bound, it is that of an attacker who stays silent at random: a share of
    the lower bound at ``12 / n``. Of cuts that were left out, the band is wide enough for the
    worst case. Large ties are broken at random for the upper bound, as by an attacker who guesses
    within them; the lower bound counts nobody within a tie.

    Examples
    --------
    >>> counts = np.arange(1001)
    >>> low, high = roc_band(counts, counts, np.array([0.1, 0.5]), 0.05)
    >>> bool((low < [0.1, 0.5]).all() and (high > [0.1, 0.5]).all())
    True
    """
    n, m = int(x[-1]), int(y[-1])
    ranks, levels = _rules(n, rates, error / 2)
    high = _share_at_most(_at_or_above(x, y, ranks), m, ranks, levels)
    bounded = np.maximum(rates, min(_FEW / n, 1 - 1e-9))
    ranks, levels = _rules(n, 1 - bounded, error / 2)
    missed = m - y[np.searchsorted(x, n + 1 - ranks, side="left") - 1]
    low = (1 - _share_at_most(missed, m, ranks, levels)) * (rates / bounded)
    curve = np.interp(rates * n, x, y) / m
    # Widened so that neither falls where the true curve cannot.
    low = np.minimum.accumulate(np.minimum(low, curve)[::-1])[::-1]
    return low, np.maximum.accumulate(np.maximum(high, curve))


def _rules(n: int, rates: NDArray[Any], error: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give the two ranks of each rate's rule and their errors; rank 0 where there is no rule."""
    ranks, levels = np.zeros((2, len(rates)), int), np.ones((2, len(rates)))
    for place, rate in enumerate(rates):
        rule = upper_rule(n, float(rate), error)
        if rule is not None:
            ranks[:, place] = rule.ranks[0], rule.ranks[-1]
            levels[:, place] = rule.levels[0], rule.levels[-1]
    return ranks, levels


def _share_at_most(
    counts: NDArray[Any], m: int, ranks: NDArray[Any], levels: NDArray[Any]
) -> NDArray[Any]:
    bounds = np.where(ranks > 0, clopper_pearson_upper(counts, m, levels), 1.0)
    largest: NDArray[Any] = bounds.max(axis=0)
    return largest


def _at_or_above(x: NDArray[Any], y: NDArray[Any], ranks: NDArray[Any]) -> NDArray[Any]:
    """Count the members at or above the cut of each rank, with large ties in random order."""
    n = int(x[-1])
    slack = -(-n // _WIDEST_GAP)
    ends = np.searchsorted(x, ranks, side="left")
    counts = y[ends].copy()
    starts = np.maximum(ends - 1, 0)
    tied = (x[ends] - x[starts] > 2 * slack) & (y[ends] > y[starts])
    for end in np.unique(ends[tied]):
        here = tied & (ends == end)
        # Cuts that may have been left out all lie within the slack before the end.
        others = int(x[end] - x[end - 1]) - slack
        random = np.random.default_rng(n)
        places = np.sort(random.random(others))
        members = np.sort(random.random(int(y[end] - y[end - 1])))
        among = ranks[here] - x[end - 1]
        cuts = places[np.minimum(among, others) - 1]
        before = np.searchsorted(members, cuts, side="right")
        counts[here] = np.where(among > others, y[end], y[end - 1] + before)
    return counts
