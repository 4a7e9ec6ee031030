"""Distances between rows of mixed columns, and the nearest rows: exact, in blocks.

The distance between two rows is the mean over their columns (Gower 1971): of numbers on a scale
from 0 to 1 the absolute difference, of codes 0 where they are equal and 1 where not. A missing
value is a value of its own: at distance 0 from a missing one, at distance 1 from any other, since
whether a value is missing tells rows apart as any value does.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["MixedRows", "distinct_rows", "fold_distances", "nearest_rows"]

# Large enough that threads seldom wait for each other, small enough for memory near the cores.
_QUERIES = 128
_ROWS = 8192
_FIRST_ROWS = 1024
_ABSENT = 2.0  # beyond every scaled value by at least 1, which is where a difference is cut
_MOST_CODES = 255  # columns whose mismatches a byte can count


@dataclass(frozen=True, repr=False, eq=False)
class MixedRows:
    """Rows of a table: some columns numbers, the others codes.

    Attributes
    ----------
    numbers : ndarray of float64, shape (n, p)
        Scaled to [0, 1]; NaN where missing.
    codes : ndarray of int, shape (n, q)
        Equal codes for equal values, at least 0; -1 where missing.
    """

    numbers: NDArray[np.float64]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        return f"MixedRows({len(self)} rows, {self.n_columns} columns)"

    @property
    def n_columns(self) -> int:
        """Number of columns of both kinds."""
        return int(self.numbers.shape[1] + self.codes.shape[1])

    @classmethod
    def joined(cls, parts: Sequence[MixedRows]) -> MixedRows:
        """Put rows of the same columns one behind the other."""
        return cls(
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.codes for part in parts]),
        )

    def take(self, rows: NDArray[Any]) -> MixedRows:
        """Give some of the rows, by positions or by a mask."""
        return MixedRows(self.numbers[rows], self.codes[rows])


def nearest_rows(
    queries: MixedRows, rows: MixedRows, k: int, *, threads: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Find the k nearest rows of each query.

    Parameters
    ----------
    queries : MixedRows
        m rows.
    rows : MixedRows
        n rows of the same columns, at least one.
    k : int
        How many neighbours, at least 1; no more than n are given.
    threads : int
        How many threads share the queries. The result does not depend on it.

    Returns
    -------
    distances : ndarray of float64, shape (m, k)
        In [0, 1], ascending.
    positions : ndarray of int, shape (m, k)
        Of the rows. Of rows at the same distance the first is the nearer.

    Notes
    -----
    Distances are taken in single precision first; those that might be among the k smallest are
    taken again in double precision, so that the result is exact. Memory is bounded by the blocks,
    whatever the number of rows, beside a copy of the rows themselves.

    References
    ----------
    Gower (1971), A general coefficient of similarity and some of its properties, Biometrics 27,
    equation 1 as a distance.
    """
    k = min(k, len(rows))
    firsts, sizes, members = distinct_rows(rows)
    search = _Search(queries, rows.take(firsts), min(k, len(firsts)))
    _over_queries(search.run, len(queries), threads)
    if len(firsts) == len(rows):
        return search.distances, search.positions
    return _expand(search.distances, search.positions, k, sizes, members)


def fold_distances(
    queries: MixedRows,
    rows: MixedRows,
    visit: Callable[[slice, slice, NDArray[np.float32]], None],
    *,
    threads: int = 1,
) -> None:
    """Show all distances to a function, block by block, so that they never stand in memory at once.

    Parameters
    ----------
    queries, rows : MixedRows
        m and n rows of the same columns.
    visit : callable
        Told which queries, which rows, and their distances of shape (queries, rows) in single
        precision, which it must not keep. Blocks of the same queries come one after the other, in
        the order of the rows; blocks of different queries may come at once.
    threads : int
        How many threads share the queries.
    """
    left, right = _Columns(queries), _Columns(rows)
    share = np.float32(1 / max(1, queries.n_columns))

    def run(start: int, stop: int, scratch: _Scratch) -> None:
        for first in range(0, right.n, _ROWS):
            last = min(first + _ROWS, right.n)
            total = _totals(left, right, start, stop, first, last, scratch)
            np.multiply(total, share, out=total)
            visit(slice(start, stop), slice(first, last), total)

    _over_queries(run, len(queries), threads)


