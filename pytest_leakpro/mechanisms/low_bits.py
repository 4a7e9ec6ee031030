"""Whether the last bits of floating-point outputs tell neighbouring data sets apart.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.mechanisms.outputs import NUMBER
from pytest_leakpro.stats.excess_share import excess_p_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.mechanisms.events import Claim
    from pytest_leakpro.mechanisms.outputs import Outputs

__all__ = ["low_bits_found"]

_MOST_COLUMNS = 4
_ROUNDED = 40  # a lowest bit not below the highest by more is one that was rounded to
_MOST_PLACES = 10
_FEWEST = 200
_REPEATED = (2, 0.1)  # values of a continuous law: fewest repeats, and the largest share of them


def low_bits_found(first: Outputs, second: Outputs, claim: Claim, level: float) -> str | None:
    """Look at the lowest bits of outputs, and for values that come again.

    A noise that is computed in floating point and added to an answer has been rounded to the last
    bit of the answer. Where the sum is smaller than the answer, its own last bits are zero, and how
    many says how large the answer was: events that the claim does not allow.

    Parameters
    ----------
    first, second : Outputs
        Of the data and of the neighbour.
    claim : Claim
        What events may differ by.
    level : float
        The chance of a false hint, in (0, 1).

    Returns
    -------
    str or None
        What gives away the data; None where nothing does.

    References
    ----------
    Mironov (2012), On significance of the least significant bits for differential privacy, ACM
    CCS.
    """
    columns = range(min(first.width, _MOST_COLUMNS))
    for column in columns:
        sides = [part.numbers[part.tags[:, column] == NUMBER, column] for part in (first, second)]
        if min(map(len, sides)) < _FEWEST or any(_rounded(numbers) for numbers in sides):
            continue
        for numbers in sides:
            repeated = len(numbers) - len(np.unique(numbers))
            if _REPEATED[0] <= repeated <= _REPEATED[1] * len(numbers):
                return (
                    f"{repeated:,} of {len(numbers):,} outputs repeat another one to the last bit, "
                    "as if the noise could take few values"
                )
        if (bit := _telling_bit(sides, len(first), claim, level / len(columns))) is not None:
            return (
                f"the data set can be told from its neighbour by whether outputs have a set bit "
                f"below 2**{bit}"
            )
    return None


def lowest_bits(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the exponent of the lowest set bit of every number; that of 0 is large.

    Parameters
    ----------
    numbers : numpy.ndarray, shape (n,)
        Finite.
    """
    fraction, exponent = np.frexp(numbers)
    whole = np.abs(np.ldexp(fraction, 53)).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(float))[1] - 1
    return np.where(whole == 0, 2_000, exponent - 53 + lowest)


def _rounded(numbers: NDArray[np.float64]) -> bool:
    """Say whether the numbers were rounded on purpose: to whole numbers, cents or eighths."""
    if any(np.array_equal(np.round(numbers, places), numbers) for places in range(_MOST_PLACES)):
        return True
    highest = np.frexp(np.abs(numbers).max())[1]
    return bool(lowest_bits(numbers).min() >= highest - _ROUNDED)


def _telling_bit(
    sides: list[NDArray[np.float64]], trials: int, claim: Claim, level: float
) -> int | None:
    bits = [lowest_bits(numbers) for numbers in sides]
    cuts = np.unique(np.concatenate(bits))[1:]
    if len(cuts) == 0:
        return None
    below = [[int(np.sum(part < cut)) for part in bits] for cut in cuts]
    for share in (0, 1):
        for cut, counts in zip(cuts, below, strict=True):
            pair = counts[share], counts[1 - share]
            # The exact test is for those that could be significant.
            if pair[0] <= claim.ratio * pair[1] + claim.delta * trials:
                continue
            error = level / (2 * len(cuts))
            if excess_p_value(*pair, trials, claim.epsilon, claim.delta, error) <= error:
                return int(cut)
    return None
