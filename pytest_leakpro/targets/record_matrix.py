"""Records as a matrix of numbers, whatever container they came in.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.bags import bag_columns
from pytest_leakpro.targets.containers import (
    as_numpy,
    is_frame,
    is_series,
    is_sparse,
    is_tensor,
    row_shape,
)
from pytest_leakpro.targets.frame_columns import frame_columns
from pytest_leakpro.targets.narrowing import (
    MOST_COLUMNS,
    flat_numbers,
    hashed_sparse,
    pooled,
    projected,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.records import Records

__all__ = ["record_matrix"]

_LARGEST = 1e30


def record_matrix(
    records: Records, fitted_on: Records | None = None, *, labels: bool = True
) -> NDArray[np.float64]:
    """Turn records into a matrix of numbers.

    Numbers stand as they are, dates as seconds, truth values as 0 and 1, categories and short texts
    as codes of the values known from `fitted_on`; long texts and sequences of unequal length are
    counted into hashed buckets. More than 512 columns become at most 256: images by means over
    neighbouring values, sparse columns by sums with random signs, others by a random projection of
    standardised columns, which is the same in every session.

    Parameters
    ----------
    records : Records
        The records to turn.
    fitted_on : Records, optional
        Records of the same kind, from which codes and scales are learned; by default the records
        themselves. Nothing that is scored may stand here.
    labels : bool
        Whether the labels follow as last columns: the class of a classifier, the targets of a
        regressor.

    Returns
    -------
    ndarray of float64, shape (n_records, d)
        NaN where a value is missing, or is none of those in `fitted_on`; else finite.
    """
    known = records if fitted_on is None else fitted_on
    columns = _input_columns(records.inputs, known.inputs)
    if labels:
        columns = np.hstack([columns, _label_columns(records.labels, known.labels)])
    return np.clip(columns, -_LARGEST, _LARGEST)


def _label_columns(labels: NDArray[Any], known: NDArray[Any]) -> NDArray[np.float64]:
    flat = flat_numbers(labels)
    return _narrowed(flat, lambda: flat_numbers(known))


def _narrowed(
    columns: NDArray[np.float64], known: Callable[[], NDArray[np.float64]]
) -> NDArray[np.float64]:
    return columns if columns.shape[1] <= MOST_COLUMNS else projected(columns, known())


def _input_columns(inputs: Any, known: Any) -> NDArray[np.float64]:
    if is_sparse(inputs):
        return hashed_sparse(inputs)
    if isinstance(inputs, list):
        # By what is known alone, so that all sides get the same columns.
        wanted = row_shape(known)
        if wanted is None or not all(_row(item, wanted) is not None for item in known):
            return bag_columns(inputs)
        inputs, known = _stacked(inputs, wanted), _stacked(known, wanted)
    if is_tensor(inputs) or (isinstance(inputs, np.ndarray) and inputs.dtype.kind in "biufc"):
        shape = row_shape(inputs) or ()
        if math.prod(shape) <= MOST_COLUMNS:
            return flat_numbers(inputs)
        return pooled(inputs) if len(shape) > 1 else projected(inputs, known)
    frames = _as_frame(inputs), _as_frame(known)
    return _narrowed(frame_columns(*frames), lambda: frame_columns(frames[1], frames[1]))


def _as_frame(inputs: Any) -> Any:
    import pandas as pd

    if is_frame(inputs):
        return inputs
    if is_series(inputs):
        return inputs.to_frame()
    return pd.DataFrame(inputs.reshape(len(inputs), -1))


def _row(item: Any, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Give one record of a list as numbers; None if it is none of that shape."""
    try:
        row = as_numpy(item) if is_tensor(item) else np.asarray(item)
    except (ValueError, TypeError, OverflowError):
        return None
    return row if row.dtype.kind in "biufc" and row.shape == shape else None


def _stacked(items: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Stack records of a list; those of another shape are missing."""
    rows = [_row(item, shape) for item in items]
    blank = np.full(shape, np.nan)
    return np.stack([blank if row is None else row for row in rows])
