"""Keys of records: equal for records with the same values, whichever side they stand on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import itertools
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import as_numpy, is_series, is_tensor, kind_of, row_shape
from pytest_leakpro.targets.frame_keys import frame_keys
from pytest_leakpro.targets.value_keys import value_key

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

__all__ = ["row_keys"]

_BLOCK_BYTES = 1 << 24


def row_keys(sides: Sequence[Any]) -> list[list[Hashable]]:
    """Give every record of every side a key.

    Parameters
    ----------
    sides : sequence of containers
        All of the same kind, their records of the same shape.

    Returns
    -------
    list of list
        One key per record and side. Two records have the same key exactly when their values are
        equal: ``-0.0 == 0.0``, NaN equals NaN, and numbers compare by value also where the sides
        have different types. Keys of different calls must not be compared.
    """
    kind = kind_of(sides[0])
    if kind in ("DataFrame", "Series"):
        frames = [side.to_frame() if is_series(side) else side for side in sides]
        return frame_keys(frames)
    if kind == "sparse matrix":
        return _sparse_keys(sides)
    if kind == "list":
        arrays = _as_arrays(sides)
        if arrays is None:
            return [[value_key(item) for item in side] for side in sides]
        sides = arrays
    return _dense_keys(sides)


def _as_arrays(sides: Sequence[list[Any]]) -> list[NDArray[Any]] | None:
    """Stack lists of numbers or of numeric rows, which is faster than to walk them."""
    shapes = {row_shape(side) for side in sides}
    if len(shapes) > 1 or None in shapes or isinstance(sides[0][0], (str, bytes, dict)):
        return None
    arrays = []
    for side in sides:
        try:
            array = np.asarray([as_numpy(item) if is_tensor(item) else item for item in side])
        except (ValueError, TypeError, OverflowError):
            return None
        if array.dtype.kind not in "biuf":
            return None
        arrays.append(array)
    return arrays


def _dense_keys(sides: Sequence[Any]) -> list[list[Hashable]]:
    block_of: Callable[[Any], NDArray[Any]] = as_numpy if is_tensor(sides[0]) else np.asarray
    dtype = _common_dtype([block_of(side[:0]).dtype for side in sides])
    if dtype is None:
        return [[value_key(row) for row in block_of(side)] for side in sides]
    return [_hash_rows(side, block_of, dtype) for side in sides]


def _common_dtype(dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any] | None:
    kinds = {dtype.kind for dtype in dtypes}
    if kinds <= set("biufc"):
        common = np.result_type(*dtypes)
        # Extended precision has padding bytes, which differ where the values do not.
        wide = {"g": np.dtype(np.float64), "G": np.dtype(np.complex128)}
        found: np.dtype[Any] = wide.get(common.char, common)
        return found
    if len(kinds) == 1 and kinds <= set("USMm"):
        return np.result_type(*dtypes)
    return None


def _hash_rows(
    side: Any, block_of: Callable[[Any], NDArray[Any]], dtype: np.dtype[Any]
) -> list[Hashable]:
    keys: list[Hashable] = []
    row_bytes = dtype.itemsize * int(np.prod(side.shape[1:], dtype=np.int64))
    # Block by block, so that the copies stay small however large the images are.
    step = max(1, _BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, len(side), step):
        block = block_of(side[start : start + step])
        raw = memoryview(canonical(block, dtype).tobytes())
        width = len(raw) // len(block)
        keys += [
            blake2b(raw[i : i + width], digest_size=16).digest() for i in range(0, len(raw), width)
        ]
    return keys


def canonical(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Copy values into a type, in which equal values then have equal bytes."""
    copied = np.array(values, dtype=dtype, order="C")
    if dtype.kind in "fc":
        copied += 0  # turns -0.0 into 0.0
        copied[np.isnan(copied)] = np.nan
    return copied


def _sparse_keys(sides: Sequence[Any]) -> list[list[Hashable]]:
    dtype = _common_dtype([side.dtype for side in sides])
    keys: list[list[Hashable]] = []
    for side in sides:
        rows = side.tocsr(copy=True)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        rows.sort_indices()
        data = canonical(rows.data, dtype or np.dtype(np.float64))
        columns, bounds = rows.indices.astype(np.int64), rows.indptr.tolist()
        keys.append(
            [
                blake2b(
                    columns[start:stop].tobytes() + data[start:stop].tobytes(), digest_size=16
                ).digest()
                for start, stop in itertools.pairwise(bounds)
            ]
        )
    return keys
