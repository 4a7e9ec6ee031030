"""A measurement over the runs.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.gate.wording import printable, shown
from pytest_leakpro.report.completing import unit_of
from pytest_leakpro.report.figures.chart import LETTER
from pytest_leakpro.report.figures.panel import Margins, Panel
from pytest_leakpro.report.figures.scale import (
    linear_span,
    log_span,
    nice_steps,
    powers,
    suits_logarithm,
)
from pytest_leakpro.report.figures.telling import (
    base_of,
    budget_said,
    finite,
    limit_said,
    sentences,
    title_of,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.gate.wording import Unit
    from pytest_leakpro.report.figures.chart import Chart
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["draw_history", "history_panel"]

_MOST = 100
_COMMIT = 7
_TICKS = 4


class _Run(NamedTuple):
    place: int
    value: float
    low: float | None
    high: float | None
    comparable: bool


def history_panel(
    points: Sequence[Mapping[str, Any]], record: Mapping[str, Any], words: Words
) -> Panel | None:
    """Draw a measurement over the runs; None where it was scored in none of them.

    Parameters
    ----------
    points : sequence of mapping
        One per run, the oldest first, as of `report.series.series`. Of more than 100 the latest
        are drawn; a run in which nothing was scored leaves a gap.
    record : mapping
        The latest measurement.
    words : Words
        The language.

    Returns
    -------
    Panel or None
        None where there is nothing to draw.
    """
    points = points[-_MOST:]
    runs = _runs(points)
    if not runs:
        return None
    unit = unit_of(record)
    first, last = runs[0], runs[-1]
    values = [run.value for run in runs]
    told = [
        words("figure.history.runs", n=words.number(len(points))),
        words(
            "figure.history.ends",
            first=_shown(points[first.place], unit),
            last=_shown(points[last.place], unit),
            least=shown(min(values), unit),
            most=shown(max(values), unit),
        ),
    ]
    if len(runs) < len(points):
        told.append(words.count("figure.history.gaps", len(points) - len(runs)))
    others = sum(not run.comparable for run in runs)
    if others:
        told.append(words.count("figure.history.other", others))
    return Panel(
        "history",
        title_of("history", record, words),
        sentences(*told, limit_said(record, words)),
        lambda chart: draw_history(chart, points, record, words),
        height=220,
        margins=Margins(46, 14 + LETTER * len(_shown(points[last.place], unit)), 26, 28),
    )


def _shown(point: Mapping[str, Any], unit: Unit) -> str:
    text = point.get("shown_value")
    return printable(text, 20) if text else shown(point["value"], unit)


def _runs(points: Sequence[Mapping[str, Any]]) -> list[_Run]:
    runs = []
    for place, point in enumerate(points):
        value = finite(point.get("value"))
        if value is not None:
            low, high = finite(point.get("low")), finite(point.get("high"))
            runs.append(_Run(place, value, low, high, point.get("comparable", True)))
    return runs


def draw_history(
    chart: Chart, points: Sequence[Mapping[str, Any]], record: Mapping[str, Any], words: Words
) -> None:
    """Draw the runs, of which at least one was scored."""
    runs, unit, palette = _runs(points), unit_of(record), chart.palette
    limits = [finite(point.get("limit")) for point in points]
    span, ticks, log = _scale(runs, [limit for limit in limits if limit is not None], record)
    chart.scales((-0.6, len(points) - 0.4), span, log_y=log)
    chart.ticks_y((tick, written(tick, unit)) for tick in ticks)
    chart.ticks_x(_commits(points), grid=False)
    chart.name_y(printable(record["metric"], 40))
    _draw_limits(chart, limits, record, words)
    _draw_intervals(chart, runs, 1.1 if len(points) > 40 else 1.5)
    size = 7.0 if len(points) <= 25 else 4.5
    broken = [math.nan] * len(points)
    for run in runs:
        broken[run.place] = max(run.value, span[0])
    chart.line(range(len(points)), broken, palette.accent, width=1, order=4.5)
    for comparable in (True, False):
        chosen = [run for run in runs if run.comparable is comparable]
        if chosen:
            chart.dots(
                [run.place for run in chosen],
                [max(run.value, span[0]) for run in chosen],
                palette.accent, size=size, hollow=not comparable,
            )  # fmt: skip
    last = runs[-1]
    chart.text(
        last.place, max(last.value, span[0]), _shown(points[last.place], unit),
        colour=palette.ink, weight="bold", by=(7, 0), haloed=True,
    )  # fmt: skip


def _draw_intervals(chart: Chart, runs: Sequence[_Run], width: float) -> None:
    """Draw the bounds of each run: those that have both as one line, which is short to write."""
    colour, (least, most) = chart.palette.muted, chart.y_span
    x: list[float] = []
    y: list[float] = []
    for run in runs:
        if run.low is None or run.high is None:
            chart.interval(run.place, run.low, run.high, colour, width=width, stops=False)
        else:
            x += [run.place, run.place, math.nan]
            y += [*(min(max(end, least), most) for end in (run.low, run.high)), math.nan]
    if x:
        chart.line(x, y, colour, width=width, order=4)


def _scale(
    runs: Sequence[_Run], limits: Sequence[float], record: Mapping[str, Any]
) -> tuple[tuple[float, float], list[float], bool]:
    marks = [run.value for run in runs] + list(limits)
    ends = [end for run in runs for end in (run.low, run.high) if end is not None]
    if unit_of(record) == "percent" and min(marks) > 0 and suits_logarithm(marks):
        low, high = log_span([*marks, *(end for end in ends if end > min(marks) / 3)])
        return (low, high), powers((low, high)), True
    span = linear_span([*marks, *ends], base_of(record))
    if unit_of(record) == "percent" and max(*marks, *ends, 0) <= 1:
        span = (span[0], min(span[1], 1.0))
    return span, nice_steps(span, 5), False


def _commits(points: Sequence[Mapping[str, Any]]) -> list[tuple[float, str]]:
    """Name some runs by their commits, where these are known, else by the day."""
    count = len(points)
    wanted = min(_TICKS, count)
    places = sorted({round(turn * (count - 1) / max(wanted - 1, 1)) for turn in range(wanted)})
    ticks = []
    for place in places:
        point = points[place]
        text = str(point.get("commit") or "")[:_COMMIT] or str(point.get("time") or "")[:10]
        if text:
            ticks.append((float(place), printable(text, 12)))
    return ticks


def _draw_limits(
    chart: Chart, limits: Sequence[float | None], record: Mapping[str, Any], words: Words
) -> None:
    """Draw the budget as it was at each run."""
    x: list[float] = []
    y: list[float] = []
    for place, limit in enumerate(limits):
        level = math.nan if limit is None else max(limit, chart.y_span[0])
        x += [place - 0.5, place + 0.5]
        y += [level, level]
    if all(map(math.isnan, y)):
        return
    corners = [
        place
        for place in range(len(y))
        if place in (0, len(y) - 1) or not y[place - 1] == y[place] == y[place + 1]
    ]
    palette = chart.palette
    chart.line(
        [x[place] for place in corners], [y[place] for place in corners],
        palette.limit, width=1.3, dashes=(5, 2.5), order=1.5,
    )  # fmt: skip
    first = next(place for place, level in enumerate(y) if not math.isnan(level))
    chart.text(
        x[first], y[first], budget_said(record, words),
        colour=palette.limit, level="bottom", by=(2, 3), haloed=True,
    )  # fmt: skip
