"""Records as numbers that can be moved, and back into the container that the user gave.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import (
    is_frame,
    is_sparse,
    is_tensor,
    length,
    row_shape,
    take,
)
from pytest_leakpro.targets.record_numbers import (
    numbers,
    numeric_columns,
    put_numbers,
    stack,
)
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["Movable", "is_image", "movable", "movable_of", "perturbed", "unmovable"]

_CELLS = 1 << 22  # numbers that are brought into double precision at a time


@dataclass(frozen=True, repr=False, eq=False)
class Movable:
    """The d numbers of a record that may be moved; all else of it stays.

    Of a table these are the numeric columns with three values or more: a model that is asked about
    a yes-or-no column at 0.37 is asked about no possible record. Of an image they are its pixels.

    Attributes
    ----------
    columns : ndarray of int, shape (d,)
        Where they stand: columns of a frame, else places in the flattened record.
    scale : ndarray of shape (d,)
        Their unit, above 0: the column's standard deviation; of images one for all pixels.
    low, high : ndarray of shape (d,)
        The range seen; of images one for all pixels.
    middle : ndarray of shape (d,)
        Their mean, which stands for values that are missing.
    """

    columns: NDArray[np.intp]
    scale: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    middle: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"Movable({len(self)})"

    def __len__(self) -> int:
        return len(self.columns)

    def matrix(self, inputs: Any) -> NDArray[np.float64]:
        """Give the numbers of n records in their own units, shape (n, d); none is NaN."""
        values = numbers(inputs, self.columns)
        return np.where(np.isnan(values), self.middle, values)

    def missing(self, inputs: Any) -> NDArray[np.bool_]:
        """Tell which numbers are missing, shape (n, d): these stay missing wherever they go."""
        return np.isnan(numbers(inputs, self.columns))

    def clip(self, matrix: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keep numbers within the range seen, or that of the record itself where it is outside.

        Parameters
        ----------
        matrix, start : ndarray of shape (n, d)
            The moved numbers, and the records' own.
        """
        return np.clip(matrix, np.minimum(self.low, start), np.maximum(self.high, start))

    def rebuild(self, inputs: Any, matrix: NDArray[np.float64]) -> Any:
        """Put moved numbers into records.

        Parameters
        ----------
        inputs : container
            n records, which stay as they are.
        matrix : ndarray of shape (n, d)
            Their numbers, moved.

        Returns
        -------
        container
            Of the same kind; whole numbers become floating ones.
        """
        missing = self.missing(inputs)
        values = np.where(missing, np.nan, matrix) if missing.any() else matrix
        return put_numbers(inputs, self.columns, values)


def movable(sides: Sequence[Records]) -> Movable:
    """Find out what can be moved in records, by all of them alike.

    Ranges and units are symmetric in the records. Where the sides of an audit are given together,
    nothing here knows who is a member: swapping any two records of different sides changes nothing,
    so members and non-members stay as exchangeable as they were.

    Parameters
    ----------
    sides : sequence of Records

    Raises
    ------
    LeakproError
        Where nothing can be moved.
    """
    found = _find([side.inputs for side in sides])
    if isinstance(found, str):
        raise LeakproError(f"records cannot be perturbed: {found}")
    return found


def movable_of(view: MembershipView) -> Movable:
    """Find out what can be moved, by the population where there is one, else by both sides."""
    names = ("population",) if view.has_population else ("members", "nonmembers")
    return movable([view.records(name) for name in names])


def perturbed(
    records: Records, rows: NDArray[np.intp], matrix: NDArray[np.float64], numbers_of: Movable
) -> Records:
    """Give moved copies of records, to ask a model about.

    Parameters
    ----------
    records : Records
    rows : ndarray of int, shape (m,)
        Which record each copy is of.
    matrix : ndarray of shape (m, d)
        The moved numbers.
    numbers_of : Movable
        Says where they go.

    Returns
    -------
    Records
        m of them, with the labels that the records have.
    """
    return replace(
        records,
        inputs=numbers_of.rebuild(take(records.inputs, rows), matrix),
        labels=records.labels[rows],
        units=record_units(len(rows)),
        y=take(records.y, rows),
        positions=records.positions[rows],
    )


def is_image(inputs: Any) -> bool:
    """Tell whether each record has two dimensions or more."""
    shape = row_shape(inputs)
    return shape is not None and len(shape) >= 2


