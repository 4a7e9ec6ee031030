"""Shares as counts of people: what 4.7% means is seen better in 47 of 1,000.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Frequency", "frequency", "one_in", "people"]

PEOPLE = 1_000
_BASES = (1_000, 10_000, 100_000, 1_000_000)
_SLACK = 1e-9


@dataclass(frozen=True)
class Frequency:
    """A share of so many.

    Attributes
    ----------
    base : int
        Of how many.
    value : float
        The estimate, not rounded.
    low, high : int or None
        Bounds, rounded outwards; None where there is none.
    limit : float or None
        What the budget allows, not rounded.
    """

    base: int
    value: float
    low: int | None
    high: int | None
    limit: float | None


def frequency(
    value: float | None, low: float | None, high: float | None, limit: float | None
) -> Frequency | None:
    """Write shares as counts.

    Parameters
    ----------
    value, low, high, limit : float or None
        Shares in [0, 1]; bounds and limit may be missing.

    Returns
    -------
    Frequency or None
        Of the smallest base, from 1,000 to 1,000,000, in which the limit is a whole number and the
        bounds lie on the side of the limit on which they are; of the largest where there is none.
        None where a share is missing or outside [0, 1].
    """
    given = [share for share in (value, low, high, limit) if share is not None]
    if value is None or not all(0 <= share <= 1 for share in given):
        return None
    found = None
    for base in _BASES:
        found = people(value, low, high, limit, base)
        if _tells(found, low, high, limit):
            break
    return found


def people(
    value: float, low: float | None, high: float | None, limit: float | None, base: int = PEOPLE
) -> Frequency:
    """Write shares as counts of a given base; see `frequency`."""
    return Frequency(
        base,
        value * base,
        None if low is None else math.floor(low * base + _SLACK),
        None if high is None else math.ceil(high * base - _SLACK),
        None if limit is None else limit * base,
    )


def _tells(found: Frequency, low: float | None, high: float | None, limit: float | None) -> bool:
    """Tell whether the counts show what the shares do."""
    if limit is None or found.limit is None:
        return True
    if abs(found.limit - round(found.limit)) > _SLACK * found.base:
        return False
    allowed = round(found.limit)
    below = low is None or found.low is None or (low > limit) == (found.low > allowed)
    above = high is None or found.high is None or (high <= limit) == (found.high <= allowed)
    return below and above


def one_in(rate: float) -> tuple[int, int]:
    """Write a rate as so many in so many: 0.001 as 1 in 1,000, 0.005 as 5 in 1,000.

    Parameters
    ----------
    rate : float
        In (0, 1).
    """
    base = 100
    while base < 10**9 and abs(rate * base - round(rate * base)) > _SLACK * base * rate:
        base *= 10
    return max(1, round(rate * base)), base
