"""Finite-sample upper bound on the true-positive rate at a false-positive rate.

A cut that is too high underestimates the TPR at FPR a; how often the cut at rank k lies too high
is D(k) = P(Bin(n, a) >= k), which is known. Two ranks share the error: a wary one (k2), whose cut
is practically never too high, and a closer one (k1), whose bound is sharper. (At or above: members
tied with the cut may all lie below it, and must be counted.)

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from pytest_leakpro.stats.binomial import clopper_pearson_upper, largest_count_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UpperRule", "fpr_grid", "nonmembers_for_upper", "upper_rule"]


@dataclass(frozen=True)
class UpperRule:
    """The ranks at which members are counted, and the error that each count may spend."""

    ranks: tuple[int, ...]
    levels: tuple[float, ...]

    def bound(self, counts: tuple[int, ...], m: int) -> float:
        """Upper confidence bound on the TPR.

        Parameters
        ----------
        counts : tuple of int
            Members at or above the non-member score of each rank.
        m : int
            Number of members.

        Returns
        -------
        float
            In [0, 1].
        """
        return float(np.max(clopper_pearson_upper(np.array(counts), m, np.array(self.levels))))

    def largest_counts(self, m: int, limit: float) -> tuple[int, ...]:
        """Give the largest count at each rank with which the bound is within a limit (-1: none)."""
        return tuple(largest_count_within(limit, m, level) for level in self.levels)


def _too_high(k: int, n: int, fpr: float) -> float:
    return float(special.bdtrc(k - 1, n, fpr)) if k >= 1 else 1.0


def _smallest_rank(n: int, fpr: float, chance: float) -> int | None:
    if _too_high(n, n, fpr) > chance:
        return None
    low, high = 1, n
    while low < high:
        middle = (low + high) // 2
        if _too_high(middle, n, fpr) <= chance:
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=8192)
def upper_rule(n: int, fpr: float, error: float) -> UpperRule | None:
    """Give the rule of the upper bound at one false-positive rate.

    Parameters
    ----------
    n : int
        Number of non-members.
    fpr : float
        False-positive rate a, in (0, 1).
    error : float
        One-sided error A of the bound, in (0, 1).

    Returns
    -------
    UpperRule or None
        None where so few non-members allow no bound below 1; see `nonmembers_for_upper`.
    """
    wary = _smallest_rank(n, fpr, 0.2 * error)
    if wary is None:
        return None
    close = _smallest_rank(n, fpr, 0.15)
    missed_wary = _too_high(wary, n, fpr)
    if close is None or close >= wary:
        return UpperRule((wary,), ((error - missed_wary) / (1 - missed_wary),))
    missed_close = _too_high(close, n, fpr)
    between = missed_close - missed_wary
    level_wary = min(1.0, 0.5 * error / between)
    level_close = (error - missed_wary - level_wary * between) / (1 - missed_close)
    return UpperRule((close, wary), (level_close, level_wary))


def nonmembers_for_upper(fpr: float, error: float) -> int:
    """Give the smallest number of non-members with which `upper_rule` exists."""
    n = 1
    while fpr**n > 0.2 * error:
        n += 1
    return n


@lru_cache(maxsize=256)
def fpr_grid(fpr: float) -> NDArray[Any]:
    """Give the false-positive rates a 1.3^i below 1/2 at which a PASS is checked as well.

    An attacker who stays silent at random turns TPR(u) at u > a into TPR(u) a/u at a: a curve that
    is steep just beyond a must not pass a budget at a.

    Parameters
    ----------
    fpr : float
        The budget's false-positive rate a, in (0, 1/2).

    Returns
    -------
    ndarray
        Ascending, starting with a; read-only.
    """
    count = int(np.floor(np.log(0.5 / fpr) / np.log(1.3))) + 1
    grid = fpr * 1.3 ** np.arange(max(count, 1))
    grid = grid[(grid < 0.5) | (np.arange(len(grid)) == 0)]
    grid.setflags(write=False)
    return np.asarray(grid)
