"""Records as numbers, in one of the forms in which a model may keep them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import is_sparse
from pytest_leakpro.targets.row_keys import row_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.artefact_place import Place

__all__ = ["Patterns", "RecordForm", "dense_rows"]

_BLOCK = 1 << 22
ROUNDING = 1e-6
"""How far apart, relatively, numbers may be that were the same before 32 bits were kept."""


@dataclass(frozen=True, repr=False, eq=False)
class Patterns:
    """Which records are equal, and how many of each side.

    Attributes
    ----------
    codes : ndarray of int, shape (n,)
        The pattern of each record.
    first : ndarray of int, shape (p,)
        A record of each pattern.
    counts : ndarray of int, shape (2, p)
        Members and non-members of each pattern.
    turn : ndarray of int, shape (n,)
        How many records of its side and pattern come before each record.
    plain : ndarray of bool, shape (p,)
        Which hold at most two different numbers: those of zeros and ones stand in many an array
        that knows nothing of them.
    """

    codes: NDArray[np.intp]
    first: NDArray[np.intp]
    counts: NDArray[np.intp]
    turn: NDArray[np.intp]
    plain: NDArray[np.bool_]

    @classmethod
    def of(cls, table: Any, n_members: int) -> Patterns:
        """Compare the records of a table, members first."""
        keys = [key for side in row_keys([table[:n_members], table[n_members:]]) for key in side]
        order: dict[Any, int] = {}
        codes = np.fromiter((order.setdefault(key, len(order)) for key in keys), dtype=np.intp)
        first = np.unique(codes, return_index=True)[1]
        sides = np.arange(len(codes)) >= n_members
        both = codes * 2 + sides
        counts = np.bincount(both, minlength=2 * len(order)).reshape(-1, 2).T
        by = np.argsort(both, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(both, minlength=2 * len(order)))])
        turn = np.empty(len(codes), dtype=np.intp)
        turn[by] = np.arange(len(codes)) - starts[both[by]]
        plain = _plain_sparse(table) if is_sparse(table) else _plain(table)
        return cls(codes, first.astype(np.intp), counts.astype(np.intp), turn, plain[first])

    def marked(self, found: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Mark as many records of each side and pattern as were found, shape (n,)."""
        return np.asarray(self.turn < found[self.codes])


@dataclass(frozen=True, repr=False, eq=False)
class RecordForm:
    """The records of both sides as a table of numbers.

    Attributes
    ----------
    name : str
        What was done to the records, for the user; empty for nothing.
    table : ndarray of shape (n, d) or sparse matrix in rows
        Members first, in whatever type of numbers.
    n_members : int
        How many are members.
    patterns : Patterns
        Which of them are equal.
    tolerance : float
        How far apart, relatively, numbers may be that count as equal.
    shift, scale : ndarray of shape (d,) or None
        What is subtracted, and then divided by.
    inside : Place or None
        Where such records may stand; None for anywhere.
    complete : bool
        Whether these are the records as they were given, with nothing left out.
    """

    name: str
    table: Any
    n_members: int
    patterns: Patterns
    tolerance: float = ROUNDING
    shift: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None
    inside: Place | None = None
    complete: bool = False

    def __repr__(self) -> str:
        return f"RecordForm({self.name!r}, shape={self.table.shape})"

    def __len__(self) -> int:
        return int(self.table.shape[0])

    @property
    def width(self) -> int:
        """Numbers per record."""
        return int(self.table.shape[1])

    @property
    def sparse(self) -> bool:
        """Whether most numbers are zeros, which are not kept."""
        return is_sparse(self.table)

    def scaled(
        self, name: str, shift: NDArray[Any], scale: NDArray[Any], tolerance: float
    ) -> RecordForm:
        """Give the same records on another scale; columns without any spread stay as they are."""
        safe = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
        return replace(
            self, name=name, shift=shift, scale=safe, tolerance=tolerance, complete=False
        )

    def columns(self, places: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give some columns of some records, shape (len(rows), len(places))."""
        if self.sparse:
            picked = dense_rows(self.table[:, places], rows)
        else:
            picked = self.table[np.ix_(rows, places)].astype(np.float64)
        return self._scaled(picked, places)

    def rows(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give some records, shape (len(rows), d)."""
        picked = dense_rows(self.table, rows)
        return self._scaled(picked, slice(None))

    def _scaled(self, values: NDArray[np.float64], places: Any) -> NDArray[np.float64]:
        if self.shift is not None:
            values = values - self.shift[places]
        if self.scale is not None:
            values = values / self.scale[places]
        return values

    @cached_property
    def typical(self) -> NDArray[np.float64]:
        """The size that numbers of each column have, shape (d,), 0 where most are 0."""
        if self.sparse:
            return np.zeros(self.width)
        rows = np.linspace(0, len(self) - 1, min(len(self), 2000)).astype(np.intp)
        sizes = np.abs(self.rows(rows))
        sizes[~np.isfinite(sizes)] = 0.0
        return np.asarray(np.median(sizes, axis=0))


def dense_rows(table: Any, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give some rows of a table in double precision."""
    picked = table[rows]
    return np.asarray(picked.toarray() if is_sparse(picked) else picked, dtype=np.float64)


def _plain(table: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the rows that hold at most two different numbers."""
    found = np.empty(len(table), dtype=bool)
    step = max(1, _BLOCK // table.shape[1])
    for start in range(0, len(table), step):
        values = table[start : start + step].astype(np.float64)
        missing = np.isnan(values)
        low = np.where(missing, np.inf, values).min(axis=1, keepdims=True)
        high = np.where(missing, -np.inf, values).max(axis=1, keepdims=True)
        found[start : start + step] = ((values == low) | (values == high) | missing).all(axis=1)
    return found


def _plain_sparse(table: Any) -> NDArray[np.bool_]:
    """Mark the rows whose numbers are all zero or all the same."""
    found = np.ones(table.shape[0], dtype=bool)
    ends = table.indptr
    filled = np.flatnonzero(np.diff(ends))
    if len(filled):
        starts = ends[filled]
        low = np.minimum.reduceat(table.data, starts)
        high = np.maximum.reduceat(table.data, starts)
        found[filled] = low == high
    return found
