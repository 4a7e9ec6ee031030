"""Digests of plain values and of the containers that data comes in.

A digest is the same in every process; every value is tagged with its type, so that 1, 1.0, True
and "1" differ.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["UndigestibleError", "combine", "digest_data", "digest_scalar", "digest_sequence"]

_SINGLETONS = {None: "None", Ellipsis: "Ellipsis", NotImplemented: "NotImplemented"}


class UndigestibleError(Exception):
    """Something has no value that could be told from another; the message says what."""


def combine(tag: str, *parts: bytes) -> bytes:
    """Join digests or other bytes under a tag.

    Parameters
    ----------
    tag : str
        What the parts are.
    *parts : bytes
        In an order that counts.

    Returns
    -------
    bytes, length 32
        Different for different tags and parts, also for ("ab", "c") and ("a", "bc").
    """
    total = hashlib.sha256()
    for part in (tag.encode("utf-8", "surrogatepass"), *parts):
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.digest()


def digest_scalar(value: Any) -> bytes | None:
    """Digest a number, text or the like; None where it is something else.

    Subclasses count as something else: they may behave differently.
    """
    kind = type(value)
    if kind is str:
        return combine("str", value.encode("utf-8", "surrogatepass"))
    if kind is bool:
        return combine("bool", b"1" if value else b"0")
    if kind is int:
        return combine("int", hex(value).encode())
    if kind is float:
        return combine("float", repr(value).encode())
    if kind is complex:
        return combine("complex", repr(value.real).encode(), repr(value.imag).encode())
    if kind is bytes or kind is bytearray:
        return combine(kind.__name__, bytes(value))
    if isinstance(value, np.generic) and not isinstance(value, (np.void, np.object_)):
        return combine("numpy scalar", _array(np.asarray(value), _no_objects))
    if value is None or value is Ellipsis or value is NotImplemented:
        return combine(_SINGLETONS[value])
    return None


def digest_sequence(tag: str, values: Sequence[Any], inner: Callable[[Any], bytes]) -> bytes:
    """Digest a list or tuple in its order.

    Parameters
    ----------
    tag : str
        What it is.
    values : sequence
        What it holds.
    inner : callable
        Digests one of them.

    Returns
    -------
    bytes
        The digest.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        # Thousands of texts and numbers one by one would take seconds.
        lengths = np.array([len(value) for value in values], dtype="<i8")
        text = "".join(values).encode("utf-8", "surrogatepass")
        return combine(tag, b"str", lengths.tobytes(), text)
    if kinds == {float}:
        return combine(tag, b"float", np.array(values, dtype="<f8").tobytes())
    if kinds == {int}:
        try:
            return combine(tag, b"int", np.array(values, dtype="<i8").tobytes())
        except OverflowError:
            pass
    return combine(tag, b"values", *map(inner, values))


def digest_data(value: Any, inner: Callable[[Any], bytes]) -> bytes | None:
    """Digest an array, frame, sparse matrix or tensor; None where it is something else.

    Parameters
    ----------
    value : object
        Anything.
    inner : callable
        Digests what an array of objects holds, names of columns, and the class of the container
        where that is not the library's own.

    Returns
    -------
    bytes or None

    Raises
    ------
    UndigestibleError
        If it holds what has no value.
    """
    # What stands in it can only come from a library that has been imported already.
    pandas, sparse = sys.modules.get("pandas"), sys.modules.get("scipy.sparse")
    torch = sys.modules.get("torch")
    if isinstance(value, (np.ndarray, np.void)):
        body = _array(np.asarray(value), inner)
        if isinstance(value, np.ma.MaskedArray):
            mask = _array(np.ma.getmaskarray(value), inner)
            body = combine("masked", body, mask, inner(value.fill_value))
    elif pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series, pandas.Index)):
        body = _pandas(value, inner)
    elif pandas is not None and isinstance(value, pandas.api.extensions.ExtensionArray):
        body = _column(pandas.Series(value), inner)
    elif sparse is not None and sparse.issparse(value):
        body = _sparse(value, inner)
    elif torch is not None and isinstance(value, torch.Tensor):
        body = _tensor(value, torch)
    else:
        return None
    return body if type(value) is np.ndarray else combine("data", inner(type(value)), body)