def distinct_rows(
    rows: MixedRows,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Find the rows that differ, where so many are equal that it pays to look at each once.

    Returns
    -------
    firsts : ndarray of int, shape (d,)
        Position of the first of each set of equal rows, ascending.
    sizes : ndarray of int, shape (d,)
        Number of rows in each set.
    members : ndarray of int, shape (n,)
        The rows of the first set in ascending order, then those of the second, and so on.
    """
    n = len(rows)
    keys = np.zeros(n, dtype=np.int64)
    distinct = 1
    for column in (*rows.codes.T, *rows.numbers.T):
        _, codes = np.unique(column, return_inverse=True)
        # Both factors are at most n, so the product fits.
        _, keys = np.unique(keys * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
        distinct = int(keys.max(initial=0)) + 1
        if 2 * distinct > n:
            all_rows = np.arange(n)
            return all_rows, np.ones(n, dtype=np.intp), all_rows
    _, firsts, codes = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(firsts)  # keys sorted by where each is met first
    places = np.empty(distinct, dtype=np.intp)
    places[order] = np.arange(distinct)
    sets = places[codes]
    return firsts[order], np.bincount(sets, minlength=distinct), np.argsort(sets, kind="stable")


def _expand(
    distances: NDArray[np.float64],
    sets: NDArray[np.intp],
    k: int,
    sizes: NDArray[np.intp],
    members: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Give the k nearest rows from the nearest sets of equal rows."""
    starts = np.cumsum(sizes) - sizes
    # Of each set no more than k rows can be among the nearest: k slots, most of them empty.
    taken = np.minimum(sizes, k)[sets]
    slots = np.arange(k)
    filled = slots < taken[..., None]
    rows = members[np.where(filled, starts[sets][..., None] + slots, 0)]
    # Named, since an empty array does not tell its width.
    shape = len(sets), sets.shape[1] * k
    spread = np.where(filled, distances[..., None], np.inf).reshape(shape)
    rows = rows.reshape(shape)
    # Rows at the same distance in their own order, also where they are of different sets.
    order = np.lexsort((rows, spread), axis=-1)[:, :k]
    return np.take_along_axis(spread, order, 1), np.take_along_axis(rows, order, 1)


class _Columns:
    """The columns of a table, each in one piece, as the blocks need them."""

    def __init__(self, rows: MixedRows) -> None:
        self.n = len(rows)
        self.exact = np.where(np.isnan(rows.numbers), _ABSENT, rows.numbers)
        self.absent = np.asarray(np.isnan(rows.numbers).any(axis=0))
        self.numbers = np.ascontiguousarray(self.exact.T, dtype=np.float32)
        largest = int(rows.codes.max(initial=0))
        kind = np.uint8 if largest < 255 else np.uint32
        self.codes = np.ascontiguousarray((rows.codes + 1).T, dtype=kind)


class _Scratch:
    """Arrays that a thread uses again for each block."""

    def __init__(self) -> None:
        size = _QUERIES * _ROWS
        self.total, self.difference = np.empty((2, size), dtype=np.float32)
        self.mismatches = np.empty(size, dtype=np.uint8)
        self.unequal = np.empty(size, dtype=np.bool_)


def _totals(
    left: _Columns,
    right: _Columns,
    start: int,
    stop: int,
    first: int,
    last: int,
    scratch: _Scratch,
) -> NDArray[np.float32]:
    """Give the sums over columns of the distances of some queries to some rows."""
    shape = stop - start, last - first
    size = shape[0] * shape[1]
    total, difference = (
        array[:size].reshape(shape) for array in (scratch.total, scratch.difference)
    )
    total.fill(0)
    for column in range(len(left.numbers)):
        query = left.numbers[column, start:stop, None]
        np.subtract(query, right.numbers[column, first:last], out=difference)
        np.abs(difference, out=difference)
        if left.absent[column] or right.absent[column]:
            np.minimum(difference, 1, out=difference)
        np.add(total, difference, out=total)
    kind = np.promote_types(left.codes.dtype, right.codes.dtype)
    unequal: NDArray[np.bool_] = scratch.unequal[:size].reshape(shape)
    mismatches = scratch.mismatches[:size].reshape(shape)
    for begin in range(0, len(left.codes), _MOST_CODES):
        mismatches.fill(0)
        for column in range(begin, min(begin + _MOST_CODES, len(left.codes))):
            query = left.codes[column, start:stop, None].astype(kind)
            np.not_equal(query, right.codes[column, first:last], out=unequal)
            np.add(mismatches, unequal.view(np.uint8), out=mismatches)
        np.add(total, mismatches, out=total)
    return total


class _Search:
    """The k nearest rows of each query, found block by block."""

    def __init__(self, queries: MixedRows, rows: MixedRows, k: int) -> None:
        self.left, self.right = _Columns(queries), _Columns(rows)
        self.queries, self.rows, self.k = queries, rows, k
        self.distances = np.empty((len(queries), k))
        self.positions = np.empty((len(queries), k), dtype=np.intp)
        columns = max(1, queries.n_columns)
        # What single precision may be off by in a sum of so many terms, with room to spare.
        self.slack = np.float32((columns + 2) * 2.0**-21)
        # Some rows spread evenly over all tell how near the k-th nearest is at most.
        n = len(rows)
        step = max(1, n // max(_FIRST_ROWS, 8 * k))
        self.sample = _Columns(rows.take(np.arange(0, n, step)))

    def run(self, start: int, stop: int, scratch: _Scratch) -> None:
        """Search for some of the queries."""
        k, n = self.k, self.right.n
        reach = self._first_reach(start, stop, scratch)
        found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
        for first in range(0, n, _ROWS):
            last = min(first + _ROWS, n)
            total = _totals(self.left, self.right, start, stop, first, last, scratch)
            query, row = np.nonzero(total <= reach[:, None])
            if not len(query):
                continue
            row += first
            found.append((query, row, self._exact(start + query, row)))
            if len(found) > 1 or last == n:
                found = [_smallest(found, k)]
                self._shrink(reach, found[0])
        query, row, distance = _smallest(found, k)
        place = np.arange(len(query)) - np.searchsorted(query, query)
        self.distances[start + query, place] = distance / max(1, self.queries.n_columns)
        self.positions[start + query, place] = row

    def _first_reach(self, start: int, stop: int, scratch: _Scratch) -> NDArray[np.float32]:
        """Give a distance within which each query has k rows, from a sample of them."""
        totals = [
            _totals(self.left, self.sample, start, stop, first, last, scratch).copy()
            for first in range(0, self.sample.n, _ROWS)
            for last in [min(first + _ROWS, self.sample.n)]
        ]
        total = np.concatenate(totals, axis=1)
        reach = np.partition(total, self.k - 1, axis=1)[:, self.k - 1]
        return np.asarray(reach + self.slack)

    def _shrink(
        self,
        reach: NDArray[np.float32],
        found: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]],
    ) -> None:
        """Lower the reach of those queries that have k rows already."""
        query, _, distance = found
        counts = np.bincount(query, minlength=len(reach))
        full = np.flatnonzero(counts >= self.k)
        ends = np.cumsum(counts)[full] - 1
        np.minimum.at(reach, full, (distance[ends] + self.slack).astype(np.float32))

    def _exact(self, query: NDArray[np.intp], row: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give sums over columns in double precision, in the order of the columns."""
        total = np.zeros(len(query))
        for column in range(self.left.exact.shape[1]):
            values = self.left.exact[query, column], self.right.exact[row, column]
            total += np.minimum(np.abs(values[0] - values[1]), 1)
        unequal = self.queries.codes[query] != self.rows.codes[row]
        # Sums of the same terms in another order are the same distance.
        return np.asarray(np.round(total + unequal.sum(axis=1), 12))


def _smallest(
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]], k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Keep the k smallest of each query, in order; the first rows where distances are equal."""
    query, row, distance = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((row, distance, query))
    query, row, distance = query[order], row[order], distance[order]
    keep = np.arange(len(query)) - np.searchsorted(query, query) < k
    return query[keep], row[keep], distance[keep]


def _over_queries(run: Callable[[int, int, _Scratch], None], n: int, threads: int) -> None:
    """Work through the queries in blocks, which threads take in turn."""
    starts = range(0, n, _QUERIES)

    def work(mine: range) -> None:
        scratch = _Scratch()
        for start in mine:
            run(start, min(start + _QUERIES, n), scratch)

    shares = [starts[part::threads] for part in range(min(threads, len(starts)))]
    if len(shares) <= 1:
        for share in shares:
            work(share)
        return
    with ThreadPoolExecutor(len(shares)) as pool:
        for done in pool.map(work, shares):
            assert done is None
