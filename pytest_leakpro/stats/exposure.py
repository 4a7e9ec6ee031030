"""Exposure of canaries: how far ahead of other texts of their kind a model has put them, in bits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from pytest_leakpro.stats.skew_normal import SkewNormal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "UNLEARNED",
    "exposure_between",
    "extrapolated_exposure",
    "losses_ranked",
    "rank_exposure",
]

UNLEARNED = 1 / math.log(2)
"""Mean exposure, in bits, of canaries whose rank is uniform: what a model has that saw none."""

_HALVINGS = 60


def losses_ranked(losses: ArrayLike, candidates: ArrayLike) -> NDArray[Any]:
    """Rank canaries by their loss among candidates, the smallest first.

    Parameters
    ----------
    losses : array_like of shape (n,)
        Of the canaries.
    candidates : array_like of shape (c,) or (n, c)
        Losses of texts of the same kind that are no canaries: the same for all canaries, or some
        for each.

    Returns
    -------
    ndarray of shape (n,)
        In [1, c + 1]; a candidate with the same loss counts half.

    References
    ----------
    Carlini et al. (2019), The Secret Sharer, USENIX Security, section 4.2, definition 1.
    """
    own, others = np.asarray(losses, float), np.asarray(candidates, float)
    if others.ndim == 1:
        ordered = np.sort(others)
        below = np.searchsorted(ordered, own, side="left")
        up_to = np.searchsorted(ordered, own, side="right")
    else:
        below = (others < own[:, None]).sum(axis=1)
        up_to = (others <= own[:, None]).sum(axis=1)
    ranks: NDArray[Any] = 1 + (below + up_to) / 2
    return ranks


def rank_exposure(ranks: ArrayLike, candidates: int) -> NDArray[Any]:
    """Give the exposure of canaries: log2 of the number of candidates minus log2 of the rank.

    Parameters
    ----------
    ranks : array_like of shape (n,)
        In [1, candidates].
    candidates : int
        How many texts were ranked, the canary among them.

    Returns
    -------
    ndarray of shape (n,)
        In bits, from 0 to log2(candidates).

    References
    ----------
    Carlini et al. (2019), The Secret Sharer, USENIX Security, section 4.2, definition 2.
    """
    bits: NDArray[Any] = np.log2(float(candidates) / np.asarray(ranks, float))
    return bits


def exposure_between(
    ranks: ArrayLike, candidates: int, space: int, error: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bound the exposures among all texts of a kind from ranks among some of them.

    Parameters
    ----------
    ranks : array_like of shape (n,)
        Among the candidates, in [1, candidates].
    candidates : int
        How many texts were ranked, the canary among them; the others drawn at random.
    space : int
        How many texts of the kind there are, at least `candidates`.
    error : float
        The chance, in (0, 1), that one of the bounds is wrong. Of n bounds of one side any is
        wrong with a chance of at most n times that, though the candidates be the same for all.

    Returns
    -------
    tuple of ndarray of shape (n,)
        Smallest and largest exposure, in bits, from 0 to log2(space).

    References
    ----------
    Hoeffding (1963), Probability inequalities for sums of bounded random variables, JASA 58,
    theorem 1 and section 6: ties that count half, and draws without replacement.
    """
    known = np.asarray(ranks, float)
    others = float(candidates) - 1
    share, room = (known - 1) / others, -math.log(error) / others
    sides = []
    for end in (1.0, 0.0):
        inner, outer = share.copy(), np.full(len(share), end)
        for _ in range(_HALVINGS):
            middle = (inner + outer) / 2
            possible = _divergence(share, middle) <= room
            inner = np.where(possible, middle, inner)
            outer = np.where(possible, outer, middle)
        sides.append(outer)
    most_below, least_below = sides
    least_below = np.where(share > 0, least_below, 0.0)
    every = float(space)
    smallest, largest = (
        np.maximum(math.log2(space) - np.log2(1 + below * (every - 1)), 0.0)
        for below in (most_below, least_below)
    )
    return smallest, largest


def extrapolated_exposure(
    losses: ArrayLike, candidates: ArrayLike, space: float
) -> tuple[NDArray[Any], float] | None:
    """Extrapolate exposures beyond the number of candidates, by a skew-normal law of their losses.

    Parameters
    ----------
    losses, candidates
        As for `losses_ranked`; with some candidates for each canary a law is fitted to each.
    space : float
        How many texts of the kind there are; no exposure is more than its log2.

    Returns
    -------
    tuple of ndarray of shape (n,) and float, or None
        Exposures in bits; and how well the law fits: the p-value of the Kolmogorov-Smirnov test,
        of several laws the smallest times their number. None where losses are all equal.

    References
    ----------
    Carlini et al. (2019), The Secret Sharer, USENIX Security, section 4.4: approximation by
    distribution modelling, with a skew-normal law, which they hold to fit where p is above 0.1.
    """
    own, others = np.asarray(losses, float), np.asarray(candidates, float)
    groups = [(own, others)]
    if others.ndim == 2:
        groups = [(own[i : i + 1], others[i]) for i in range(len(own))]
    bits, agreements = [], []
    for mine, theirs in groups:
        law = SkewNormal.fit(theirs)
        if law is None:
            return None
        bits.append(-law.log_cdf(mine) / math.log(2))
        agreements.append(law.agreement(theirs))
    found = np.clip(np.concatenate(bits), 0.0, math.log2(space))
    return found, min(1.0, min(agreements) * len(agreements))


def _divergence(share: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Give the relative entropy of two coins, in nats."""
    both: NDArray[Any] = special.rel_entr(share, other) + special.rel_entr(1 - share, 1 - other)
    return both
