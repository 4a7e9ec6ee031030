"""A row per figure: its name and number above, its place and bounds on an axis below.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_leakpro.report.figures.panel import Margins, Panel
from pytest_leakpro.report.figures.scale import linear_span, nice_steps
from pytest_leakpro.report.figures.telling import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.gate.wording import Unit
    from pytest_leakpro.report.figures.chart import Chart, Span

__all__ = ["Row", "Rows", "rows_panel"]

_PITCH = 40
_MARGINS = Margins(8, 12, 24, 26)
_BAR = 0.13  # half the height of a bar, in rows
_LINE = 0.72  # where the axis of a row lies, from its top


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes
    ----------
    name : str
        What it is of.
    text : str
        The figure as text.
    value : float
        Finite.
    low, high : float or None
        None where there is no bound on that side.
    bounded : bool
        Whether there are any bounds to draw.
    mark : {"dot", "hollow", "square", "solid", "hatched", "outline"}
        A mark at the value, or a bar up to it.
    colour : str
        Name of a colour of the palette.
    strong : bool
        Whether the row is what counts.
    """

    name: str
    text: str
    value: float
    low: float | None = None
    high: float | None = None
    bounded: bool = True
    mark: Literal["dot", "hollow", "square", "solid", "hatched", "outline"] = "dot"
    colour: str = "accent"
    strong: bool = False


@dataclass(frozen=True)
class Rows:
    """The rows of a figure and their axis.

    Attributes
    ----------
    rows : sequence of Row
        From the top.
    unit : {"percent", "decimal"}
        Of the axis.
    limit : float or None
        The budget.
    limit_text : str
        How it is written.
    base : float or None
        What the axis shows in any case.
    along : str
        What lies along the axis; may be empty.
    """

    rows: Sequence[Row]
    unit: Unit
    limit: float | None = None
    limit_text: str = ""
    base: float | None = 0.0
    along: str = ""

    @property
    def span(self) -> Span:
        """From where to where the axis goes."""
        held = [row.value for row in self.rows]
        held += [end for row in self.rows for end in (row.low, row.high) if end is not None]
        held += [] if self.limit is None else [self.limit]
        low, high = linear_span(held, self.base)
        if self.unit == "percent" and high > 1 and max(held) <= 1:
            high = 1.0
        return low, high

    def draw(self, chart: Chart) -> None:
        """Draw all rows."""
        palette, count = chart.palette, len(self.rows)
        chart.scales(self.span, (count, 0))
        chart.ticks_x((step, written(step, self.unit)) for step in nice_steps(self.span, 5))
        if self.along:
            chart.name_x(self.along)
        if self.limit is not None:
            chart.line(
                [self.limit] * 2, [0, count], palette.limit, width=1.3, dashes=(5, 2.5), order=1.5
            )
            self._name_limit(chart)
        for place, row in enumerate(self.rows):
            self._draw_row(chart, place, row)

    def _name_limit(self, chart: Chart) -> None:
        assert self.limit is not None
        low, high = self.span
        right = self.limit > (low + high) / 2
        chart.text(
            self.limit, 1, self.limit_text, colour=chart.palette.limit, across=True,
            side="right" if right else "left", level="bottom", by=(2 if right else -2, 5),
        )  # fmt: skip

    def _draw_row(self, chart: Chart, place: int, row: Row) -> None:
        palette = chart.palette
        colour: str = getattr(palette, row.colour)
        weight = "bold" if row.strong else "normal"
        left, right = self.span
        line = place + _LINE
        chart.line([left, right], [line, line], palette.grid, width=0.8, order=1)
        for at, text, side in ((left, row.name, "left"), (right, row.text, "right")):
            chart.text(
                at, place + 0.28, text,
                colour=palette.ink, side=side, weight=weight, haloed=True,  # type: ignore[arg-type]
            )  # fmt: skip
        if row.mark in ("solid", "hatched", "outline"):
            ends = (max(left, 0), row.value)
            chart.bar(*ends, line + _BAR, line - _BAR, colour, row.mark)
        if row.bounded:
            chart.interval(line, row.low, row.high, palette.ink, across=True, width=1.6)
        if row.mark in ("dot", "hollow", "square"):
            chart.dots(
                [row.value],
                [line],
                colour,
                hollow=row.mark == "hollow",
                square=row.mark == "square",
            )


def rows_panel(kind: str, title: str, description: str, rows: Rows) -> Panel:
    """Give the panel of some rows."""
    bottom = _MARGINS.bottom + (18 if rows.along else 0)
    margins = _MARGINS._replace(bottom=bottom, top=_MARGINS.top if rows.limit is not None else 8)
    height = _PITCH * len(rows.rows) + margins.top + margins.bottom
    return Panel(kind, title, description, rows.draw, height, margins)
