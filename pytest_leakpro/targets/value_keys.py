"""Keys of arbitrary Python values that are equal exactly when the values are.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from hashlib import blake2b
from numbers import Number, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy, is_missing, is_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["value_key"]


def value_key(value: Any) -> bytes:
    """Give a key of 16 bytes to a number, text, date, array, or a nesting of them.

    ``1 == 1.0 == True``, ``-0.0 == 0.0``, and missing values equal each other.

    Raises
    ------
    LeakproError
        If the value holds an object of a type that cannot be compared by value.
    """
    return blake2b(_encode(value), digest_size=16).digest()


def _encode(value: Any) -> bytes:
    if is_missing(value):
        return b"-"
    if isinstance(value, str):
        return _tag(b"s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, (bytes, bytearray)):
        return _tag(b"b", bytes(value))
    if isinstance(value, dict):
        items = sorted(_encode(key) + _encode(entry) for key, entry in value.items())
        return _tag(b"d", b"".join(items))
    if isinstance(value, (set, frozenset)):
        return _tag(b"f", b"".join(sorted(map(_encode, value))))
    if isinstance(value, (Number, np.bool_, np.number)):
        return _tag(b"n", _number(value))
    if is_tensor(value):
        value = as_numpy(value)
    if isinstance(value, (list, tuple, np.ndarray)) or hasattr(value, "__array__"):
        return _sequence(value)
    if hasattr(value, "isoformat"):
        return _tag(b"t", str(value.isoformat()).encode())
    raise LeakproError(
        f"X holds objects of type {type(value).__name__}, which cannot be compared by value, so "
        "records that stand on both sides could not be found: give numbers, text, arrays, or "
        "lists and dictionaries of them"
    )


def _tag(mark: bytes, body: bytes) -> bytes:
    # The length keeps ("ab", "c") apart from ("a", "bc").
    return mark + len(body).to_bytes(8, "little") + body


def _number(value: Any) -> bytes:
    if isinstance(value, (complex, np.complexfloating)):
        if value.imag != 0:
            return repr(complex(value) + 0).encode()
        value = value.real
    if isinstance(value, (int, np.integer, np.bool_)):
        return hex(int(value)).encode()
    number = float(value)
    # Whole numbers are written as integers are, which makes 1.0 equal 1 and -0.0 equal 0.
    return (hex(int(number)) if number.is_integer() else number.hex()).encode()


def _sequence(value: Any) -> bytes:
    if isinstance(value, (list, tuple)) and any(is_tensor(item) for item in value):
        return _tag(b"l", b"".join(map(_encode, value)))
    try:
        array = np.asarray(value)
    except ValueError:
        # A ragged nesting of lists.
        return _tag(b"l", b"".join(map(_encode, value)))
    if array.ndim == 0:
        return _encode(array.item())
    floats = _floats(array)
    if floats is not None:
        return _tag(b"a", repr(array.shape).encode() + floats.tobytes())
    items = value if isinstance(value, (list, tuple)) else list(array)
    return _tag(b"l", b"".join(map(_encode, items)))


def _floats(array: NDArray[Any]) -> NDArray[np.float64] | None:
    """Give the numbers and missing values of an array in one form; None if it holds others."""
    if array.dtype.kind == "O":
        cells = array.ravel().tolist()
        if not all(is_missing(cell) or isinstance(cell, (Real, np.bool_)) for cell in cells):
            return None
        try:
            numbers = [np.nan if is_missing(cell) else float(cell) for cell in cells]
        except OverflowError:
            return None
        array = np.asarray(numbers, dtype=np.float64)
    if array.dtype.kind not in "biuf":
        return None
    floats = array.astype(np.float64) + 0.0  # turns -0.0 into 0.0
    floats[np.isnan(floats)] = np.nan
    return floats
