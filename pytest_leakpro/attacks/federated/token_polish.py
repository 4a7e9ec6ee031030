"""Changing texts token by token where their update then matches better.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["polished"]

_SWEEPS = 100
_PATIENCE = 3
_CLEARLY = 1 - 1e-4
_EXACT = 1e-9


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
    A change swaps two tokens of the batch, replaces one, or moves one to another place of its text.
    """
    best, lowest = texts, float(distance(texts[None])[0])
    idle = 0
    for _ in range(_SWEEPS):
        if lowest < _EXACT or idle == _PATIENCE or over():
            break
        changes = _changes(best.shape, candidates)
        complete = len(changes) <= most
        if not complete:
            chosen = rng.choice(len(changes), size=most, replace=False)
            changes = [changes[place] for place in chosen]
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
    shape: tuple[int, ...], candidates: NDArray[np.intp]
) -> list[tuple[str, int, int]]:
    n, length = shape
    places = range(n * length)
    swaps = [("swap", one, two) for one, two in combinations(places, 2)]
    replaced = [("replace", one, int(token)) for one in places for token in candidates]
    moves = [
        ("move", row * length + one, row * length + two)
        for row in range(n)
        for one in range(length)
        for two in range(length)
        if abs(one - two) > 1  # neighbours are swapped above
    ]
    return swaps + replaced + moves


def _changed(texts: NDArray[np.intp], change: tuple[str, int, int]) -> NDArray[np.intp]:
    kind, one, two = change
    flat = texts.reshape(-1).copy()
    if kind == "swap":
        flat[[one, two]] = flat[[two, one]]
    elif kind == "replace":
        flat[one] = two
    else:
        flat = np.insert(np.delete(flat, one), two, flat[one])
    return flat.reshape(texts.shape)
