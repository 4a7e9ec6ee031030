"""The likelihood ratio of votes: shares of right answers, of models with a record and without it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["vote_log_ratio"]

_SMALLEST = 1e-3  # of probabilities: no model is known to be right or wrong for sure


def vote_log_ratio(
    target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_], prior: float = 1.0
) -> NDArray[np.float64]:
    """Score records by the likelihood of a model's votes with the record and without.

    Parameters
    ----------
    target : ndarray of shape (q, n)
        Shares of right answers of the audited model, in [0, 1], to q kinds of questions.
    shadow : ndarray of shape (K, q, n)
        Those of shadow models.
    included : ndarray of bool, shape (K, n)
        Whether the shadow model was trained on the record.
    prior : float
        How many models the mean of all of them counts for, above 0: the probabilities of a right
        answer with the record and without are shrunk to it.

    Returns
    -------
    ndarray of shape (n,)
        The sum over questions of v log(p1 / p0) + (1 - v) log((1 - p1) / (1 - p0)), v the target's
        share, p1 and p0 the probabilities with the record and without. A kind of questions counts
        as one vote, however many of it were asked: a model answers like questions alike. 0 where
        all shadow models agree.

    Raises
    ------
    ValueError
        If shapes do not fit, a share is outside [0, 1], or the prior is not above 0.
    """
    if shadow.ndim != 3 or target.shape != shadow.shape[1:]:
        raise ValueError(f"target has shape {target.shape}, shadow {shadow.shape}")
    if included.shape != (shadow.shape[0], shadow.shape[2]):
        raise ValueError(f"included has shape {included.shape}, shadow {shadow.shape}")
    if not prior > 0:
        raise ValueError(f"the prior must be above 0, not {prior}")
    inside, outside = np.zeros((2, *target.shape))
    for shares, saw in zip((*shadow, target), (*included, None), strict=True):
        if not (np.min(shares, initial=0) >= 0 and np.max(shares, initial=1) <= 1):
            raise ValueError("shares of votes must lie in [0, 1]")
        if saw is not None:
            inside += np.where(saw, shares, 0)
            outside += np.where(saw, 0, shares)
    n_in = included.sum(axis=0)
    everywhere = (inside + outside) / len(shadow)
    with_it = _probability(inside, n_in, everywhere, prior)
    without = _probability(outside, len(shadow) - n_in, everywhere, prior)
    right, wrong = np.log(with_it / without), np.log((1 - with_it) / (1 - without))
    return np.asarray(np.sum(target * right + (1 - target) * wrong, axis=0))


def _probability(
    total: NDArray[Any], count: NDArray[Any], everywhere: NDArray[Any], prior: float
) -> NDArray[Any]:
    shrunk = (total + prior * everywhere) / (count + prior)
    return np.asarray(np.clip(shrunk, _SMALLEST, 1 - _SMALLEST))
