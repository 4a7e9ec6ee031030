"""Upright bars, one per bin, with names below some of them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_leakpro.report.figures.scale import nice_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.report.figures.chart import Chart

__all__ = ["Bars", "Mean"]

_GAP = 0.08  # of a bin, on each side of its bar


class Mean(NamedTuple):
    """A mean over all that is counted, with its bounds, in bins, and what it is called."""

    value: float
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Bars:
    """Counts by bin.

    Attributes
    ----------
    counts : sequence of int
        Of each bin, from the left.
    ticks : sequence of tuple
        Place and text, in bins: 0 is the left edge of the first bin.
    filled : sequence of bool
        Which bars are solid; the others are hatched.
    limit : float or None
        Place of a line, in bins.
    limit_text : str
        What it says.
    x, y : str
        What lies along the axes.
    colour : str
        Name of the colour of solid bars.
    mean : Mean or None
        Drawn above the bars.
    """

    counts: Sequence[int]
    ticks: Sequence[tuple[float, str]]
    filled: Sequence[bool]
    limit: float | None
    limit_text: str
    x: str
    y: str
    colour: str = "bad"
    mean: Mean | None = None

    def draw(self, chart: Chart) -> None:
        """Draw the bars and their axes."""
        palette, bins = chart.palette, len(self.counts)
        top = max(*self.counts, 1) * (1.12 if self.mean is None else 1.4)
        chart.scales((0, bins), (0, top))
        chart.ticks_x(self.ticks, grid=False)
        steps = [step for step in nice_steps((0, top), 4) if step == math.floor(step)]
        chart.ticks_y((step, f"{step:,.0f}") for step in steps)
        chart.name_x(self.x)
        chart.name_y(self.y)
        chart.line([0, bins], [0, 0], palette.muted, width=0.8)
        for place, (count, solid) in enumerate(zip(self.counts, self.filled, strict=True)):
            if count:
                colour = getattr(palette, self.colour) if solid else palette.muted
                ends = (place + _GAP, place + 1 - _GAP)
                chart.bar(*ends, 0, count, colour, "solid" if solid else "hatched")
        if self.mean is not None:
            level = top * 0.83
            chart.interval(level, self.mean.low, self.mean.high, palette.ink, across=True)
            chart.dots([self.mean.value], [level], palette.ink)
            right = self.mean.value > bins / 2
            chart.text(
                self.mean.value, level, self.mean.text, colour=palette.ink, weight="bold",
                side="right" if right else "left", level="top",
                by=(0, -7), haloed=True,
            )  # fmt: skip
        if self.limit is not None:
            chart.line([self.limit] * 2, [0, top], palette.limit, width=1.3, dashes=(5, 2.5))
            right = self.limit > bins / 2
            chart.text(
                self.limit, top, self.limit_text, colour=palette.limit,
                side="right" if right else "left", level="top",
                by=(-5 if right else 5, 0), haloed=True,
            )  # fmt: skip
