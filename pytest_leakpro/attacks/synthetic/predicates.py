"""Predicates on the columns of a table, and how many rows each holds for.

A condition is an interval of ranks: the distinct values of a column over all tables are numbered,
so that equality, at least and at most, and being missing, are one comparison.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.mixed_table import MixedTable

__all__ = ["Predicates", "RankedColumns", "RankedTable", "join_predicates", "matches"]

_SCATTERED = 4  # how much longer it takes to look up a value than to pass over it


@dataclass(frozen=True, repr=False, eq=False)
class Predicates:
    """Conjunctions of conditions.

    Attributes
    ----------
    columns : ndarray of int, shape (p, c)
        Which columns the conditions are on.
    low, high : ndarray of int64, shape (p, c)
        A row fulfils a condition where the rank of its value is in [low, high].
    """

    columns: NDArray[np.intp]
    low: NDArray[np.int64]
    high: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"Predicates({len(self)})"

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Predicates:
        """Give some of them."""
        return Predicates(self.columns[which], self.low[which], self.high[which])

    def cut(self, widths: NDArray[np.intp]) -> Predicates:
        """Keep only the first conditions of each, at least one."""
        # What is left out repeats the first, which changes nothing.
        place = np.arange(self.columns.shape[1])
        place = np.where(place < widths[:, None], place, 0)[:, : int(widths.max(initial=1))]
        return Predicates(
            *(np.take_along_axis(part, place, 1) for part in (self.columns, self.low, self.high))
        )


def join_predicates(parts: Sequence[Predicates]) -> Predicates:
    """Put predicates of different numbers of conditions into one set."""
    width = max(part.columns.shape[1] for part in parts)

    def widened(array: NDArray[Any]) -> NDArray[Any]:
        lacking = width - array.shape[1]
        return np.hstack([array, np.repeat(array[:, -1:], lacking, axis=1)])

    return Predicates(
        np.concatenate([widened(part.columns) for part in parts]),
        np.concatenate([widened(part.low) for part in parts]),
        np.concatenate([widened(part.high) for part in parts]),
    )


class RankedColumns:
    """The columns of several tables with their values as ranks over all of these.

    Parameters
    ----------
    tables : mapping of str to MixedTable
        Coded alike.
    columns : sequence
        Which columns, in the order of their numbers in predicates.

    Attributes
    ----------
    tables : dict of RankedTable
        Each table.
    top : ndarray of int64, shape (p,)
        The largest rank of a value that is not missing; a missing one has the next.
    ordered : ndarray of bool, shape (p,)
        Whether at least and at most mean something.
    """

    def __init__(self, tables: dict[str, MixedTable], columns: Sequence[Hashable]) -> None:
        first = next(iter(tables.values()))
        self.ordered = np.array([first.kinds[name] != "category" for name in columns], dtype=bool)
        ends = np.cumsum([len(table) for table in tables.values()])
        ranked, tops = [], []
        for name in columns:
            values = np.concatenate([table.values[name] for table in tables.values()])
            missing = np.concatenate([table.missing(name) for table in tables.values()])
            ranks = np.empty(len(values), dtype=np.int64)
            distinct, ranks[~missing] = np.unique(values[~missing], return_inverse=True)
            ranks[missing] = len(distinct)
            ranked.append(np.split(ranks, ends[:-1]))
            tops.append(len(distinct) - 1)
        self.top = np.array(tops, dtype=np.int64)
        # Ranks of 16 bits are sorted by counting.
        kind = np.uint16 if self.top.max(initial=0) < 65_534 else np.uint32
        self.tables = {
            table: RankedTable(np.array([column[place] for column in ranked], dtype=kind), self.top)
            for place, table in enumerate(tables)
        }

    def __repr__(self) -> str:
        return f"RankedColumns({len(self.top)} columns)"


class RankedTable:
    """One table, in which the rows that fulfil a condition lie side by side.

    Parameters
    ----------
    ranks : ndarray of unsigned int, shape (p, n)
        Its columns.
    top : ndarray of int64, shape (p,)
        The largest rank of each that is not missing.

    Attributes
    ----------
    ranks, top
        As given.
    """

    def __init__(self, ranks: NDArray[np.unsignedinteger], top: NDArray[np.int64]) -> None:
        self.ranks, self.top = ranks, top
        self._order = [np.argsort(column, kind="stable").astype(np.int32) for column in ranks]
        self._before = [
            [0, *np.cumsum(np.bincount(column, minlength=int(most) + 2)).tolist()]
            for column, most in zip(ranks, top, strict=True)
        ]

    def __len__(self) -> int:
        return int(self.ranks.shape[1])

    def __repr__(self) -> str:
        return f"RankedTable({len(self)} rows)"

    def take(self, rows: NDArray[np.intp]) -> RankedTable:
        """Give some of the rows as a table."""
        return RankedTable(np.ascontiguousarray(self.ranks[:, rows]), self.top)

    def holding(
        self, columns: Sequence[int], low: Sequence[int], high: Sequence[int]
    ) -> NDArray[Any]:
        """Give the rows that fulfil all of some conditions.

        Parameters
        ----------
        columns, low, high : sequence of int
            The conditions, at least one; see `Predicates`.
        """
        sizes = [
            self._before[column][most + 1] - self._before[column][least]
            for column, least, most in zip(columns, low, high, strict=True)
        ]
        places = sorted(range(len(sizes)), key=sizes.__getitem__)
        rows: NDArray[Any]
        first = places.pop(0)
        if places and _SCATTERED * sizes[first] > len(self):
            # To look at all rows in turn is faster than to look up many here and there.
            second = places.pop(0)
            holds = self._within(columns[first], low[first], high[first])
            holds &= self._within(columns[second], low[second], high[second])
            rows = np.flatnonzero(holds)
        else:
            start = self._before[columns[first]][low[first]]
            rows = self._order[columns[first]][start : start + sizes[first]]
        for place in places:
            if not len(rows):
                break
            rows = self.narrowed(rows, columns[place], low[place], high[place])
        return rows

    def _within(self, column: int, low: int, high: int) -> NDArray[np.bool_]:
        kind = self.ranks.dtype.type
        # Below the interval the difference wraps round to a large number.
        found: NDArray[np.bool_] = self.ranks[column] - kind(low) <= kind(high - low)
        return found

    def narrowed(self, rows: NDArray[Any], column: int, low: int, high: int) -> NDArray[Any]:
        """Keep those of some rows that fulfil one more condition."""
        kind = self.ranks.dtype.type
        kept: NDArray[Any] = rows[self.ranks[column].take(rows) - kind(low) <= kind(high - low)]
        return kept


def matches(
    predicates: Predicates, table: RankedTable
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Count the rows that each predicate holds for.

    Parameters
    ----------
    predicates : Predicates
        p predicates.
    table : RankedTable
        Where.

    Returns
    -------
    counts : ndarray of int, shape (p,)
        Number of rows.
    rows : ndarray of int, shape (p,)
        One of them; -1 for none.
    """
    counts = np.zeros(len(predicates), dtype=np.intp)
    rows = np.full(len(predicates), -1, dtype=np.intp)
    conditions = zip(
        predicates.columns.tolist(), predicates.low.tolist(), predicates.high.tolist(), strict=True
    )
    for place, (columns, low, high) in enumerate(conditions):
        found = table.holding(columns, low, high)
        counts[place] = len(found)
        if len(found):
            rows[place] = found[0]
    return counts, rows