def _no_objects(value: Any) -> bytes:
    raise UndigestibleError(f"a numpy scalar holds a {type(value).__name__}")


def _array(array: NDArray[Any], inner: Callable[[Any], bytes]) -> bytes:
    dtype, shape = array.dtype, repr(array.shape).encode()
    if dtype.names is not None:
        # Field by field: between the fields there may be bytes that mean nothing.
        fields = [
            part
            for name in dtype.names
            for part in (name.encode(), _array(np.asarray(array[name]), inner))
        ]
        return combine("structured array", shape, *fields)
    if dtype.kind == "O" or dtype.kind == "T":
        cells = digest_sequence("cells", array.ravel().tolist(), inner)
        return combine("array", dtype.kind.encode(), shape, cells)
    if dtype.char in "gG":
        # Of the 16 bytes of a long double only ten mean something.
        cells = combine("cells", *(repr(cell).encode() for cell in array.ravel()))
        return combine("array", dtype.str.encode(), shape, cells)
    return combine("array", dtype.str.encode(), shape, array.tobytes())


def _pandas(value: Any, inner: Callable[[Any], bytes]) -> bytes:
    if hasattr(value, "columns"):
        columns = [_column(value.iloc[:, place], inner) for place in range(value.shape[1])]
        labels = [_pandas(value.columns, inner), _pandas(value.index, inner)]
        return combine("frame", *labels, *columns)
    if hasattr(value, "iloc"):
        return combine(
            "series", inner(value.name), _pandas(value.index, inner), _column(value, inner)
        )
    names = inner(list(value.names))
    if hasattr(value, "levels"):
        levels = [
            _column(value.get_level_values(place).to_series(), inner)
            for place in range(value.nlevels)
        ]
        return combine("index", names, *levels)
    return combine("index", names, _column(value.to_series(), inner))


def _column(series: Any, inner: Callable[[Any], bytes]) -> bytes:
    dtype, values = series.dtype, series.array
    name = repr(dtype) if isinstance(dtype, np.dtype) else f"{type(dtype).__name__} {dtype}"
    if isinstance(dtype, np.dtype):
        body = _array(series.to_numpy(), inner)
    elif hasattr(values, "categories"):
        order = b"ordered" if values.ordered else b"unordered"
        codes = _array(np.asarray(values.codes), inner)
        body = combine("categories", _pandas(values.categories, inner), order, codes)
    else:
        missing = np.asarray(series.isna())
        body = combine(
            "missing", np.packbits(missing).tobytes(), _array(_filled(series, missing), inner)
        )
    return combine("column", name.encode("utf-8", "surrogatepass"), body)


def _filled(series: Any, missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Give the values of an extension array, with something fixed where they are missing."""
    dtype = series.dtype
    if hasattr(dtype, "tz"):
        instants: NDArray[Any] = np.asarray(series.array, dtype=f"M8[{dtype.unit}]")
        return instants
    if (
        isinstance(getattr(dtype, "numpy_dtype", None), np.dtype)
        and dtype.numpy_dtype.kind in "biuf"
    ):
        numbers: NDArray[Any] = series.array.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
        return numbers
    cells = np.empty(len(series), dtype=object)
    cells[:] = series.to_numpy(dtype=object)
    # Of the several marks of a missing value each type of column has one, which its name tells.
    cells[missing] = ""
    return cells


def _sparse(value: Any, inner: Callable[[Any], bytes]) -> bytes:
    if value.ndim == 1:
        value = value.reshape(1, -1)
    rows = value.tocsr(copy=True)
    rows.sum_duplicates()
    return combine(
        "sparse",
        repr(value.shape).encode(),
        _array(rows.data, inner),
        rows.indices.astype("<i8").tobytes(),
        rows.indptr.astype("<i8").tobytes(),
    )


def _tensor(value: Any, torch: Any) -> bytes:
    if value.layout is not torch.strided or value.is_quantized or value.device.type == "meta":
        raise UndigestibleError(f"a tensor of layout {value.layout} on {value.device.type}")
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    content = plain.reshape(-1).view(torch.uint8).numpy().tobytes()
    state = (str(value.dtype), tuple(value.shape), value.device.type, bool(value.requires_grad))
    return combine("tensor", repr(state).encode(), content)
