"""Windows on token sequences that are longer than a model's context, and batches of windows.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Window", "batches", "causal_windows", "masked_windows"]


class Window(NamedTuple):
    """A part of one sequence that a model reads at once.

    Attributes
    ----------
    sequence : int
        Which one.
    start, stop : int
        The tokens that the model reads.
    first, last : int
        Those of them that are scored here: from the first up to, but not including, the last.
    """

    sequence: int
    start: int
    stop: int
    first: int
    last: int

    @property
    def length(self) -> int:
        """How many tokens the model reads."""
        return self.stop - self.start


def causal_windows(
    lengths: Sequence[int], context: int | None, firsts: Sequence[int] | None = None
) -> list[Window]:
    """Cut sequences so that each token is scored once, with half a context before it.

    Parameters
    ----------
    lengths : sequence of int
        Of the sequences.
    context : int or None
        The most tokens that the model reads at once, at least 2; None for no limit.
    firsts : sequence of int, optional
        The first token of each sequence that is scored, at least 1; 1 by default, since nothing
        stands before the first token.

    Returns
    -------
    list of Window
        One where a sequence fits, else windows that overlap by half a context: each scored token
        has as many tokens before it in its window, or all that there are.
    """
    found = []
    for index, length in enumerate(lengths):
        place = 1 if firsts is None else firsts[index]
        if context is None or length <= context:
            if place < length:
                found.append(Window(index, 0, length, place, length))
            continue
        before = context - context // 2
        while place < length:
            start = max(0, place - before)
            stop = min(length, start + context)
            found.append(Window(index, start, stop, place, stop))
            place = stop
    return found


def masked_windows(lengths: Sequence[int], context: int | None) -> list[Window]:
    """Cut sequences so that each token is scored once, in the window whose middle is closest.

    Parameters
    ----------
    lengths : sequence of int
        Of the sequences, without special tokens.
    context : int or None
        The most tokens that fit between special ones, at least 2; None for no limit.

    Returns
    -------
    list of Window
        Windows overlap by half a context, so that a quarter stands on either side of each token,
        or all that there is.
    """
    found = []
    for index, length in enumerate(lengths):
        if context is None or length <= context:
            if length:
                found.append(Window(index, 0, length, 0, length))
            continue
        starts = [*range(0, length - context, context // 2), length - context]
        # Midway between the middles of one window and the next.
        ends = [(one + other + context) // 2 for one, other in pairwise(starts)]
        cuts = [0, *ends, length]
        found += [
            Window(index, start, start + context, first, last)
            for start, (first, last) in zip(starts, pairwise(cuts), strict=True)
            if first < last
        ]
    return found


def batches(lengths: Sequence[int], most: int | None, most_tokens: int) -> Iterator[list[int]]:
    """Group sequences of similar length, the longest first.

    Parameters
    ----------
    lengths : sequence of int
        Of the sequences.
    most : int or None
        At most how many in a batch.
    most_tokens : int
        At most how many tokens in a batch, with padding; a longer sequence stands alone.

    Yields
    ------
    list of int
        Which sequences; the first is the longest.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.intp), kind="stable").tolist()
    start = 0
    while start < len(order):
        fitting = max(1, most_tokens // max(1, lengths[order[start]]))
        stop = start + (fitting if most is None else min(most, fitting))
        yield order[start:stop]
        start = stop
