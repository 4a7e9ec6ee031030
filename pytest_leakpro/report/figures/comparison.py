"""Defences side by side: what leaks against what the model is worth.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.completing import unit_of
from pytest_leakpro.report.figures.chart import LETTER
from pytest_leakpro.report.figures.panel import WIDTH, Margins, Panel
from pytest_leakpro.report.figures.rows import Row, Rows, rows_panel
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
    measured,
    sentences,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.gate.wording import Unit
    from pytest_leakpro.report.figures.chart import Chart, Span
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["comparison_panel"]

_MOST = 24
_NAME = 26
_LINE = 13.0
# Shape and colour by how it compares with the first.
_MARKS = {
    "first": ("square", "ink"),
    "lower": ("dot", "good"),
    "not told apart": ("hollow", "muted"),
    "higher": ("square", "bad"),
    "incomparable": ("hollow", "muted"),
}
_SIGNS = {"lower": " ↓", "higher": " ↑", "not told apart": " ≈"}
_KEYS = {
    "first": "first",
    "lower": "lower",
    "not told apart": "same",
    "higher": "higher",
    "incomparable": "incomparable",
}


class _Box(NamedTuple):
    left: float
    low: float
    right: float
    high: float

    def meets(self, other: _Box) -> bool:
        """Tell whether two boxes overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.low < other.high
            and other.low < self.high
        )


def comparison_panel(records: Sequence[Mapping[str, Any]], words: Words) -> Panel | None:
    """Draw the defences of one comparison by one metric.

    Parameters
    ----------
    records : sequence of mapping
        Of each defence one, or one per attacker, of which the one who found most is drawn; those
        without a value are left out.
    words : Words
        The language.

    Returns
    -------
    Panel or None
        What leaks, with its bounds, against the utility; where some have none, a row per defence.
        None where there is nothing to draw.
    """
    scored = _strongest(records)[:_MOST]
    if not scored:
        return None
    first = scored[0]
    title = words(
        "figure.comparison.title",
        name=printable(first["comparison"]["name"], 60),
        metric=printable(first["metric"], 60),
    )
    useful = all(finite(record["comparison"].get("utility")) is not None for record in scored)
    told = [_told(record, words) for record in scored]
    told += [limit_said(first, words)] if _common_limit(scored) is not None else []
    if not useful:
        rows = [_row(record, words) for record in scored]
        limit = _common_limit(scored)
        return rows_panel(
            "comparison",
            title,
            sentences(*told),
            Rows(rows, unit_of(first), limit, budget_said(first, words), base_of(first)),
        )
    return Panel(
        "comparison",
        title,
        sentences(*told),
        lambda chart: draw_comparison(chart, scored, words),
        height=290,
        margins=Margins(46, 20, 26, 44),
    )


