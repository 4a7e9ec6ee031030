"""The cells of one column, in whatever container, and records with other cells in it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import (
    as_numpy,
    is_frame,
    is_missing,
    is_sparse,
    is_tensor,
    length,
    take,
)

__all__ = ["cells_of", "with_cell"]


def cells_of(inputs: Any, place: int) -> list[Any]:
    """Give the cells of a column as plain Python values, None where missing.

    Parameters
    ----------
    inputs : container
        n records, each a row.
    place : int
        Where the column stands.

    Raises
    ------
    LeakproError
        Where a cell cannot be compared with others.
    """
    if is_frame(inputs):
        cells = inputs.iloc[:, place].astype(object).tolist()
    elif is_sparse(inputs):
        cells = inputs.tocsc()[:, [place]].toarray()[:, 0].tolist()
    elif is_tensor(inputs):
        cells = as_numpy(inputs[:, place]).tolist()
    elif isinstance(inputs, np.ndarray):
        cells = inputs[:, place].tolist()
    else:
        cells = [_plain(row[place]) for row in inputs]
    found = [None if is_missing(cell) else cell for cell in cells]
    try:
        set(found)
    except TypeError as exc:
        raise LeakproError(
            f"column {place} of the records holds lists or the like, which have no values to guess "
            "among: take a column of single values"
        ) from exc
    return found


def _plain(cell: Any) -> Any:
    if is_tensor(cell):
        cell = as_numpy(cell)
    return cell.item() if isinstance(cell, (np.generic, np.ndarray)) and cell.size == 1 else cell


def with_cell(inputs: Any, place: int, source: Any, position: int) -> Any:
    """Give a copy of records in which all have the same cell in a column.

    Parameters
    ----------
    inputs : container
        n records, which stay as they are.
    place : int
        Where the column stands.
    source : container
        Of the same kind.
    position : int
        Of the record there whose cell is taken.

    Returns
    -------
    container
        Of the same kind. The column keeps its type, unless that cannot hold the cell.
    """
    n = length(inputs)
    if is_frame(inputs):
        cells = take(source, np.full(n, position)).iloc[:, place].array
        kind = inputs.dtypes.iloc[place]
        if cells.dtype != kind:
            try:
                cells = cells.astype(kind)
            except (TypeError, ValueError):  # whole numbers, and the cell is missing
                cells = cells.copy()
        moved = inputs.copy(deep=False)
        moved.isetitem(place, cells)
        return moved
    if is_sparse(inputs):
        rows = inputs.tolil(copy=True)
        rows[:, [place]] = np.full((n, 1), source.tocsr()[position, place])
        return rows.asformat(inputs.format)
    if is_tensor(inputs):
        moved = inputs.clone()
        moved[:, place] = source[position, place]
        return moved
    if isinstance(inputs, np.ndarray):
        moved = np.array(inputs, dtype=np.result_type(inputs.dtype, source.dtype))
        moved[:, place] = source[position, place]
        return moved
    return [_row(row, place, source[position][place]) for row in inputs]


def _row(row: Any, place: int, cell: Any) -> Any:
    if isinstance(row, (list, tuple)):
        return type(row)([*row[:place], cell, *row[place + 1 :]])
    moved = row.clone() if is_tensor(row) else np.array(row)
    moved[place] = cell
    return moved
