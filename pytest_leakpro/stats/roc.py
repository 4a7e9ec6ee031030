"""Receiver operating curves: what a threshold on a score tells members from non-members.

Everywhere a higher score means "more likely a member".

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["auc", "decimate", "max_advantage", "roc_points", "score_histogram", "tpr_at"]


def roc_points(
    members: NDArray[Any], nonmembers: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give the vertices of the empirical ROC curve, one per distinct score.

    Parameters
    ----------
    members, nonmembers : ndarray of shape (m,) and (n,)
        Finite scores.

    Returns
    -------
    fpr, tpr : ndarray of shape (d + 1,)
        Share of non-members and of members at or above each of the d distinct scores, from the
        highest downwards, after the point (0, 0); both non-decreasing, ending at (1, 1).
    """
    cuts = np.unique(np.concatenate([members, nonmembers]))[::-1]
    fpr = 1 - np.searchsorted(np.sort(nonmembers), cuts, side="left") / len(nonmembers)
    tpr = 1 - np.searchsorted(np.sort(members), cuts, side="left") / len(members)
    return np.concatenate([[0.0], fpr]), np.concatenate([[0.0], tpr])


def tpr_at(fpr_points: NDArray[Any], tpr_points: NDArray[Any], fpr: NDArray[Any]) -> NDArray[Any]:
    """Read the TPR at given FPRs off a ROC curve, linearly across ties.

    A tie of members and non-members is a sloping piece of the curve: an attacker who guesses
    at random within the tie reaches each of its points.

    Parameters
    ----------
    fpr_points, tpr_points : ndarray of shape (d,)
        Vertices as of `roc_points`.
    fpr : ndarray of shape (q,)
        False-positive rates in [0, 1].

    Returns
    -------
    ndarray of shape (q,)
        On a vertical piece of the curve its upper end.
    """
    last = np.searchsorted(fpr_points, fpr, side="right") - 1
    following = np.minimum(last + 1, len(fpr_points) - 1)
    width = fpr_points[following] - fpr_points[last]
    part = np.divide(fpr - fpr_points[last], width, out=np.zeros(len(fpr)), where=width > 0)
    read: NDArray[Any] = tpr_points[last] + part * (tpr_points[following] - tpr_points[last])
    return read


def decimate(fpr: NDArray[Any], most: int) -> NDArray[np.intp]:
    """Choose vertices of a ROC curve that draw it well, on linear and on logarithmic axes.

    Parameters
    ----------
    fpr : ndarray of shape (d,)
        Of the vertices, as of `roc_points`.
    most : int
        How many to choose at most, at least 3.

    Returns
    -------
    ndarray of shape (at most `most`,)
        Positions, ascending, with the first and the last.
    """
    if len(fpr) <= most:
        return np.arange(len(fpr))
    smallest = fpr[fpr > 0].min()
    half = most // 2 - 1
    wanted = np.concatenate([np.geomspace(smallest, 1, half), np.linspace(0, 1, half)])
    # Of a vertical piece the upper end: what an attacker reaches at that rate.
    chosen = np.searchsorted(fpr, wanted, side="right") - 1
    return np.unique(np.concatenate([[0], np.maximum(chosen, 0), [len(fpr) - 1]]))


def score_histogram(
    members: NDArray[Any], nonmembers: NDArray[Any], bins: int = 24
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Count the scores of both sides in common bins.

    Parameters
    ----------
    members, nonmembers : ndarray of shape (m,) and (n,)
        Finite scores.
    bins : int
        How many, at least 1; a single one where nearly all scores are equal.

    Returns
    -------
    edges : ndarray of shape (bins + 1,)
        Ascending, in equal steps between the 1 % and the 99 % quantile of all scores, to three
        digits of that range, so that they are nobody's score. What lies beyond is counted in the
        first and the last bin.
    in_members, in_nonmembers : ndarray of shape (bins,)
        Counts that add up to m and n.
    """
    low, high = np.quantile(np.concatenate([members, nonmembers]), [0.01, 0.99])
    span = high - low
    if not np.isfinite(span) or span <= 1e-9 * max(abs(low), abs(high)):
        bins = 1
        edges = np.array([low, high])
    else:
        unit = 10.0 ** (np.floor(np.log10(span)) - 2)
        low, high = np.floor(low / unit) * unit, np.ceil(high / unit) * unit
        edges = np.linspace(low, high, bins + 1)
    inner = edges[1:-1]
    in_members, in_nonmembers = (
        np.bincount(np.searchsorted(inner, side, side="right"), minlength=bins)
        for side in (members, nonmembers)
    )
    return edges, in_members, in_nonmembers


def auc(members: NDArray[Any], nonmembers: NDArray[Any]) -> float:
    """Give the area under the ROC curve: P(member above non-member), ties counting one half.

    Parameters
    ----------
    members, nonmembers : ndarray of shape (m,) and (n,)
        Finite scores.

    Returns
    -------
    float
        In [0, 1]; 1/2 for scores that tell nothing.
    """
    m, n = len(members), len(nonmembers)
    ranks = stats.rankdata(np.concatenate([members, nonmembers]))
    return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))


def max_advantage(members: NDArray[Any], nonmembers: NDArray[Any]) -> float:
    """Give the largest TPR - FPR over all cuts, in [0, 1].

    Parameters
    ----------
    members, nonmembers : ndarray of shape (m,) and (n,)
        Finite scores.

    References
    ----------
    Yeom et al. (2018), Privacy risk in machine learning, CSF, definition 4.
    """
    fpr, tpr = roc_points(members, nonmembers)
    return float(np.max(tpr - fpr))
