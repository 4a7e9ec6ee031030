"""Axes with little on them: thin lines, few ticks, and texts beside what they speak of.

Marks are drawn as lines with round or square ends rather than as markers: as SVG they are a few
characters each, and need no definitions that others on the page could clash with.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pytest_leakpro.report.figures.palette import ON_PAGE, Palette

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["HALO", "LETTER", "TEXT", "Chart", "Span"]

LETTER = 6.6
"""How wide a letter is at most on average, in units of the view box."""

HALO = "halo"
"""Marks texts that may stand on lines, in what matplotlib writes."""

TEXT = 11
"""Size of texts, in units of the view box."""

Span = tuple[float, float]
_Side = Literal["left", "center", "right"]
_Level = Literal["top", "center", "bottom", "baseline"]
_HATCH = 5.0  # units between the lines of a hatching


class Chart:
    """Draws on axes, in units of what is measured.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    palette : Palette
        In which colours.
    left : float
        Units of the view box between the axes and the left edge of the panel.
    """

    def __init__(self, axes: Any, palette: Palette, left: float) -> None:
        self.axes = axes
        self.palette = palette
        self.left = left
        axes.axis("off")

    def __repr__(self) -> str:
        return "Chart()"

    def scales(self, x: Span, y: Span, *, log_x: bool = False, log_y: bool = False) -> None:
        """Set what the edges of the axes stand for; before anything is drawn."""
        if log_x:
            self.axes.set_xscale("log")
        if log_y:
            self.axes.set_yscale("log")
        self.axes.set_xlim(*x)
        self.axes.set_ylim(*y)

    @property
    def x_span(self) -> Span:
        """What the left and the right edge stand for."""
        low, high = self.axes.get_xlim()
        return float(low), float(high)

    @property
    def y_span(self) -> Span:
        """What the lower and the upper edge stand for."""
        low, high = self.axes.get_ylim()
        return float(low), float(high)

    @property
    def width(self) -> float:
        """Of the axes, in units of the view box."""
        low, high = self.x_span
        return self.pixels(high, self.y_span[0])[0] - self.pixels(low, self.y_span[0])[0]

    def ticks_x(self, ticks: Iterable[tuple[float, str]], *, grid: bool = True) -> None:
        """Write a text below the axes at each of some places, with a line above it."""
        places = list(ticks)
        if grid:
            self._grid([((place, place), self.y_span) for place, _ in places])
        low, high = self.x_span
        for place, text in places:
            side: _Side = "center"
            if len(text) > 3 and self._near(place, low):
                side = "left"
            elif len(text) > 3 and self._near(place, high):
                side = "right"
            self.text(place, 0, text, side=side, level="top", by=(0, -6), across=True)

    def ticks_y(self, ticks: Iterable[tuple[float, str]], *, grid: bool = True) -> None:
        """Write a text left of the axes at each of some places, with a line beside it."""
        places = list(ticks)
        if grid:
            self._grid([(self.x_span, (place, place)) for place, _ in places])
        transform = self._moved(self.axes.get_yaxis_transform(), (-6, 0))
        for place, text in places:
            self._write(0, place, text, transform, "right", "center", self.palette.muted, "normal")

    def _near(self, place: float, edge: float) -> bool:
        at, end = self.pixels(place, self.y_span[0])[0], self.pixels(edge, self.y_span[0])[0]
        return abs(at - end) < 1

    def name_x(self, text: str) -> None:
        """Say below the axes what lies along them."""
        transform = self._moved(self.axes.transAxes, (0, -22))
        self._write(0.5, 0, text, transform, "center", "top", self.palette.ink, "normal")

    def name_y(self, text: str) -> None:
        """Say above the axes, from the left edge of the panel, what lies upwards."""
        transform = self._moved(self.axes.transAxes, (4 - self.left, 9))
        self._write(0, 1, text, transform, "left", "baseline", self.palette.ink, "normal")

    def line(
        self,
        x: Sequence[float] | Any,
        y: Sequence[float] | Any,
        colour: str,
        *,
        width: float = 1.6,
        dashes: tuple[float, ...] | None = None,
        order: float = 2,
        end: Literal["butt", "round", "projecting"] = "butt",
    ) -> None:
        """Draw a line; it is broken where a number is not one."""
        from matplotlib.lines import Line2D

        line = Line2D(
            x,
            y,
            color=colour,
            linewidth=width,
            zorder=order,
            solid_capstyle=end,
            dash_capstyle="butt",
            linestyle="solid" if dashes is None else (0, dashes),
            clip_on=False,
        )
        line.set_transform(self.axes.transData)
        self.axes.add_artist(line)

    def area(
        self,
        x: Sequence[float] | Any,
        y: Sequence[float] | Any,
        colour: str,
        *,
        opacity: float = 1.0,
        order: float = 0,
    ) -> None:
        """Fill what a line encloses."""
        from matplotlib.patches import Polygon

        corners = list(zip(x, y, strict=True))
        area = Polygon(
            corners, closed=True, facecolor=colour, edgecolor="none", alpha=opacity, zorder=order
        )
        area.set_clip_on(False)
        self.axes.add_artist(area)

    def dots(
        self,
        x: Sequence[float],
        y: Sequence[float],
        colour: str,
        *,
        size: float = 7,
        hollow: bool = False,
        square: bool = False,
        order: float = 5,
    ) -> None:
        """Draw a mark at each place."""
        end: Literal["round", "projecting"] = "projecting" if square else "round"
        across, up = self._specks(x, y)
        # A square end adds half a width on both sides of next to nothing.
        self.line(across, up, self.palette.paper, width=size + 2.4, end=end, order=order - 0.2)
        self.line(across, up, colour, width=size, end=end, order=order)
        if hollow:
            self.line(
                across,
                up,
                self.palette.paper,
                width=max(size - 3.2, 0.45 * size),
                end=end,
                order=order + 0.1,
            )

    def _specks(self, x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
        across: list[float] = []
        for place in x:
            left, height = self.pixels(place, self.y_span[0])
            across += [place, float(self._places([(left + 1e-3, height)])[0][0]), math.nan]
        up = [value for level in y for value in (level, level, math.nan)]
        return across, up

    def interval(
        self,
        place: float,
        low: float | None,
        high: float | None,
        colour: str,
        *,
        across: bool = False,
        stops: bool = True,
        width: float = 1.8,
        order: float = 4,
    ) -> None:
        """Draw from a lower to an upper bound, with a stop at each; an open end has an arrow.

        Parameters
        ----------
        place : float
            On the other axis.
        low, high : float or None
            None where there is no bound; what lies beyond the axes is cut off, without a stop.
        colour : str
            Of the line.
        across : bool
            Along x rather than along y.
        stops : bool
            Whether bounds have stops; open ends have their arrows anyhow.
        width, order : float
            Of the line.
        """
        least, most = self.x_span if across else self.y_span
        start = least if low is None else min(max(low, least), most)
        stop = most if high is None else max(min(high, most), least)
        self._lay((start, stop), (place, place), colour, width, order, across=across)
        for bound, at in ((low, start), (high, stop)):
            if bound is None and at == least:  # nothing leaks less than what the axis begins with
                continue
            if bound is not None and not stops:
                continue
            self._stop(at, place, colour, bound, width, order, across=across)

    def _stop(
        self,
        at: float,
        place: float,
        colour: str,
        bound: float | None,
        width: float,
        order: float,
        *,
        across: bool,
    ) -> None:
        x, y = self.pixels(*((at, place) if across else (place, at)))
        if bound is None:
            if not across:
                corners = [(x - 3.5, y - 5), (x, y + 1), (x + 3.5, y - 5)]
            else:
                corners = [(x - 5, y - 3.5), (x + 1, y), (x - 5, y + 3.5)]
        elif bound == at:
            corners = [(x, y - 3.5), (x, y + 3.5)] if across else [(x - 3.5, y), (x + 3.5, y)]
        else:
            return
        placed = self._places(corners)
        self.line(placed[:, 0], placed[:, 1], colour, width=width * 0.75, order=order)

    def _lay(
        self,
        along: Span,
        beside: Span,
        colour: str,
        width: float,
        order: float,
        *,
        across: bool,
    ) -> None:
        x, y = (along, beside) if across else (beside, along)
        self.line(x, y, colour, width=width, order=order)

    def bar(
        self, left: float, right: float, low: float, high: float, colour: str, fill: str
    ) -> None:
        """Draw a bar: ``solid``, ``hatched``, or with its ``outline`` alone."""
        x = [left, right, right, left, left]
        y = [low, low, high, high, low]
        if fill == "solid":
            self.area(x, y, colour, opacity=0.85, order=2)
            return
        self.line(x, y, colour, width=1.1, dashes=(3, 2) if fill == "outline" else None)
        if fill == "hatched":
            self._hatch(left, right, low, high, colour)

    def _hatch(self, left: float, right: float, low: float, high: float, colour: str) -> None:
        (x0, y0), (x1, y1) = self.pixels(left, low), self.pixels(right, high)
        points: list[Span] = []
        start = x0 - (y1 - y0) + _HATCH
        while start < x1:
            begin, end = max(start, x0), min(start + y1 - y0, x1)
            points += [(begin, y0 + begin - start), (end, y0 + end - start), (math.nan, math.nan)]
            start += _HATCH
        if points:
            placed = self._places(points)
            self.line(placed[:, 0], placed[:, 1], colour, width=0.7)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        colour: str | None = None,
        side: _Side = "left",
        level: _Level = "center",
        by: Span = (0, 0),
        across: bool = False,
        weight: str = "normal",
        turned: float = 0,
        haloed: bool = False,
    ) -> None:
        """Write a text.

        Parameters
        ----------
        x, y : float
            Where; with `across`, y is from 0 at the bottom of the axes to 1 at their top.
        text : str
            One line.
        colour : str, optional
            Muted by default.
        side, level : str
            Which of its sides stands there.
        by : pair of float
            How far from there, in units of the view box.
        across : bool
            See `y`.
        weight : str
            Of the letters.
        turned : float
            By how many degrees.
        haloed : bool
            Whether it may stand on lines, which then keep away from its letters.
        """
        base = self.axes.get_xaxis_transform() if across else self.axes.transData
        self._write(
            x, y, text, self._moved(base, by), side, level,
            self.palette.muted if colour is None else colour, weight, turned, haloed,
        )  # fmt: skip

    def _write(
        self,
        x: float,
        y: float,
        text: str,
        transform: Any,
        side: str,
        level: str,
        colour: str,
        weight: str,
        turned: float = 0,
        haloed: bool = False,
    ) -> None:
        found = self.axes.text(
            x,
            y,
            text,
            transform=transform,
            horizontalalignment=side,
            verticalalignment=level,
            color=colour,
            fontsize=TEXT,
            fontweight=weight,
            rotation=turned,
            rotation_mode="anchor",
            zorder=6,
        )
        if haloed and self.palette is ON_PAGE:
            found.set_gid(HALO)
        elif haloed:
            from matplotlib.patheffects import withStroke

            found.set_path_effects([withStroke(linewidth=3, foreground=self.palette.paper)])

    def pixels(self, x: float, y: float) -> Span:
        """Give a place in units of the view box, from the lower left corner of the figure."""
        scale = 72 / self.axes.figure.dpi
        left, up = self.axes.transData.transform((x, y)) * scale
        return float(left), float(up)

    def _places(self, points: Sequence[Span]) -> Any:
        """Give what stands at some places; the inverse of `pixels`, as an array."""
        import numpy as np

        scale = self.axes.figure.dpi / 72
        return self.axes.transData.inverted().transform(np.asarray(points) * scale)

    def _moved(self, transform: Any, by: Span) -> Any:
        from matplotlib.transforms import ScaledTranslation

        figure = self.axes.figure
        return transform + ScaledTranslation(by[0] / 72, by[1] / 72, figure.dpi_scale_trans)

    def _grid(self, lines: Sequence[tuple[Span, Span]]) -> None:
        x = [value for ends, _ in lines for value in (*ends, math.nan)]
        y = [value for _, ends in lines for value in (*ends, math.nan)]
        if x:
            self.line(x, y, self.palette.grid, width=0.8, order=1)
