"""Texts and sequences of unequal length, counted into hashed buckets.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import as_numpy, is_missing, is_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["bag_columns"]

_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def bag_columns(items: Sequence[Any], buckets: int = 256) -> NDArray[np.float64]:
    """Count what items hold, whatever they are.

    Parameters
    ----------
    items : sequence
        n texts, sequences, arrays or dictionaries, nested as they may be.
    buckets : int
        Into how many columns words and whole numbers are counted, by a hash.

    Returns
    -------
    ndarray of float64, shape (n, buckets + 8)
        Shares of each bucket among an item's words and whole numbers; then how many of these and
        how many fractions there are, and of all numbers mean, minimum, quartiles, and maximum.
        Missing items are NaN throughout, items without a number in what concerns numbers.
    """
    columns = np.full((len(items), buckets + 3 + len(_QUANTILES)), np.nan)
    for row, item in zip(columns, items, strict=True):
        if is_missing(item):
            continue
        counts = np.zeros(buckets)
        numbers: list[NDArray[np.float64]] = []
        fractions = 0
        for leaf in _leaves(item):
            if isinstance(leaf, np.ndarray):
                numbers.append(leaf)
                whole = leaf[np.isfinite(leaf) & (leaf == np.floor(leaf))]
                fractions += len(leaf) - len(whole)
                # A multiplication scatters neighbouring tokens, and is the same everywhere.
                hashed = np.abs(whole).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
                slots = (hashed >> np.uint64(33)) % np.uint64(buckets)
                counts += np.bincount(slots.astype(np.intp), minlength=buckets)
            else:
                counts[zlib.crc32(leaf) % buckets] += 1
        total = counts.sum()
        row[:buckets] = counts / max(total, 1)
        row[buckets], row[buckets + 1] = total, fractions
        values = np.concatenate(numbers) if numbers else np.empty(0)
        values = values[np.isfinite(values)]
        if len(values):
            row[buckets + 2] = values.mean()
            row[buckets + 3 :] = np.quantile(values, _QUANTILES)
    return columns


def _leaves(item: Any) -> Iterator[bytes | NDArray[np.float64]]:
    """Walk an item: words as bytes, numbers as vectors."""
    if isinstance(item, str):
        for word in item.lower().split():
            yield word.encode("utf-8", "surrogatepass")
        return
    if isinstance(item, (bytes, bytearray)):
        yield bytes(item)
        return
    if isinstance(item, dict):
        # The key stands before what it holds, so that equal values of two keys differ.
        for key, entry in sorted(item.items(), key=lambda pair: str(pair[0])):
            yield f"{key}={entry}".encode("utf-8", "surrogatepass")
            yield from _leaves(entry)
        return
    if is_tensor(item):
        item = as_numpy(item)
    if isinstance(item, (list, tuple, set, frozenset)):
        try:
            array = np.asarray(item)
        except (ValueError, TypeError):
            array = np.empty(0, dtype=object)
        if array.dtype.kind not in "biuf":
            for part in item:
                yield from _leaves(part)
            return
        item = array
    if is_missing(item):
        return
    array = np.asarray(item)
    if array.dtype.kind in "biuf":
        yield array.astype(np.float64).ravel()
    elif array.ndim:
        for part in array.ravel().tolist():
            yield from _leaves(part)
    else:
        yield str(item).encode("utf-8", "surrogatepass")
