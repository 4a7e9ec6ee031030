"""Copies of the rows of a table, a little off in every number.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import as_numpy, is_frame, is_tensor, kind_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["TableNoise", "column_spreads", "has_numbers"]


@dataclass(frozen=True, eq=False)
class TableNoise:
    """Moves all rows by the same step.

    Attributes
    ----------
    step : ndarray of shape (d,)
        How far each of the numeric columns is moved, in its own units. Whole numbers are moved to
        the nearest whole number that their type holds, and missing ones stay missing.
    """

    step: NDArray[np.float64]

    def __call__(self, table: Any) -> Any:
        """Give the moved rows, in a container of the same kind."""
        if is_frame(table):
            moved = table.copy()
            for place, step in zip(_numeric(table), self.step, strict=True):
                moved.isetitem(place, _moved(table.iloc[:, place].to_numpy(), step))
            return moved
        if is_tensor(table):
            values = _moved(as_numpy(table), self.step)
            torch = sys.modules["torch"]
            return torch.as_tensor(values, dtype=table.dtype, device=table.device)
        return _moved(table, self.step)


def _moved(values: NDArray[Any], step: Any) -> NDArray[Any]:
    moved = values + step
    if values.dtype.kind in "iu":
        limits = np.iinfo(values.dtype)
        moved = np.clip(np.rint(moved), limits.min, limits.max)
    return np.asarray(moved, dtype=values.dtype)


def has_numbers(table: Any) -> bool:
    """Tell whether this is a table, (n, d), with a numeric column."""
    kind = kind_of(table)
    if kind == "DataFrame":
        return bool(_numeric(table))
    if kind == "array":
        return table.ndim == 2 and table.dtype.kind in "iuf"
    if kind == "tensor":
        name = str(table.dtype)
        return table.ndim == 2 and ("float" in name or "int" in name)
    return False


def column_spreads(view: MembershipView) -> NDArray[np.float64]:
    """Give the standard deviations of the numeric columns over all records that are counted.

    Members and non-members are taken together: who is which plays no part. A column with two
    values or fewer is a mark rather than a number, and has none.

    Returns
    -------
    ndarray of shape (d,)
        In the units of each column, at least 0.
    """
    sides = [_numbers(view.records(side).inputs) for side in ("members", "nonmembers")]
    spreads = []
    for columns in zip(*sides, strict=True):
        values = np.concatenate(columns)
        known = values[np.isfinite(values)]
        marks = known.size == 0 or bool(np.isin(known, [known.min(), known.max()]).all())
        spreads.append(0.0 if marks else float(known.std()))
    return np.array(spreads)


def _numbers(table: Any) -> list[NDArray[np.float64]]:
    if is_frame(table):
        return [table.iloc[:, place].to_numpy(dtype=np.float64) for place in _numeric(table)]
    values = as_numpy(table) if is_tensor(table) else table
    return list(np.asarray(values, dtype=np.float64).T)


def _numeric(frame: Any) -> list[int]:
    """Give the places of the numeric columns of a frame that numpy can hold."""
    return [
        place
        for place, dtype in enumerate(frame.dtypes)
        if isinstance(dtype, np.dtype) and dtype.kind in "iuf"
    ]
