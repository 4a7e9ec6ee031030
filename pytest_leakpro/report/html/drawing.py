"""Figures of records: which are drawn, and how many.

A figure takes some milliseconds and kilobytes; a page of a thousand measurements draws the worst.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.figures.comparison import comparison_panel
from pytest_leakpro.report.figures.drawing import as_svg
from pytest_leakpro.report.figures.history import history_panel
from pytest_leakpro.report.figures.kinds import PANELS
from pytest_leakpro.report.figures.people import people_svg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from markupsafe import Markup

    from pytest_leakpro.report.figures.panel import Panel
    from pytest_leakpro.report.html.frequency import Frequency
    from pytest_leakpro.report.html.grouping import Group
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Drawer", "Figure"]

_ONCE = ("roc", "scores", "quality", "ranks")
_CURVED = {"roc": "curve", "scores": "histogram", "quality": "curve", "ranks": "curve"}


@dataclass(frozen=True)
class Figure:
    """A picture with what stands below it.

    Attributes
    ----------
    kind : str
        What is shown; see ``figure.<kind>.caption`` of the texts.
    svg : Markup
        The picture; empty where it could not be drawn.
    caption : str
        What it shows.
    about : str
        The measurements that it is of.
    """

    kind: str
    svg: Markup
    caption: str
    about: str


class Drawer:
    """Draws as long as there is room.

    Parameters
    ----------
    words : Words
        Of the page's language.
    most : int
        How many figures there may be in all.
    """

    def __init__(self, words: Words, most: int) -> None:
        self._words = words
        self.left = most

    def of_group(self, group: Group) -> tuple[tuple[Figure, ...], bool]:
        """Draw what there is of a group.

        Returns
        -------
        figures : tuple of Figure
            Each curve once, whichever metrics are read off it.
        left_out : bool
            Whether there was no more room for some.
        """
        wanted: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
        for place, record in enumerate(group.records):
            for kind in PANELS:
                if _has(kind, record):
                    wanted.setdefault(_same(kind, record, place), []).append(record)
        figures: list[Figure] = []
        for key, records in wanted.items():
            if self.left <= 0:
                return tuple(figures), True
            # What is read at one rate is drawn there; a curve alone has no budget.
            records.sort(key=lambda record: "@" not in record["metric"])
            figure = self._record(key[0], records)
            if figure is not None:
                figures.append(figure)
                self.left -= 1
        return tuple(figures), False

    def _record(self, kind: str, records: Sequence[Mapping[str, Any]]) -> Figure | None:
        svg = self._draw(PANELS[kind], records[0])
        if svg is None:
            return None
        about = ", ".join(dict.fromkeys(record["metric"] for record in records))
        attack = records[0]["attack"]
        return Figure(kind, svg, self._words(f"drawn.{kind}"), f"{about} · {attack}")

    def history(
        self, points: Iterable[Mapping[str, Any]], record: Mapping[str, Any]
    ) -> Markup | None:
        """Draw what was measured run by run; None where there is no room, or nothing to draw."""
        if self.left <= 0:
            return None
        self.left -= 1
        return self._draw(history_panel, list(points), record)

    def comparison(self, records: Sequence[Mapping[str, Any]]) -> Markup | None:
        """Draw the leakage of defences against what they are good for."""
        return self._draw(comparison_panel, records)

    def people(self, found: Frequency) -> Markup | None:
        """Draw a field of people."""
        low = 0 if found.low is None else found.low
        high = found.base if found.high is None else found.high
        limit = None if found.limit is None else int(found.limit)
        value = round(found.value)
        return _made(lambda: people_svg(found.base, value, low, high, limit, self._words))

    def _draw(self, plan: Callable[..., Panel | None], *things: Any) -> Markup | None:
        return _made(lambda: as_svg(plan(*things, self._words)))


def _made(draw: Callable[[], str]) -> Markup | None:
    from markupsafe import Markup

    try:
        svg = draw()
    except Exception:  # figures that make no sense are shown as numbers only
        return Markup("")
    return Markup(svg) if svg else None  # noqa: S704 - made here, of escaped texts


def _has(kind: str, record: Mapping[str, Any]) -> bool:
    """Tell whether there may be something to draw, without drawing it."""
    evidence = record.get("evidence") or {}
    if kind == "slices":
        return bool(record["slices"])
    if kind == "rates":
        return bool(evidence.get("attempts")) and not record["census"]
    if kind == "bounds":
        return bool(evidence.get("bounds"))
    if kind == "scores":
        return bool(evidence.get("histogram"))
    curve = evidence.get("curve") or {}
    return curve.get("kind") == kind


def _same(kind: str, record: Mapping[str, Any], place: int) -> tuple[str, ...]:
    """Give what figures have in common that are drawn once."""
    if kind not in _ONCE:
        return (kind, str(place))
    evidence = record["evidence"]
    curve = evidence[_CURVED[kind]]
    return (kind, record["access"], record["attack"], *map(str, curve.values()))
