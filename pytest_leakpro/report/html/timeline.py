"""Over time: what changed since the baseline, and how each measurement went from run to run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.wording import UNBOUNDED, shown
from pytest_leakpro.report.completing import unit_of
from pytest_leakpro.report.figures.telling import finite
from pytest_leakpro.report.html.discreet import discreet
from pytest_leakpro.report.html.rows import Row, row_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from pytest_leakpro.gate.identity import Identity
    from pytest_leakpro.report.html.drawing import Drawer
    from pytest_leakpro.report.html.grouping import Group
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Course", "Timeline", "timeline_of"]

_WIDTH = 60


@dataclass(frozen=True)
class Course:
    """How one measurement went.

    Attributes
    ----------
    anchor, target : str
        Where its audit stands, and of what it is.
    row : Row
        Its latest figures.
    runs : int
        In how many runs it was measured.
    first, previous : str
        What was measured in the first run and in the one before the latest.
    figure : Markup or None
        All of them.
    """

    anchor: str
    target: str
    row: Row
    runs: int
    first: str
    previous: str
    figure: Markup | None


@dataclass(frozen=True)
class Timeline:
    """The section about time.

    Attributes
    ----------
    changed : tuple of (str, str, Row)
        Anchor, target and row of what was compared with a baseline, regressions first.
    without : int
        Measurements without a baseline.
    courses : tuple of Course
        What was measured in several runs; those with a figure come first.
    runs : int
        The most runs that any measurement was in.
    drawn : int
        How many of the courses have a figure.
    """

    changed: tuple[tuple[str, str, Row], ...]
    without: int
    courses: tuple[Course, ...]
    runs: int
    drawn: int


def timeline_of(
    groups: Sequence[Group],
    history: Mapping[Identity, Sequence[Mapping[str, Any]]],
    drawer: Drawer,
    words: Words,
) -> Timeline:
    """Tell what changed.

    Parameters
    ----------
    groups : sequence of Group
        The worst first: these get a figure first.
    history : mapping of Identity to sequence of mapping
        The points of each measurement, the oldest first and this run's last.
    drawer : Drawer
        Draws.
    words : Words
        Of the page's language.
    """
    changed: list[tuple[str, str, Row]] = []
    courses: list[Course] = []
    without = 0
    for group in groups:
        for identity, record in group.entries:
            row = row_of(record, words)
            if row.change:
                changed.append((group.anchor, group.target, row))
            elif record["value"] is not None:
                without += 1
            points = history.get(identity, ())
            if len(points) > 1:
                figure = drawer.history(map(_discreet, points), record)
                courses.append(_course(group, row, points, figure))
    changed.sort(key=lambda entry: not entry[2].risen)
    most = max((course.runs for course in courses), default=0)
    drawn = sum(course.figure is not None for course in courses)
    return Timeline(tuple(changed), without, tuple(courses), most, drawn)


def _discreet(point: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: discreet(value, _WIDTH) if isinstance(value, str) else value
        for key, value in point.items()
    }


def _course(
    group: Group, row: Row, points: Sequence[Mapping[str, Any]], figure: Markup | None
) -> Course:
    first, previous = (_figure(point, row.metric) for point in (points[0], points[-2]))
    return Course(group.anchor, group.target, row, len(points), first, previous, figure)


def _figure(point: Mapping[str, Any], metric: str) -> str:
    if point.get("shown_value"):
        return discreet(point["shown_value"], _WIDTH)
    value = finite(point.get("value"))
    return UNBOUNDED if value is None else shown(value, unit_of({"metric": metric}))
