"""Numbers read from records in whatever container, and put back into it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import (
    as_numpy,
    is_frame,
    is_missing,
    is_series,
    is_tensor,
    length,
    row_shape,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["numbers", "numeric_columns", "put_numbers", "stack"]


_FLOAT = np.frompyfunc(lambda value: np.nan if is_missing(value) else float(value), 1, 1)


def numeric_columns(inputs: Any) -> NDArray[np.intp]:
    """Give where the columns that may hold measurements stand."""
    if is_frame(inputs):
        kinds = enumerate(inputs.dtypes)
        return np.array([place for place, kind in kinds if _is_numeric(kind)], dtype=np.intp)
    if isinstance(inputs, np.ndarray) and inputs.dtype == object:
        found = [place for place in range(inputs.shape[1]) if _all_numbers(inputs[:, place])]
        return np.array(found, dtype=np.intp)
    return np.arange(int(np.prod(row_shape(inputs) or ())))


def _is_numeric(kind: Any) -> bool:
    return getattr(kind, "kind", "O") in "iuf" and not isinstance(kind, type)


def _all_numbers(column: NDArray[Any]) -> bool:
    return all(
        isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        for value in column
        if not is_missing(value)
    )


def numbers(inputs: Any, columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give numbers of records in double precision, shape (n, len(columns)), NaN where missing."""
    if is_frame(inputs) or is_series(inputs):
        parts = [inputs.iloc[:, place] for place in columns] if is_frame(inputs) else [inputs]
        read = [part.to_numpy(dtype=np.float64, na_value=np.nan) for part in parts]
        return np.stack(read, axis=1) if read else np.empty((length(inputs), 0))
    array = as_numpy(inputs) if is_tensor(inputs) else inputs
    if isinstance(array, list):
        array = stack(array)
    flat = array.reshape(len(array), -1)
    if flat.dtype == object:
        return np.asarray(_FLOAT(flat[:, columns]), dtype=np.float64)
    if len(columns) == flat.shape[1]:
        return np.asarray(flat, dtype=np.float64)
    return np.asarray(flat[:, columns], dtype=np.float64)


def put_numbers(inputs: Any, columns: NDArray[np.intp], values: NDArray[np.float64]) -> Any:
    """Give a copy of records with other numbers in them.

    Parameters
    ----------
    inputs : container
        n records, which stay as they are.
    columns : ndarray of int, shape (d,)
        Where the numbers go: columns of a frame, else places in the flattened record.
    values : ndarray of shape (n, d)
        The numbers; NaN for missing.

    Returns
    -------
    container
        Of the same kind; whole numbers become floating ones.
    """
    if is_frame(inputs):
        return _frame(inputs, columns, values)
    if is_series(inputs):
        moved = type(inputs)(values[:, 0], index=inputs.index, name=inputs.name)
        return moved.astype(inputs.dtype) if inputs.dtype.kind == "f" else moved
    if isinstance(inputs, list):
        stacked = stack(inputs).astype(np.float64)
        rows = _placed(stacked, columns, values)
        return [_item(row, like) for row, like in zip(rows, inputs, strict=True)]
    if is_tensor(inputs):
        torch = sys.modules["torch"]
        kind = inputs.dtype if inputs.dtype.is_floating_point else torch.float32
        rows = _placed(as_numpy(inputs.to(kind)), columns, values)
        return torch.as_tensor(rows).to(dtype=kind, device=inputs.device)
    floating = inputs.dtype.kind in "fO"
    return _placed(inputs if floating else inputs.astype(np.float64), columns, values)


def stack(items: list[Any]) -> NDArray[Any]:
    """Give a list of records of one shape as one array."""
    return np.asarray([as_numpy(item) if is_tensor(item) else item for item in items])


def _placed(
    array: NDArray[Any], columns: NDArray[np.intp], values: NDArray[np.float64]
) -> NDArray[Any]:
    """Give a copy with numbers put into the flattened records."""
    moved = np.array(array)
    flat = moved.reshape(len(moved), -1)
    flat[:, columns] = values
    return flat.reshape(array.shape)


def _frame(frame: Any, columns: NDArray[np.intp], values: NDArray[np.float64]) -> Any:
    moved = frame.copy(deep=False)
    for place, column in zip(columns.tolist(), values.T, strict=True):
        kind = frame.dtypes.iloc[place]
        floating = isinstance(kind, np.dtype) and kind.kind == "f"
        moved.isetitem(place, column.astype(kind) if floating else _like(column, kind))
    return moved


def _like(column: NDArray[np.float64], kind: Any) -> Any:
    """Give a column its extension type, where it has one that holds missing numbers."""
    if isinstance(kind, np.dtype):
        return column
    import pandas as pd

    return pd.array(column, dtype="Float64")


def _item(row: NDArray[np.float64], like: Any) -> Any:
    if is_tensor(like):
        return sys.modules["torch"].as_tensor(row).to(dtype=like.dtype, device=like.device)
    if isinstance(like, np.ndarray):
        return row.astype(like.dtype) if like.dtype.kind == "f" else row
    if isinstance(like, (list, tuple)):
        return type(like)(row.tolist())
    return float(row)
