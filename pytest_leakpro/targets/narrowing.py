"""Wide records made narrow: pooled images, random projections, hashed sparse columns.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import as_numpy, is_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["MOST_COLUMNS", "flat_numbers", "hashed_sparse", "pooled", "projected"]

MOST_COLUMNS = 512
"""Records with more columns are made narrow."""

_NARROW = 256
_BLOCK = 1 << 23  # values at a time, so that copies of large images stay small
_FITTED_ROWS = 4096  # enough to tell a column's scale
_SEED = 0  # the projection must not differ from one session to the next


def flat_numbers(block: Any) -> NDArray[np.float64]:
    """Flatten an array or a tensor of n numeric records to shape (n, d)."""
    array = as_numpy(block) if is_tensor(block) else np.asarray(block)
    flat = array.reshape(len(array), -1)
    if flat.dtype.kind == "c":
        flat = np.hstack([flat.real, flat.imag])
    return flat.astype(np.float64)


def _blocks(inputs: Any) -> Iterator[NDArray[np.float64]]:
    width = max(1, int(np.prod(inputs.shape[1:], dtype=np.int64)))
    step = max(1, _BLOCK // width)
    for start in range(0, len(inputs), step):
        yield flat_numbers(inputs[start : start + step])


def pooled(inputs: Any) -> NDArray[np.float64]:
    """Average neighbouring values along the longest axes of each record, to at most 256 columns.

    Parameters
    ----------
    inputs : array or tensor, shape (n, ...)
        Records of two axes or more, such as images; a short axis, such as the channels', is kept.

    Returns
    -------
    ndarray of float64, shape (n, d)
        NaN where all that is averaged is missing.
    """
    shape = tuple(map(int, inputs.shape[1:]))
    factors = _pooling_factors(shape)
    parts = []
    for block in _blocks(inputs):
        values = block.reshape(len(block), *shape, -1)  # complex numbers leave a last axis
        if values.shape[-1] > 1:
            values = np.moveaxis(block.reshape(len(block), 2, *shape), 1, -1)
        for axis, factor in enumerate(factors, start=1):
            values = _pool_axis(values, axis, factor)
        parts.append(values.reshape(len(block), -1))
    return np.concatenate(parts)


def _pooling_factors(shape: tuple[int, ...]) -> list[int]:
    """Double the factor of the axis that is longest yet until few enough values are left."""
    factors = [1] * len(shape)
    sizes = list(shape)
    while math.prod(sizes) > _NARROW:
        axis = int(np.argmax(sizes))
        factors[axis] *= 2
        sizes[axis] = -(-shape[axis] // factors[axis])
    return factors


def _pool_axis(values: NDArray[np.float64], axis: int, factor: int) -> NDArray[np.float64]:
    if factor == 1:
        return values
    size = values.shape[axis]
    lacking = -size % factor
    if lacking:
        pad = [(0, 0)] * values.ndim
        pad[axis] = (0, lacking)
        values = np.pad(values, pad, constant_values=np.nan)
    cut = [*values.shape[:axis], -1, factor, *values.shape[axis + 1 :]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is NaN, as it should
        return np.asarray(np.nanmean(values.reshape(cut), axis=axis + 1))


def projected(inputs: Any, fitted_on: Any) -> NDArray[np.float64]:
    """Standardise columns and project them at random to 256.

    Parameters
    ----------
    inputs : array or tensor, shape (n, ...)
        More than 256 values to a record.
    fitted_on : array or tensor, shape (m, ...)
        Whence each column's mean and standard deviation are taken.

    Returns
    -------
    ndarray of float64, shape (n, 256)
        Finite: a missing value counts as the column's mean.
    """
    rows = np.unique(
        np.linspace(0, len(fitted_on) - 1, min(len(fitted_on), _FITTED_ROWS)).astype(np.intp)
    )
    if is_tensor(fitted_on):
        known = flat_numbers(fitted_on[rows.tolist()])
    else:
        known = flat_numbers(fitted_on[rows])
    known[~np.isfinite(known)] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column may be missing throughout
        centre = np.nan_to_num(np.nanmean(known, axis=0))
        scale = np.nan_to_num(np.nanstd(known, axis=0))
    scale[scale == 0] = 1.0
    width = len(centre)
    directions = np.random.default_rng(_SEED).standard_normal((width, _NARROW))
    directions /= math.sqrt(width)
    parts = []
    for block in _blocks(inputs):
        block[~np.isfinite(block)] = np.nan
        standard = np.clip(np.nan_to_num((block - centre) / scale), -1e3, 1e3)
        parts.append(standard @ directions)
    return np.concatenate(parts)


def hashed_sparse(inputs: Any) -> NDArray[np.float64]:
    """Give a sparse matrix as a dense one, wide ones summed with random signs into 256 columns.

    Parameters
    ----------
    inputs : scipy sparse matrix or array, shape (n, d)

    Returns
    -------
    ndarray of float64, shape (n, min(d, 512)) or (n, 256)
        Finite where it was hashed: missing values count as zero.
    """
    from scipy import sparse

    rows = inputs.tocsr().astype(np.float64)
    width = rows.shape[1]
    if width <= MOST_COLUMNS:
        return np.asarray(rows.toarray())
    rows.data = np.nan_to_num(rows.data)
    rng = np.random.default_rng(_SEED)
    buckets = rng.integers(0, _NARROW, width)
    signs = rng.choice([-1.0, 1.0], width)
    sketch = sparse.csr_matrix((signs, (np.arange(width), buckets)), shape=(width, _NARROW))
    return np.asarray((rows @ sketch).toarray())
