"""The true false-positive rate of a cut placed at a rank of the non-member scores.

The share U of the non-member distribution above the k-th largest of n scores is Beta(k, n - k + 1)
where scores are continuous, and stochastically at most that where they tie. Expectations over U
are taken by midpoints over its quantiles.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COARSE", "FINE", "fpr_above_rank", "normal_order"]

FINE = 4096  # quantiles for a p-value that decides
COARSE = 256  # for a choice that is valid however it is made, and for planning


@lru_cache(maxsize=256)
def fpr_above_rank(k: int, n: int, size: int = FINE) -> NDArray[Any]:
    """Give equally likely values of the true FPR strictly above the k-th largest of n scores.

    Parameters
    ----------
    k : int
        Rank counted from the largest score, ``1 <= k <= n``.
    n : int
        Number of non-member scores.
    size : int
        How many values.

    Returns
    -------
    ndarray of shape (size,)
        Midpoint quantiles of Beta(k, n - k + 1), ascending, read-only.
    """
    quantiles = special.betaincinv(k, n - k + 1, (np.arange(size) + 0.5) / size)
    quantiles.setflags(write=False)
    return np.asarray(quantiles)


_EXACT = 200  # ranks from either end; between them order statistics are normal enough to plan with


@lru_cache(maxsize=64)
def normal_order(n: int, quantile: float) -> NDArray[Any]:
    """Give each of n ordered normal scores at the same quantile of its law.

    Parameters
    ----------
    n : int
        Number of scores.
    quantile : float
        In (0, 1); 0.5 for medians.

    Returns
    -------
    ndarray of shape (n,)
        Ascending, read-only.
    """
    ranks = np.arange(1, n + 1)
    centre = ranks / (n + 1)
    shares = centre + special.ndtri(quantile) * np.sqrt(centre * (1 - centre) / (n + 2))
    outer = np.concatenate([ranks[:_EXACT], ranks[_EXACT:][-_EXACT:]]) - 1
    shares[outer] = special.betaincinv(ranks[outer], n - outer, quantile)
    scores = special.ndtri(np.maximum.accumulate(shares))
    scores.setflags(write=False)
    return np.asarray(scores)
