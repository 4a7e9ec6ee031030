"""Whether a mechanism remembers earlier calls: then its outputs are not alike.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from pytest_leakpro.mechanisms.outputs import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.mechanisms.outputs import Outputs
    from pytest_leakpro.mechanisms.sampling import Drawn

__all__ = ["memory_found"]

_MOST_COLUMNS = 4


def memory_found(drawn: Drawn, level: float) -> str | None:
    """Look whether outputs depend on what was asked before.

    Outputs of a mechanism without memory can be exchanged with each other. So whether one has some
    property has nothing to do with when it was drawn, with the property of the one before it, nor
    with whose data the call before was about. Each of these is an exact test on a fourfold table.

    Parameters
    ----------
    drawn : Drawn
        Outputs in the order of the calls.
    level : float
        The chance, in (0, 1), that a mechanism without memory is suspected.

    Returns
    -------
    str or None
        What depends on what; None where nothing was found.

    References
    ----------
    Fisher (1935), The logic of inductive inference, Journal of the Royal Statistical Society 98.
    """
    tests = [
        (said, values, other)
        for side, outputs in enumerate((drawn.first, drawn.second))
        for values in _properties(outputs)
        for said, values, other in _tables(values, drawn.order, side)
    ]
    for said, values, other in tests:
        if fourfold_p_value(values, other) <= level / len(tests):
            return said
    return None


def fourfold_p_value(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> float:
    """Give the two-sided p-value, doubled from one side, of two properties being independent.

    Parameters
    ----------
    one, two : numpy.ndarray of bool, shape (n,)
        The properties.
    """
    n, first, second, both = len(one), int(one.sum()), int(two.sum()), int((one & two).sum())
    low, high = max(0, first + second - n), min(first, second)
    counts = np.arange(low, high + 1)
    logs = _log_choose(first, counts) + _log_choose(n - first, second - counts)
    chances = np.exp(logs - _log_choose(n, np.asarray(second)))
    place = both - low
    return float(min(1.0, 2 * min(chances[: place + 1].sum(), chances[place:].sum())))


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def _properties(outputs: Outputs) -> Iterator[NDArray[np.bool_]]:
    """Give properties of outputs that do not depend on their order, nor hold for few."""
    keys = outputs.keys()
    ranked = Counter(keys).most_common()
    commonest = {key for key, count in ranked[:1] if count > 1}
    if commonest:
        yield np.array([key in commonest for key in keys])
    for column in range(min(outputs.width, _MOST_COLUMNS)):
        numbers = outputs.numbers[:, column]
        inside = outputs.tags[:, column] == NUMBER
        if not inside.any():
            continue
        middle = np.median(numbers[inside])
        away = np.abs(numbers - middle)
        yield inside & (numbers > middle)
        yield inside & (away > np.median(away[inside]))


def _tables(
    values: NDArray[np.bool_], order: NDArray[np.int64], side: int
) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    n = len(values)
    late = np.arange(n) >= n // 2
    yield "later outputs are distributed otherwise than earlier ones", values, late
    pairs = values[: n // 2 * 2].reshape(-1, 2)
    yield "an output depends on the one before it", pairs[:, 0], pairs[:, 1]
    if len(order) != 2 * n:
        return  # drawn in batches
    places = np.flatnonzero(order == side)
    followed = places > 0
    before = order[places[followed] - 1] == side
    yield "an output depends on the data of the call before it", values[followed], before
