"""Histograms of the scores of members and non-members.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.report.figures.chart import LETTER
from pytest_leakpro.report.figures.panel import Panel
from pytest_leakpro.report.figures.scale import nice_steps
from pytest_leakpro.report.figures.telling import (
    numbers,
    said,
    sentences,
    shares,
    title_of,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.report.figures.chart import Chart
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["draw_scores", "scores_panel"]


class _Histogram(NamedTuple):
    edges: list[float]
    members: list[float]  # shares
    nonmembers: list[float]

    @property
    def overlap(self) -> float:
        """Share of both sides that the other side covers."""
        return sum(map(min, self.members, self.nonmembers))


def scores_panel(record: Mapping[str, Any], words: Words) -> Panel | None:
    """Draw how the scores of members and non-members are spread; None where that is not kept.

    Parameters
    ----------
    record : mapping
        One measurement.
    words : Words
        The language.

    Returns
    -------
    Panel or None
        None where there is nothing to draw.
    """
    histogram = _histogram(record)
    if histogram is None:
        return None
    members = histogram.members
    most = max(range(len(members)), key=lambda place: members[place] - histogram.nonmembers[place])
    return Panel(
        "scores",
        title_of("scores", record, words),
        words("figure.scores.single")
        if len(members) == 1
        else sentences(
            words("figure.scores.overlap", share=said(histogram.overlap)),
            words(
                "figure.scores.most",
                low=f"{histogram.edges[most]:.4g}",
                high=f"{histogram.edges[most + 1]:.4g}",
                members=said(members[most]),
                nonmembers=said(histogram.nonmembers[most]),
            ),
            words("figure.scores.ends"),
        ),
        lambda chart: draw_scores(chart, record, words),
        height=230,
    )


def _histogram(record: Mapping[str, Any]) -> _Histogram | None:
    told = (record["evidence"] or {}).get("histogram")
    if not told:
        return None
    edges, members, nonmembers = (
        numbers(told[side]) for side in ("edges", "members", "nonmembers")
    )
    totals = sum(members), sum(nonmembers)
    if len(edges) < 2 or not len(members) == len(nonmembers) == len(edges) - 1 or 0 in totals:
        return None
    if any(later < earlier for earlier, later in pairwise(edges)):
        return None
    if edges[0] == edges[-1]:  # a single score: a bin needs a width to be seen
        room = abs(edges[0]) / 10 or 1.0
        edges = [edges[0] - room, edges[0] + room]
    return _Histogram(edges, shares(members, totals[0]), shares(nonmembers, totals[1]))


def draw_scores(chart: Chart, record: Mapping[str, Any], words: Words) -> None:
    """Draw the histograms of a record that has them."""
    histogram = _histogram(record)
    assert histogram is not None
    palette, edges = chart.palette, histogram.edges
    top = max(*histogram.members, *histogram.nonmembers) * 1.22
    chart.scales((edges[0], edges[-1]), (0, top))
    ends = (edges[0], edges[-1])
    chart.ticks_x(((step, f"{step:g}") for step in nice_steps(ends, 5)), grid=False)
    chart.ticks_y((step, written(step, "percent")) for step in nice_steps((0, top), 4))
    chart.name_x(words("figure.scores.x"))
    chart.name_y(words("figure.scores.y"))
    x = [edge for pair in zip(edges, edges, strict=True) for edge in pair]
    for side, colour, dashes in (
        (histogram.members, palette.member, None),
        (histogram.nonmembers, palette.nonmember, (4.0, 2.0)),
    ):
        y = [0.0, *(share for share in side for _ in range(2)), 0.0]
        if dashes is None:
            chart.area(x, y, colour, opacity=0.22, order=1.5)
        chart.line(x, y, colour, width=1.5, dashes=dashes, order=3)
    _name_sides(chart, histogram, words)


def _name_sides(chart: Chart, histogram: _Histogram, words: Words) -> None:
    """Write the name of each side above the bin in which it stands out most."""
    palette, (low, high) = chart.palette, chart.x_span
    highest = list(map(max, histogram.members, histogram.nonmembers))
    taken: list[tuple[float, float, float]] = []
    for mine, other, name, colour in (
        (histogram.members, histogram.nonmembers, "members", palette.member),
        (histogram.nonmembers, histogram.members, "nonmembers", palette.nonmember),
    ):
        text = words(f"figure.scores.{name}")
        place = max(range(len(mine)), key=lambda at, a=mine, b=other: a[at] - b[at])  # type: ignore[misc]
        width = LETTER * len(text) * (high - low) / chart.width
        centre = (histogram.edges[place] + histogram.edges[place + 1]) / 2
        start = min(max(centre - width / 2, low), high - width)
        # Above all bins that the name stands over, and above the other name where both meet.
        level = max(
            share
            for share, (left, right) in zip(highest, pairwise(histogram.edges), strict=True)
            if left < start + width and start < right
        )
        by = 4.0
        for begin, end, up in taken:
            if begin < start + width and start < end:
                by += 14.0 if level <= up else 0.0
                level = max(level, up)
        taken.append((start, start + width, level))
        chart.text(
            start + width / 2, level, text, colour=colour, side="center", level="bottom",
            by=(0, by), weight="bold", haloed=True,
        )  # fmt: skip
