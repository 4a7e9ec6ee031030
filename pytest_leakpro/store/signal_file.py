"""The file of one shadow model's signals: a ``.npy`` array, named by what is in it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["KEY", "file_name", "names_of", "packed", "require_key"]

KEY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"(0|[1-9][0-9]*)-[0-9a-f]{64}\.npy")


def require_key(key: str, index: int) -> None:
    """Check that a key and a number lead nowhere but into the cache; LeakproError otherwise."""
    if not KEY.fullmatch(key) or index < 0:
        raise LeakproError(f"{key!r} is no key of the cache")


def file_name(key: str, index: int, signals: NDArray[Any]) -> str:
    """Give the name that only this array has, as this shadow model's.

    Parameters
    ----------
    key : str
        Hexadecimal digest of all that the signals depend on.
    index : int
        Which shadow model.
    signals : ndarray
        A mapped one is read once, and not copied.
    """
    array = np.ascontiguousarray(signals)
    # With the place, so that a file that was moved to another is not taken for it.
    total = hashlib.sha256(f"{key} {index} {array.dtype.str} {array.shape}\n".encode())
    total.update(array.view(np.uint8).data if array.size else b"")
    return f"{index}-{total.hexdigest()}.npy"


def names_of(index: int | None, names: Iterable[str]) -> list[str]:
    """Give the names that are files of one shadow model, or of any, in a fixed order."""
    return sorted(
        name
        for name in names
        if (match := _NAME.fullmatch(name)) and index in {None, int(match.group(1))}
    )


def packed(signals: NDArray[Any]) -> bytes:
    """Give the content of the file.

    Raises
    ------
    LeakproError
        For objects, which could only be pickled.
    """
    if signals.dtype.hasobject:
        raise LeakproError("the signals of a shadow model are objects, which the cache never keeps")
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(signals), allow_pickle=False)
    return buffer.getvalue()
