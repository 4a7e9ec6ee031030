"""Records scored by what was learned from others: what attacks that learn have in common.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["pairs_left_out", "score_out_of_fold"]

Judge = TypeVar("Judge")

# With more shadow models one pair less changes less, and costs more to read.
_MOST_VERSIONS = 4
_MODELS_READ = 64
_ROWS = 1 << 15  # scored at a time, as classifiers copy what they read in double precision


def pairs_left_out(n_models: int) -> range:
    """Say without which pairs of shadow models the target is attacked, one after the other.

    Parameters
    ----------
    n_models : int
        How many shadow models there are.

    Returns
    -------
    range
        The first of each pair: up to four, with many models fewer.
    """
    n_versions = min(_MOST_VERSIONS, max(1, _MODELS_READ // n_models))
    return range(0, n_models, 2)[:n_versions]


def score_out_of_fold(
    folds: NDArray[np.intp],
    judges: Sequence[Judge | None],
    score: Callable[[Judge, NDArray[np.intp]], NDArray[Any]],
) -> NDArray[np.float64]:
    """Score every record by the judge that learned from none of its fold.

    Parameters
    ----------
    folds : ndarray of int, shape (n,)
        Of the records.
    judges : sequence
        One per fold; None where there was nothing to learn from.
    score : callable
        Gives the scores that a judge has for records at some positions.

    Returns
    -------
    ndarray of shape (n,)
        0 where there is no judge.
    """
    scores = np.zeros(len(folds))
    with one_thread():  # others would wait for each other longer than they work
        for fold, judge in enumerate(judges):
            if judge is None:
                continue
            own = np.flatnonzero(folds == fold)
            for start in range(0, len(own), _ROWS):
                rows = own[start : start + _ROWS]
                scores[rows] = score(judge, rows)
    return scores
