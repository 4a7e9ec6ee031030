"""From where to where an axis goes, and where its ticks stand.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_leakpro.report.figures.chart import Span

__all__ = ["linear_span", "log_span", "nice_steps", "powers", "suits_logarithm"]

_WIDE = 40.0  # so many times the smallest is the largest where a linear axis hides the small ones


def nice_steps(span: Span, most: int = 5) -> list[float]:
    """Give round numbers within a span in equal steps of 1, 2, 2.5 or 5 times a power of ten.

    Parameters
    ----------
    span : pair of float
        Finite, ascending.
    most : int
        How many at most, at least 2.
    """
    low, high = span
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(
        factor * power
        for factor in (1, 2, 2.5, 5, 10, 20)
        if _fitting(low, high, factor * power) <= most
    )
    first = math.ceil(low / step - 1e-9)
    return [float(f"{(first + place) * step:.12g}") for place in range(_fitting(low, high, step))]


def _fitting(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def linear_span(values: Iterable[float], base: float | None = 0.0) -> Span:
    """Give a span that holds values with some room above them.

    Parameters
    ----------
    values : iterable of float
        Finite; at least one.
    base : float, optional
        What the axis shows in any case, at its end where all values lie on one side of it.
    """
    held = [*values, *([] if base is None else [base])]
    low, high = min(held), max(held)
    room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return (low if low == base else low - room), (high if high == base else high + room)


def log_span(values: Iterable[float]) -> Span:
    """Give whole powers of ten around positive values, of which there is at least one."""
    held = list(values)
    low = math.floor(math.log10(min(held)) + 1e-9)
    high = math.ceil(math.log10(max(held)) - 1e-9)
    return 10.0**low, 10.0 ** max(high, low + 1)


def suits_logarithm(values: Iterable[float]) -> bool:
    """Tell whether values are so far apart that a linear axis would hide the small ones."""
    positive = [value for value in values if value > 0]
    return bool(positive) and max(positive) > _WIDE * min(positive)


def powers(span: Span, most: int = 6) -> list[float]:
    """Give the powers of ten within a span, or every second, third, … of them from above."""
    low = math.ceil(math.log10(span[0]) - 1e-9)
    high = math.floor(math.log10(span[1]) + 1e-9)
    step = max(1, math.ceil((high - low + 1) / most))
    return [10.0**power for power in range(high, low - 1, -step)][::-1]