def unmovable(inputs: Any) -> str | None:
    """Say why records cannot be perturbed; None where they can.

    Parameters
    ----------
    inputs : container
    """
    found = _find([inputs])
    return found if isinstance(found, str) else None


def _find(inputs: Sequence[Any]) -> Movable | str:
    """Give what can be moved, or say why nothing can."""
    reason = _other_than_numbers(inputs[0])
    if reason is not None:
        return reason
    columns = numeric_columns(inputs[0])
    seen = _see(inputs, columns)
    return _image(columns, seen) if is_image(inputs[0]) else _table(columns, seen)


def _other_than_numbers(inputs: Any) -> str | None:
    if is_sparse(inputs):
        return "X is a sparse matrix: give a dense one, if it has few columns"
    if is_tensor(inputs):
        torch = sys.modules["torch"]
        if inputs.dtype.is_floating_point or inputs.dtype == torch.uint8:
            return None
        return (
            f"X is a tensor of type {inputs.dtype}, as tokens are, which cannot be moved by a "
            "fraction: give floating numbers if they are measurements"
        )
    if is_frame(inputs):
        if len(numeric_columns(inputs)):
            return None
        return "no column of X is numeric"
    if isinstance(inputs, list):
        if row_shape(inputs) is None:
            return "X is a list of records that differ in shape"
        first = stack(inputs[:1])
        tensors = is_tensor(inputs[0])
        if first.dtype.kind == "f" or (first.dtype.kind in "iu" and not tensors):
            return None
        return "X is a list of something other than numbers"
    kind = inputs.dtype.kind if hasattr(inputs, "iloc") or isinstance(inputs, np.ndarray) else "O"
    if kind in "iuf" or (kind == "O" and isinstance(inputs, np.ndarray) and inputs.ndim == 2):
        return None
    return "X holds something other than numbers"


def _table(columns: NDArray[np.intp], seen: _Seen) -> Movable | str:
    moves = seen.between & np.isfinite(seen.low) & np.isfinite(seen.high) & (seen.variance > 0)
    if not moves.any():
        return "no column of X has three different numbers or more"
    scale = np.sqrt(seen.variance[moves])
    return Movable(columns[moves], scale, seen.low[moves], seen.high[moves], seen.middle[moves])


def _image(columns: NDArray[np.intp], seen: _Seen) -> Movable | str:
    scale = np.sqrt(seen.variance.mean() + seen.middle.var())
    low, high = seen.low.min(), seen.high.max()
    if not (scale > 0 and np.isfinite([low, high]).all()):
        return "X holds infinite numbers, or the same number everywhere"
    same = np.ones(len(columns))
    return Movable(columns, scale * same, low * same, high * same, seen.middle)


@dataclass(frozen=True, repr=False, eq=False)
class _Seen:
    """What was seen of each number: its range, mean and variance, and whether it has two values."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    middle: NDArray[np.float64]
    variance: NDArray[np.float64]
    between: NDArray[np.bool_]


def _see(sides: Sequence[Any], columns: NDArray[np.intp]) -> _Seen:
    shape = len(columns)
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    counts, totals = np.zeros((2, len(sides), shape))
    for place, values in _blocks(sides, columns):
        low = np.fmin(low, np.fmin.reduce(values, axis=0, initial=np.inf))
        high = np.fmax(high, np.fmax.reduce(values, axis=0, initial=-np.inf))
        counts[place] += np.isfinite(values).sum(axis=0)
        totals[place] += np.sum(values, axis=0, where=np.isfinite(values))
    # By side first, so that the sums of two sides are the same to the last bit whichever is first.
    count = np.maximum(counts.sum(axis=0), 1)
    middle = totals.sum(axis=0) / count
    squares, between = np.zeros((len(sides), shape)), np.zeros(shape, dtype=bool)
    for place, values in _blocks(sides, columns):
        squares[place] += np.sum((values - middle) ** 2, axis=0, where=np.isfinite(values))
        between |= np.any((values > low) & (values < high), axis=0)
    return _Seen(low, high, middle, squares.sum(axis=0) / count, between)


def _blocks(
    sides: Sequence[Any], columns: NDArray[np.intp]
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    rows = max(1, _CELLS // max(1, len(columns)))
    for place, side in enumerate(sides):
        for start in range(0, length(side), rows):
            here = np.arange(start, min(start + rows, length(side)))
            yield place, numbers(take(side, here), columns)
