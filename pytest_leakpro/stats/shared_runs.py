"""The longest run of words that a text has in common with any of many others.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.stats.words import WordRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["longest_shared_runs"]

_BLOCK_WORDS = 1 << 22


def longest_shared_runs(asked: WordRows, known: WordRows) -> NDArray[np.int64]:
    """Measure the longest run of words of each text that stands in one of the known texts.

    Parameters
    ----------
    asked : WordRows
        Texts, of n_asked.
    known : WordRows
        Texts whose words are numbered alike.

    Returns
    -------
    ndarray of int64, shape (n_asked,)
        Number of words, exact; 0 where no word is shared.

    Notes
    -----
    All places in all texts are ranked by the one, two, four, ... words that begin there (each
    ranking follows from the one before), and places are left alone as soon as no asked text shares
    the run with a known one. In the order that results, the known place which shares the longest
    run with an asked one stands next to it, on one side or the other. The time grows as the number
    of words times the logarithm of the longest run, whatever the texts repeat.

    References
    ----------
    Karp, Miller and Rosenberg (1972), Rapid identification of repeated patterns in strings, trees
    and arrays, STOC: ranks of runs by doubling. Larsson and Sadakane (2007), Faster suffix sorting,
    Theoretical Computer Science: which of them need to be ranked further.
    """
    found = []
    for part in _blocks(asked):
        longest = np.zeros(len(part), dtype=np.int64)
        for others in _blocks(known):
            longest = np.maximum(longest, _longest(part, others))
        found.append(longest)
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _blocks(rows: WordRows) -> Iterator[WordRows]:
    """Give some texts after the other, so that what is worked out of them fits in memory."""
    ends = np.cumsum(rows.lengths)
    start = 0
    while start < len(rows):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _BLOCK_WORDS, side="right")))
        yield WordRows(rows.words[before : int(ends[stop - 1])], rows.lengths[start:stop])
        start = stop


def _longest(asked: WordRows, known: WordRows) -> NDArray[np.int64]:
    longest = np.zeros(len(asked), dtype=np.int64)
    if not len(asked.words) or not len(known.words):
        return longest
    words, n_asked = _joined(asked, known)
    levels = _ranks(words, n_asked)
    owners = np.repeat(np.arange(len(asked)), asked.lengths + 1)
    places = np.flatnonzero(words[:n_asked] >= 0)
    np.maximum.at(longest, owners[places], _longest_at(places, levels, n_asked))
    return longest


def _joined(asked: WordRows, known: WordRows) -> tuple[NDArray[np.int64], int]:
    """Put texts behind each other with an end after each that is equal to nothing else."""
    parts, sizes = [], []
    n_ends = 0
    for rows in (asked, known):
        ends = np.cumsum(rows.lengths + 1) - 1
        part = np.empty(len(rows.words) + len(rows), dtype=np.int64)
        inside = np.ones(len(part), dtype=bool)
        inside[ends] = False
        part[inside] = rows.words
        part[ends] = -1 - n_ends - np.arange(len(rows))
        n_ends += len(rows)
        parts.append(part)
        sizes.append(len(part))
    return np.concatenate(parts), sizes[0]


def _ranks(words: NDArray[np.int64], n_asked: int) -> list[NDArray[np.int32]]:
    """Rank all places by their runs of 1, 2, 4, ... words, until no run is shared any more.

    Two places, of which one is asked and one known, have the same rank at a level exactly where
    they begin the same run. The ranks of a level are in the order of those of the level before.
    """
    n = len(words)
    order = np.argsort(words, kind="stable")
    rank = np.empty(n, dtype=np.int32)
    rank[order] = _first_of_group(words[order])
    levels = [rank]
    reach = 1
    while True:
        active = _of_both_sides(levels[-1], order, n_asked)
        if not len(active):
            return levels
        before = levels[-1]
        # An end is shared by none, so what is active has a place behind it.
        key = before[active].astype(np.int64) * n + before[np.minimum(active + reach, n - 1)]
        by_key = np.argsort(key, kind="stable")
        order, key = active[by_key], key[by_key]
        rank = before.copy()
        # A group keeps its first rank, and each part of it the number of those that stand before.
        group = before[order]
        start = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        offset = np.arange(len(order)) - np.repeat(start, np.diff(np.r_[start, len(order)]))
        rank[order] = group + offset[_first_of_group(key)]
        levels.append(rank)
        reach *= 2


def _first_of_group(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give for each of some ordered values the place of the first that is equal to it."""
    fresh = np.r_[True, ordered[1:] != ordered[:-1]]
    return np.asarray(np.maximum.accumulate(np.where(fresh, np.arange(len(ordered)), 0)))


def _of_both_sides(
    rank: NDArray[np.int32], order: NDArray[np.int64], n_asked: int
) -> NDArray[np.int64]:
    """Give the places whose rank an asked and a known one have, of those in an order of ranks."""
    ranks = rank[order]
    start = np.flatnonzero(np.r_[True, ranks[1:] != ranks[:-1]])
    counts = np.diff(np.r_[start, len(order)])
    n_known = np.add.reduceat((order >= n_asked).astype(np.int64), start)
    both = (n_known > 0) & (n_known < counts)
    return np.asarray(order[np.repeat(both, counts)])


def _longest_at(
    places: NDArray[np.int64], levels: list[NDArray[np.int32]], n_asked: int
) -> NDArray[np.int64]:
    """Give the longest run that begins at each of some asked places and stands in a known text."""
    final = levels[-1]
    order = np.argsort(final, kind="stable")
    where = np.empty(len(order), dtype=np.int64)
    where[order] = np.arange(len(order))
    is_known = order >= n_asked
    index = np.arange(len(order))
    above = np.maximum.accumulate(np.where(is_known, index, -1))[where[places]]
    below = np.minimum.accumulate(np.where(is_known, index, len(order))[::-1])[::-1][where[places]]
    longest = np.zeros(len(places), dtype=np.int64)
    for neighbour in (above, below):
        there = (neighbour >= 0) & (neighbour < len(order))
        one, other = places[there], order[neighbour[there]]
        shared = np.zeros(len(one), dtype=np.int64)
        for level in range(len(levels) - 1, -1, -1):
            alike = levels[level][one + shared] == levels[level][other + shared]
            shared += alike.astype(np.int64) << level
        longest[there] = np.maximum(longest[there], shared)
    return longest
