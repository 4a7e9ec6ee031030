"""A panel: what one figure draws, how large it is, and what it says in words.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.report.figures.chart import Chart

__all__ = ["MARGINS", "WIDTH", "Margins", "Panel"]

WIDTH = 360
"""Of every figure, in the units of its view box: narrow enough to be read on a telephone."""


class Margins(NamedTuple):
    """Between the axes and the edges of the figure, in units of the view box."""

    left: float
    right: float
    top: float
    bottom: float


MARGINS = Margins(46, 16, 26, 44)
"""Room for numbers on the left, and for numbers and a name below."""


@dataclass(frozen=True)
class Panel:
    """One figure before it is drawn.

    Attributes
    ----------
    kind : str
        What it shows, as in the name of a class in CSS: ``"roc"``.
    title : str
        What it shows, in a few words.
    description : str
        What can be seen, in words and numbers.
    draw : callable
        Draws on a chart.
    height : float
        In units of the view box; the width is `WIDTH`.
    margins : Margins
    """

    kind: str
    title: str
    description: str
    draw: Callable[[Chart], None]
    height: float = 260
    margins: Margins = MARGINS
