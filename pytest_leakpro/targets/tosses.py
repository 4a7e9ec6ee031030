"""Which canaries are inserted: the toss of a coin each, remembered in a file.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.store.atomic import write_bytes
from pytest_leakpro.targets.records import MINIMUM

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["check_seed", "toss"]

_FORMAT = 1


def toss(
    n: int, seed: int, truth: str | PathLike[str] | None, digest: Callable[[], str]
) -> NDArray[np.bool_]:
    """Toss a coin for each canary.

    Parameters
    ----------
    n : int
        How many canaries.
    seed : int
        What the tosses follow from.
    truth : path or None
        A file that remembers them: written where it does not exist, else read.
    digest : callable
        Gives what tells these canaries from others; asked for where there is a file.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    LeakproError
        Where there are fewer than 10 canaries, or the file is damaged or of others.
    """
    if n < MINIMUM:
        raise LeakproError(
            f"canaries: {n} are too few: with fewer than {MINIMUM} no bound says anything; a "
            "useful audit takes a thousand"
        )
    tossed = derive_rng(seed, "canaries", "included").random(n) < 0.5
    return tossed if truth is None else _remembered(Path(truth), tossed, digest())


def check_seed(seed: Any) -> int:
    """Give a seed, or say that it is none."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise LeakproError("canaries: seed is a whole number of at least 0")
    return int(seed)


def _remembered(path: Path, tossed: NDArray[np.bool_], digest: str) -> NDArray[np.bool_]:
    """Give the tosses of a file, which is written where there is none."""
    if not path.exists():
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            allow_pickle=False,
            format=np.array(_FORMAT),
            digest=np.array(digest),
            included=np.packbits(tossed),
        )
        write_bytes(path, buffer.getvalue())
        return tossed
    n = len(tossed)
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            known, packed = str(file["digest"]), file["included"]
            included = np.unpackbits(packed, count=n).astype(bool)
            damaged = int(file["format"]) != _FORMAT or len(packed) != math.ceil(n / 8)
    except Exception as error:  # a damaged archive fails in many ways
        raise LeakproError(
            f"the truth about canaries in {path.name} cannot be read: train again with canaries "
            "of a new file, since nobody knows any more which were inserted"
        ) from error
    if known != digest or damaged:
        raise LeakproError(
            f"the file {path.name} tells the truth about other canaries: give the records, the "
            "number and the seed that it was written with, or another file"
        )
    return included
