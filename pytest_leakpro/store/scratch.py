"""Arrays that may be larger than memory, in files without a name that end with the process.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

__all__ = ["scratch_array"]

# Below it a file would cost more than it saves.
_SMALL = 64 << 20


def scratch_array(
    shape: tuple[int, ...], dtype: DTypeLike, folder: Path | None = None
) -> NDArray[Any]:
    """Give an array to be filled: in memory where it is small, else mapped from a file.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
        Without objects.
    folder : Path, optional
        Where there is room for the file, if there is; by default the system's for such files.

    Returns
    -------
    ndarray
        With any values in it. Nobody else can open its file, which ends with it. In memory after
        all where the disk has no room.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > _SMALL:
        with suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), size)
            return np.memmap(file, dtype=dtype, mode="r+", shape=shape)
    return np.empty(shape, dtype)


def _reserve(descriptor: int, size: int) -> None:
    """Take the room now: a write into a map that finds the disk full kills the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)
