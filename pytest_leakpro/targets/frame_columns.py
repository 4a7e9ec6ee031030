"""The columns of a DataFrame as numbers, by the values that other records of its kind hold.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.bags import bag_columns
from pytest_leakpro.targets.containers import is_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["frame_columns"]

_MOST_VALUES = 1000  # a text column with more of them is read word by word
_BUCKETS = 32


def frame_columns(frame: Any, known: Any) -> NDArray[np.float64]:
    """Turn each column of a frame into numbers.

    Parameters
    ----------
    frame : DataFrame
        n rows.
    known : DataFrame
        With the same columns; gives the values that categories and texts are coded by.

    Returns
    -------
    ndarray of float64, shape (n, d)
        One column each, or a fixed number of them for long texts and for cells that hold
        sequences. NaN where a value is missing or not known.
    """
    parts = [_column(frame.iloc[:, index], known.iloc[:, index]) for index in range(frame.shape[1])]
    return np.hstack([part.reshape(len(frame), -1) for part in parts])


def _column(column: Any, known: Any) -> NDArray[np.float64]:
    """Read by the kind of the known column, so that all frames get the same columns."""
    import pandas as pd

    types = pd.api.types
    if types.is_object_dtype(known.dtype):
        known = known.infer_objects()
    if types.is_bool_dtype(known.dtype) or types.is_numeric_dtype(known.dtype):
        if types.is_complex_dtype(known.dtype):
            values = column.to_numpy(dtype=complex)
            return np.column_stack([values.real, values.imag])
        if not types.is_numeric_dtype(column.dtype):
            column = pd.to_numeric(column.astype(object), errors="coerce")
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if types.is_datetime64_any_dtype(known.dtype):
        dates = pd.to_datetime(column.astype(object), errors="coerce", utc=True)
        return _seconds(dates.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]"))
    if types.is_timedelta64_dtype(known.dtype):
        spans = pd.to_timedelta(column.astype(object), errors="coerce")
        return _seconds(spans.to_numpy(dtype="timedelta64[ns]"))
    if isinstance(known.dtype, pd.CategoricalDtype):
        return _codes(column, list(known.cat.categories))
    return _objects(column, known)


def _seconds(times: NDArray[Any]) -> NDArray[np.float64]:
    seconds = times.astype(np.int64) / 1e9
    seconds[np.isnat(times)] = np.nan
    return np.asarray(seconds)


def _codes(column: Any, values: list[Any]) -> NDArray[np.float64]:
    codes = {value: float(code) for code, value in enumerate(values)}
    return np.array([codes.get(cell, np.nan) for cell in _cells(column)])


def _cells(column: Any) -> list[Any]:
    cells: list[Any] = column.astype(object).tolist()
    return [None if is_missing(cell) else cell for cell in cells]


def _objects(column: Any, known: Any) -> NDArray[np.float64]:
    cells = [cell for cell in _cells(known) if cell is not None]
    try:
        distinct = set(cells)
    except TypeError:
        return bag_columns(_cells(column), _BUCKETS)
    # Texts that are all but unique say nothing as codes: the next ones are not among them.
    texts = all(isinstance(cell, str) for cell in cells)
    if texts and len(distinct) > min(_MOST_VALUES, max(len(cells) / 2, 10)):
        return bag_columns(_cells(column), _BUCKETS)
    try:
        ordered = sorted(distinct)
    except TypeError:
        ordered = sorted(distinct, key=lambda cell: (type(cell).__name__, str(cell)))
    try:
        return _codes(column, ordered)
    except TypeError:  # a cell here holds a list, where none did there
        return np.array([np.nan] * len(column))
