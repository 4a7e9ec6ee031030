"""Changing texts token by token where their update then matches better.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["EXACT", "polished"]

_SWEEPS = 100
_PATIENCE = 3
_CLEARLY = 1 - 1e-4
EXACT = 1e-5  # what rounding leaves of absolute differences


def polished(
    texts: NDArray[np.intp],
    candidates: NDArray[np.intp],
    distance: Callable[[NDArray[np.intp]], NDArray[Any]],
    rng: np.random.Generator,
    *,
    most: int,
    over: Callable[[], bool],
) -> tuple[NDArray[np.intp], float]:
    """Take the best of many small changes, again and again, until none helps.

    Parameters
    ----------
    texts : ndarray of shape (n, length)
        Where to start.
    candidates : ndarray of shape (k,)
        The tokens that may stand there.
    distance : callable
        Gives the distance, at least 0, of each of many batches, of shape (m, n, length).
    rng : numpy.random.Generator
        Draws changes where there are more than can be tried.
    most : int
        How many changes are tried at a time.
    over : callable
        Whether to stop.

    Returns
    -------
    texts : ndarray of shape (n, length)
    distance : float

    Notes
    -----
    A change swaps two tokens of the batch, replaces one, or lets two neighbouring pieces of a text
    change places.
    """
    best, lowest = texts, float(distance(texts[None])[0])
    idle = 0
    for _ in range(_SWEEPS):
        if lowest < EXACT or idle == _PATIENCE or over():
            break
        changes, complete = _changes(best.shape, candidates, rng, most)
        tried = np.stack([_changed(best, change) for change in changes])
        found = distance(tried)
        place = int(np.argmin(found))
        if found[place] < lowest * _CLEARLY:
            best, lowest, idle = tried[place], float(found[place]), 0
        elif complete:
            break
        else:
            idle += 1
    return best, lowest


def _changes(
    shape: tuple[int, ...], candidates: NDArray[np.intp], rng: np.random.Generator, most: int
) -> tuple[list[tuple[int, ...]], bool]:
    """Give changes to try, and whether these are all; else they are drawn, a third of each kind.

    Two numbers are places to be swapped, three (the last of no meaning) a place and its new token,
    four a text and where its two pieces begin and end.
    """
    n, length = shape
    size = n * length
    every = math.comb(size, 2) + size * len(candidates) + n * math.comb(length + 1, 3)
    if every <= most:
        changes: list[tuple[int, ...]] = [*combinations(range(size), 2)]
        changes += [(place, int(token), 0) for place in range(size) for token in candidates]
        changes += [(row, *cuts) for row in range(n) for cuts in combinations(range(length + 1), 3)]
        return changes, True
    changes = []
    for _ in range(-(-most // 3)):
        if size > 1:
            changes.append(tuple(rng.choice(size, size=2, replace=False)))
        changes.append((int(rng.integers(size)), int(rng.choice(candidates)), 0))
        if length > 1:
            cuts = np.sort(rng.choice(length + 1, size=3, replace=False))
            changes.append((int(rng.integers(n)), *cuts))
    return changes, False


def _changed(texts: NDArray[np.intp], change: tuple[int, ...]) -> NDArray[np.intp]:
    found = texts.copy()
    if len(change) == 4:
        row, first, middle, last = change
        found[row, first:last] = np.roll(texts[row, first:last], last - middle)
        return found
    flat = found.reshape(-1)
    if len(change) == 3:
        flat[change[0]] = change[1]
    else:
        flat[list(change)] = flat[list(change)[::-1]]
    return found
