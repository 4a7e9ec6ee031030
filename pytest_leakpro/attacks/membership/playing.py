"""Shadow models that play the target of the others.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = [
    "FEWEST_PLAYERS",
    "FEWEST_TO_PLAY",
    "Play",
    "can_play",
    "even_counts",
    "lacking_players",
    "others",
    "others_further",
    "plays",
]

FEWEST_TO_PLAY = 3
FEWEST_PLAYERS = 2 * FEWEST_TO_PLAY


@dataclass(frozen=True, repr=False, eq=False)
class Play:
    """One shadow model as the target, and those that attack it.

    Attributes
    ----------
    target : ndarray of shape (n,)
        Its signals.
    shadow : ndarray of shape (K - 2, n)
        Those of the others.
    included : ndarray of bool, shape (K - 2, n)
        Which of these saw which record.
    saw : ndarray of bool, shape (n,)
        Whether the model that plays saw the record.
    """

    target: NDArray[Any]
    shadow: NDArray[Any]
    included: NDArray[np.bool_]
    saw: NDArray[np.bool_]


def can_play(shadow: ShadowSignals) -> bool:
    """Tell whether each record was in three shadow models and out of three: two attack then."""
    n_in = shadow.included.sum(axis=0)
    return bool(min(n_in.min(), (shadow.n_models - n_in).min()) >= FEWEST_TO_PLAY)


def lacking_players(shadow: ShadowSignals) -> str | None:
    """Say why no shadow model can play the target; None where any of them can."""
    if can_play(shadow):
        return None
    return (
        f"each record must be in at least {FEWEST_TO_PLAY} shadow models and out of "
        f"{FEWEST_TO_PLAY}, so that any of them can play the target"
    )


def plays(shadow: ShadowSignals, most: int) -> Iterator[Play]:
    """Let the first shadow models play the target, one after the other.

    Parameters
    ----------
    shadow : ShadowSignals
        For which `can_play` holds.
    most : int
        At most how many play.
    """
    for index in range(min(shadow.n_models, most)):
        signals, included = others(shadow.shadow, shadow.included, index)
        yield Play(np.asarray(shadow.shadow[index]), signals, included, shadow.included[index])


def others(
    shadow: NDArray[Any], included: NDArray[np.bool_], index: int
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Leave out one model, and for each record one of the other kind.

    So a record that the model saw has one model less that saw it and one less that did not, as has
    a record that it did not see: else an attack would see by the counts who is who. Where models
    come in complementary pairs the other one of the pair is left out.

    Parameters
    ----------
    shadow : ndarray of shape (K, n)
        Signals, of all records or some.
    included : ndarray of bool, shape (K, n)
        Which model saw which record.
    index : int
        The model.

    Returns
    -------
    tuple of ndarray
        Signals and inclusion of shape (K - 2, n).
    """
    kept = _left(included, index)
    if kept.ndim == 1:
        return shadow[kept], included[kept]
    return np.take_along_axis(shadow, kept, axis=0), np.take_along_axis(included, kept, axis=0)


def others_further(
    further: NDArray[Any], included: NDArray[np.bool_], index: int
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Leave out the same models as `others` does, of what else was read of them.

    Parameters
    ----------
    further : ndarray of shape (K, q, n)
    included, index
        As for `others`.

    Returns
    -------
    tuple of ndarray
        Of shape (K - 2, q, n), and inclusion of shape (K - 2, n).
    """
    kept = _left(included, index)
    if kept.ndim == 1:
        return further[kept], included[kept]
    return (
        np.take_along_axis(further, kept[:, None], axis=0),
        np.take_along_axis(included, kept, axis=0),
    )


def _left(included: NDArray[np.bool_], index: int) -> NDArray[np.intp]:
    """Say which models are left: one answer of shape (K - 2,), or one per record."""
    n_models = len(included)
    saw = included[index]
    beside = index ^ 1
    if beside < n_models and np.array_equal(saw, ~included[beside]):
        return np.delete(np.arange(n_models), [index, beside])
    candidates = (index + 1 + np.arange(n_models - 1)) % n_models
    if beside < n_models:  # first, so that one record alone is treated as all together are
        candidates = np.r_[beside, candidates[candidates != beside]]
    left_out = candidates[(included[candidates] != saw).argmax(axis=0)]
    low, high = np.minimum(index, left_out), np.maximum(index, left_out)
    rows = np.arange(n_models - 2)[:, None]
    rows = rows + (rows >= low)
    rows += rows >= high
    return np.asarray(rows, dtype=np.intp)


def even_counts(included: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose pairs of a model and a record to learn from, so that counts tell nothing.

    A record that many models saw is more often one that the model at play saw. The target was
    trained on records whatever shadow models saw, so among equal counts both kinds must be as
    frequent: some of the more frequent kind are left out. All stay where counts are the same.

    Parameters
    ----------
    included : ndarray of bool, shape (K, n)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of bool, shape (K, n)
    """
    counts = included.sum(axis=0)
    if counts.min() == counts.max():
        return np.ones(included.shape, dtype=bool)
    weights = 1 / np.where(included, counts, len(included) - counts)
    return np.asarray(rng.random(included.shape) < weights / weights.max())
