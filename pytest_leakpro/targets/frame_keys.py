"""Keys of the rows of DataFrames, whatever types their columns have.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import is_missing
from pytest_leakpro.targets.value_keys import value_key

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

__all__ = ["frame_keys"]


def frame_keys(frames: Sequence[Any]) -> list[list[Hashable]]:
    """Give every row of every frame a key, equal exactly for equal rows.

    Parameters
    ----------
    frames : sequence of DataFrame
        With the same columns in the same order; their types may differ.

    Returns
    -------
    list of list of int
        One key per row and frame; missing values equal each other.
    """
    import pandas as pd

    sizes = [len(frame) for frame in frames]
    rows = np.zeros(sum(sizes), dtype=np.int64)
    for column in range(frames[0].shape[1]):
        codes = _column_codes([frame.iloc[:, column] for frame in frames])
        # Both factors are at most the number of rows (plus one), so their product fits 64 bits.
        rows, distinct = pd.factorize(rows * (codes.max() + 2) + codes + 1)
        if len(distinct) == len(rows):
            break  # further columns can only tell apart what differs already
    parts = np.split(rows, np.cumsum(sizes)[:-1])
    return [list(part.tolist()) for part in parts]


def _column_codes(columns: Sequence[Any]) -> NDArray[np.int64]:
    """Give numbers to the distinct values of one column over all frames; missing ones get -1."""
    import pandas as pd

    if all(isinstance(c.dtype, np.dtype) and c.dtype.kind in "biuf" for c in columns):
        numbers = np.concatenate([column.to_numpy() for column in columns])
        if numbers.dtype == np.float16:
            numbers = numbers.astype(np.float32)
        return np.asarray(pd.factorize(numbers)[0], dtype=np.int64)
    objects = np.concatenate([column.to_numpy(dtype=object) for column in columns])
    try:
        return np.asarray(pd.factorize(objects)[0], dtype=np.int64)
    except TypeError:
        # Cells that hold lists or arrays cannot be looked up, their keys can.
        keys = [None if is_missing(cell) else value_key(cell) for cell in objects]
        packed = np.empty(len(keys), dtype=object)
        packed[:] = keys
        return np.asarray(pd.factorize(packed)[0], dtype=np.int64)
