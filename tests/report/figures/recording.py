"""A chart that draws nothing and keeps what it was told, in units of what is measured."""

import math
from dataclasses import dataclass

from pytest_leakpro.report.figures.palette import Palette

NAMES = Palette(*Palette._fields)


@dataclass
class Drawn:
    x: list
    y: list
    colour: str


class Recorder:
    """Stands in for a `Chart`: quick, and in the units of the data."""

    def __init__(self):
        self.palette = NAMES
        self.left = 46.0
        self.width = 298.0
        self.lines, self.areas, self.bars = [], [], []
        self.points, self.hollow, self.squares, self.intervals, self.texts = [], [], [], [], []
        self.places = []
        self.ticks = {"x": [], "y": []}
        self.names = []
        self.log = (False, False)

    def scales(self, x, y, *, log_x=False, log_y=False):
        for low, high in (x, y):
            assert math.isfinite(low)
            assert math.isfinite(high)
            assert low != high
        self.x_span, self.y_span, self.log = tuple(x), tuple(y), (log_x, log_y)

    def ticks_x(self, ticks, *, grid=True):
        self.ticks["x"] = list(ticks)

    def ticks_y(self, ticks, *, grid=True):
        self.ticks["y"] = list(ticks)

    def name_x(self, text):
        self.names.append(text)

    name_y = name_x

    def line(self, x, y, colour, **look):
        self.lines.append(Drawn(list(x), list(y), colour))

    def area(self, x, y, colour, **look):
        self.areas.append(Drawn(list(x), list(y), colour))

    def dots(self, x, y, colour, *, hollow=False, square=False, **look):
        marks = list(zip(x, y, strict=True))
        self.points += marks
        self.hollow += marks if hollow else []
        self.squares += marks if square else []

    def interval(self, place, low, high, colour, *, across=False, **look):
        self.intervals.append((place, low, high))

    def bar(self, left, right, low, high, colour, fill):
        self.bars.append((left, right, low, high, fill))

    def text(self, x, y, text, **look):
        self.texts.append(text)
        self.places.append((x, y, look))

    def pixels(self, x, y):
        return tuple(
            280 * self._share(value, span, log)
            for value, span, log in zip((x, y), (self.x_span, self.y_span), self.log, strict=True)
        )

    @staticmethod
    def _share(value, span, log):
        if log:
            value, *span = (math.log(entry) for entry in (value, *span))
        return (value - span[0]) / (span[1] - span[0])

    def one(self, drawn, colour):
        (found,) = (entry for entry in drawn if entry.colour == colour)
        return found

    def line_of(self, colour):
        return self.one(self.lines, colour)

    def area_of(self, colour):
        return self.one(self.areas, colour)

    def check_within(self):
        """Check that nothing is drawn beyond the axes, which cut nothing off."""
        for name, span in (("x", self.x_span), ("y", self.y_span)):
            low, high = sorted(span)
            room = 1e-9 * (high - low)
            for entry in (*self.lines, *self.areas):
                for value in getattr(entry, name):
                    assert math.isnan(value) or low - room <= value <= high + room
            for value, _ in self.ticks[name]:
                assert low - room <= value <= high + room
        for x, y in self.points:
            assert min(self.x_span) <= x <= max(self.x_span)
            assert min(self.y_span) <= y <= max(self.y_span)