def _strongest(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give one record per defence, in their order: of several attackers the one who found most."""
    found: dict[tuple[int, str], Mapping[str, Any]] = {}
    for record in records:
        compared = record.get("comparison")
        if compared and finite(record["value"]) is not None:
            key = (compared["order"], compared["defence"])
            if key not in found or record["value"] > found[key]["value"]:
                found[key] = record
    return [found[key] for key in sorted(found)]


def _common_limit(records: Sequence[Mapping[str, Any]]) -> float | None:
    limits = {finite(record["limit"]) for record in records}
    return limits.pop() if len(limits) == 1 else None


def _outcome(record: Mapping[str, Any]) -> str:
    outcome = record["comparison"].get("outcome") or ""
    return outcome if outcome in _MARKS else "incomparable"


def _name(record: Mapping[str, Any]) -> str:
    return printable(record["comparison"]["defence"], _NAME)


def _told(record: Mapping[str, Any], words: Words) -> str:
    """Say of a defence what leaks, how that compares with the first, and its utility."""
    compared = record["comparison"]
    utility = compared.get("shown_utility") or ""
    text = words(
        "figure.comparison.entry",
        defence=_name(record),
        measured=measured(record, words),
        outcome=words(f"figure.comparison.{_KEYS[_outcome(record)]}"),
    )
    if not utility or finite(compared.get("utility")) is None:
        return f"{text}."
    name = printable(compared.get("utility_name") or words("figure.comparison.utility"), 40)
    return f"{text}; {name} {printable(utility, 20)}."


def _row(record: Mapping[str, Any], words: Words) -> Row:
    mark: Any
    mark, colour = _MARKS[_outcome(record)]
    sign = _SIGNS.get(_outcome(record), "")
    return Row(
        f"{_name(record)}{sign}",
        measured(record, words),
        record["value"],
        finite(record["low"]),
        finite(record["high"]),
        bounded=not record.get("census"),
        mark=mark,
        colour=colour,
    )


def draw_comparison(chart: Chart, records: Sequence[Mapping[str, Any]], words: Words) -> None:
    """Draw what leaks of each defence against its utility, which all of them have."""
    palette, unit = chart.palette, unit_of(records[0])
    limit = _common_limit(records)
    worth = [float(record["comparison"]["utility"]) for record in records]
    across = linear_span(worth, None)
    span, ticks, log = _leakage_scale(records, limit, unit)
    chart.scales(across, span, log_y=log)
    chart.ticks_x(((step, f"{step:g}") for step in nice_steps(across, 5)), grid=False)
    chart.ticks_y((tick, written(tick, unit)) for tick in ticks)
    name = records[0]["comparison"].get("utility_name") or words("figure.comparison.utility")
    chart.name_x(printable(name, 40))
    chart.name_y(printable(records[0]["metric"], 40))
    if limit is not None:
        chart.line(across, [limit] * 2, palette.limit, width=1.3, dashes=(5, 2.5), order=1.5)
        chart.text(
            across[0], limit, budget_said(records[0], words),
            colour=palette.limit, level="bottom", by=(2, 3), haloed=True,
        )  # fmt: skip
    for record, x in zip(records, worth, strict=True):
        mark, colour = _MARKS[_outcome(record)]
        if not record.get("census"):
            chart.interval(
                x, finite(record["low"]), finite(record["high"]), palette.muted, width=1.4
            )
        chart.dots(
            [x], [max(record["value"], span[0])], getattr(palette, colour),
            hollow=mark == "hollow", square=mark == "square", size=8,
        )  # fmt: skip
    _name_defences(chart, records, worth)


def _leakage_scale(
    records: Sequence[Mapping[str, Any]], limit: float | None, unit: Unit
) -> tuple[Span, list[float], bool]:
    marks = [float(record["value"]) for record in records] + ([] if limit is None else [limit])
    ends = [finite(record[side]) for record in records for side in ("low", "high")]
    held = [*marks, *(end for end in ends if end is not None)]
    if unit == "percent" and min(marks) > 0 and suits_logarithm(marks):
        span = log_span([*marks, *(end for end in held if end > min(marks) / 3)])
        return span, powers(span), True
    span = linear_span(held, base_of(records[0]))
    if unit == "percent" and max(held) <= 1:
        span = (span[0], min(span[1], 1.0))
    return span, nice_steps(span, 5), False


def _name_defences(
    chart: Chart, records: Sequence[Mapping[str, Any]], worth: Sequence[float]
) -> None:
    """Write each name beside its point, on a side where it meets no other."""
    points = [
        chart.pixels(x, max(record["value"], chart.y_span[0]))
        for record, x in zip(records, worth, strict=True)
    ]
    taken = [_Box(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    for record, x, (left, up) in zip(records, worth, points, strict=True):
        text = f"{_name(record)}{_SIGNS.get(_outcome(record), '')}"
        width = LETTER * len(text)
        choices = [
            (side, by)
            for lift in (0.0, _LINE, -_LINE, 2 * _LINE, -2 * _LINE)
            for side, by in (("left", (9.0, lift)), ("right", (-9.0, lift)))
        ]
        fitting: tuple[str, Span, _Box | None] | None = None
        for side, by in choices:
            start = left + by[0] if side == "left" else left + by[0] - width
            box = _Box(start, up + by[1] - 6, start + width, up + by[1] + 6)
            if box.left < chart.left - 40 or box.right > chart.left + _room(chart):
                continue
            if not any(box.meets(other) for other in taken):
                fitting = side, by, box
                break
        if fitting is None:  # better one name on another than a name that is not there
            side = "left" if left - chart.left < _room(chart) / 2 else "right"
            fitting = side, (9.0 if side == "left" else -9.0, 0.0), None
        where: Any = fitting[0]
        if fitting[2] is not None:
            taken.append(fitting[2])
        chart.text(
            x, max(record["value"], chart.y_span[0]), text,
            colour=chart.palette.ink, side=where, by=fitting[1], haloed=True,
        )  # fmt: skip


def _room(chart: Chart) -> float:
    return WIDTH - chart.left - 4
