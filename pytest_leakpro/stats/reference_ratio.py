"""A model's probability of a record against what other models give it on average.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.stats.roc import auc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["choose_offline_a", "log_ratio", "pair_share", "reference_log_probability"]

_BLOCK = 2048  # records at a time, so that the extra memory stays small
CANDIDATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def reference_log_probability(
    log_p: NDArray[Any], included: NDArray[np.bool_], *, offline_a: float | None = None
) -> NDArray[Any]:
    """Average the models' probability of each record.

    Parameters
    ----------
    log_p : ndarray of shape (K, n)
        Natural logarithms of the probability of the true class, finite.
    included : ndarray of bool, shape (K, n)
        Which model saw which record.
    offline_a : float, optional
        In (0, 1]: use only models that did not see the record, and take
        ((1 + a) p_out + 1 - a) / 2 for the average over both kinds.

    Returns
    -------
    ndarray of shape (n,)
        Natural logarithms; without `offline_a` of the mean of the means of both kinds, so that
        unequal numbers do not matter.

    Raises
    ------
    ValueError
        Where a record lacks a model of a kind that is needed, or `offline_a` is out of range.

    References
    ----------
    Zarifzadeh, Liu and Shokri (2024), Low-cost high-power membership inference attacks, equation 3
    and the appendix on the offline approximation.
    """
    outside = _log_mean(log_p, ~included)
    if offline_a is None:
        both: NDArray[Any] = np.logaddexp(_log_mean(log_p, included), outside) - np.log(2)
        return both
    if not 0 < offline_a <= 1:
        raise ValueError(f"offline_a lies above 0 and is at most 1, not {offline_a}")
    # In logarithms, as a small p_out would drown in the sum with 1 - a before that is taken off.
    rest = np.log1p(-offline_a) if offline_a < 1 else -np.inf
    return np.asarray(np.logaddexp(np.log1p(offline_a) + outside, rest) - np.log(2))


def _log_mean(log_p: NDArray[Any], chosen: NDArray[np.bool_]) -> NDArray[Any]:
    counts = chosen.sum(axis=0)
    lacking = int(np.sum(counts == 0))
    if lacking:
        raise ValueError(f"{lacking} records lack a model of the kind that is averaged")
    summed = np.empty(len(counts))
    for start in range(0, len(counts), _BLOCK):
        rows = slice(start, start + _BLOCK)
        masked = np.where(chosen[:, rows], log_p[:, rows], -np.inf)
        top = masked.max(axis=0)
        masked -= top
        summed[rows] = top + np.log(np.exp(masked, out=masked).sum(axis=0))
    return np.asarray(summed - np.log(counts))


def log_ratio(target_log_p: NDArray[Any], reference: NDArray[Any]) -> NDArray[Any]:
    """Give the log of the target's probability over the reference, shape (n,)."""
    ratio: NDArray[Any] = target_log_p - reference
    return ratio


def pair_share(log_ratio_x: NDArray[Any], log_ratio_z: NDArray[Any], gamma: float) -> NDArray[Any]:
    """Share of population records whose ratio a record's ratio exceeds by a factor.

    Parameters
    ----------
    log_ratio_x : ndarray of shape (n,)
        Of the audited records.
    log_ratio_z : ndarray of shape (z,)
        Of the population.
    gamma : float
        At least 1.

    Returns
    -------
    ndarray of shape (n,)
        In [0, 1]; equation 2 of the source.

    Raises
    ------
    ValueError
        For a `gamma` below 1.
    """
    if gamma < 1:
        raise ValueError(f"gamma is at least 1, not {gamma}")
    ordered = np.sort(log_ratio_z)
    counts = np.searchsorted(ordered, log_ratio_x - np.log(gamma), side="right")
    return np.asarray(counts / len(ordered))


def choose_offline_a(
    log_p: NDArray[Any],
    included: NDArray[np.bool_],
    candidates: Sequence[float] = CANDIDATES,
) -> float:
    """Tune the offline correction by attacking the first shadow model with the others.

    Parameters
    ----------
    log_p, included
        As for `reference_log_probability`.
    candidates : sequence of float
        Values to choose from.

    Returns
    -------
    float
        The one with the largest AUC; the first of equals.
    """
    others, saw = included[1:], included[0]
    usable = (~others).any(axis=0)
    rows = slice(None) if usable.all() else usable  # a slice copies nothing
    own, beside, others, saw = log_p[0, rows], log_p[1:, rows], others[:, rows], saw[rows]
    powers = []
    for a in candidates:
        ratio = log_ratio(own, reference_log_probability(beside, others, offline_a=a))
        powers.append(auc(ratio[saw], ratio[~saw]))
    return float(candidates[int(np.argmax(powers))])
