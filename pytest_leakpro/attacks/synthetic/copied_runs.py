"""How many words in a row of a text stand in the release: worked out once for all who ask.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.gate.metrics.near_copies import FEWEST_WORDS
from pytest_leakpro.stats.shared_runs import longest_shared_runs
from pytest_leakpro.stats.words import numbered_words

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["CopiedRuns", "copied_runs", "words_needed"]


@dataclass(frozen=True, repr=False, eq=False)
class CopiedRuns:
    """The texts of one side, in the order of its rows.

    Attributes
    ----------
    lengths : ndarray of int, shape (n,)
        How many words each has; 0 where it is missing.
    runs : ndarray of int, shape (n,)
        How many of them in a row stand in a text of the release, at most.
    """

    lengths: NDArray[np.int64]
    runs: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"CopiedRuns({len(self.runs)} texts)"

    def copied(self, words: int) -> NDArray[np.bool_]:
        """Mark the texts of which as many words in a row are released as count as a copy."""
        return np.asarray((self.lengths > 0) & (self.runs >= words_needed(self.lengths, words)))


def words_needed(lengths: NDArray[np.int64], words: int) -> NDArray[np.int64]:
    """Give how many words in a row count as a copy of texts of some lengths.

    Parameters
    ----------
    lengths : ndarray of int
        In words.
    words : int
        Of a long text.

    Returns
    -------
    ndarray of int
        Half of a text of less than twice as many words, but not fewer than 8, or all words.
    """
    half = np.maximum((lengths + 1) // 2, FEWEST_WORDS)
    return np.minimum(np.minimum(half, words), lengths)


def copied_runs(view: ReleaseView, column: Hashable) -> tuple[CopiedRuns, CopiedRuns]:
    """Look for all texts of source and control in the release.

    Parameters
    ----------
    view : ReleaseView
        What follows from it is kept there.
    column : hashable
        Which holds the texts.

    Returns
    -------
    source, control : CopiedRuns
    """
    key = f"copied runs {column!r}"
    if key not in view.kept:
        frames = [view.whole("members"), view.whole("nonmembers"), view.released]
        texts = [
            ["" if gone else str(cell) for cell, gone in zip(cells, cells.isna(), strict=True)]
            for cells in (frame[column] for frame in frames)
        ]
        source, control, released = numbered_words(texts)
        view.kept[key] = tuple(
            CopiedRuns(side.lengths, longest_shared_runs(side, released))
            for side in (source, control)
        )
    found: tuple[CopiedRuns, CopiedRuns] = view.kept[key]
    return found
