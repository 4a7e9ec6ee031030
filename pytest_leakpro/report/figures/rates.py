"""How often attack, control and naive guess were right, and the risk beyond the control.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.completing import unit_of
from pytest_leakpro.report.figures.rows import Row, Rows, rows_panel
from pytest_leakpro.report.figures.telling import (
    budget_said,
    finite,
    limit_said,
    measured,
    said,
    sentences,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.report.figures.panel import Panel
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["rates_panel"]

_MARKS = {"main": "solid", "control": "hatched", "naive": "outline", "baseline": "hatched"}
_COLOURS = {"main": "accent", "control": "muted", "naive": "muted", "baseline": "muted"}


def rates_panel(record: Mapping[str, Any], words: Words) -> Panel | None:
    """Draw how often attack, control and naive guess were right; None where nothing was counted.

    The intervals of attack, control and naive guess are those of Clopper and Pearson at the
    record's alpha; the last row is the record's value with its bounds, which decide.

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
    evidence = record["evidence"] or {}
    sides = [side for side in _MARKS if _counted(evidence, side) is not None]
    value = finite(record["value"])
    if not sides or value is None or unit_of(record) != "percent":
        return None
    # Of counts the control is not subtracted.
    counts = evidence["kind"] == "counts" or len(sides) == 1
    rows = [_row(record, side, words) for side in sides]
    rows.append(
        Row(
            words("figure.rates.measured" if counts else "figure.rates.beyond"),
            measured(record, words),
            value,
            finite(record["low"]),
            finite(record["high"]),
            bounded=not record.get("census"),
            colour="ink",
            strong=True,
        )
    )
    told = [f"{row.name}: {row.text}." for row in rows]
    return rows_panel(
        "rates",
        title_of("counts" if counts else "rates", record, words),
        sentences(*told, limit_said(record, words)),
        Rows(rows, "percent", finite(record["limit"]), budget_said(record, words)),
    )


def _counted(evidence: Mapping[str, Any], side: str) -> tuple[int, int] | None:
    """Give successes and attempts of a side; None where it was not tried."""
    successes, attempts = (
        finite((evidence.get(name) or {}).get(side)) for name in ("successes", "attempts")
    )
    if successes is None or attempts is None or not 0 <= successes <= attempts or attempts < 1:
        return None
    return int(successes), int(attempts)


def _row(record: Mapping[str, Any], side: str, words: Words) -> Row:
    evidence = record["evidence"]
    counted = _counted(evidence, side)
    assert counted is not None
    count, of = counted
    scale, most = 1.0, count
    if side == "control":
        scale = finite(evidence.get("control_scale")) or 1.0
        most = min(max(int(finite(evidence.get("control_most")) or count), count), of)
    rate = min(1.0, scale * count / of)
    low = high = None
    drawn = _is_sample(record)
    if drawn:
        low, high = _bounds(count, most, of, record["alpha"])
        low, high = min(1.0, scale * low), min(1.0, scale * high)
    text = words(
        "figure.rates.count",
        rate=said(rate),
        count=words.number(count) + ("" if most == count else f"–{words.number(most)}"),
        of=words.number(of),
    )
    mark: Any = _MARKS[side]
    name = "found" if side == "main" and evidence["kind"] == "counts" else side
    return Row(words(f"figure.rates.{name}"), text, rate, low, high, drawn, mark, _COLOURS[side])


def _is_sample(record: Mapping[str, Any]) -> bool:
    """Tell whether the attempts are independent draws, so that a share of them has an interval."""
    evidence = record["evidence"]
    if record.get("census") or evidence["kind"] == "counts":
        return False
    return bool(evidence["kind"] != "reconstructions" or evidence.get("unit") == "attempts")


def _bounds(count: int, most: int, of: int, alpha: float) -> tuple[float, float]:
    from pytest_leakpro.stats.binomial import clopper_pearson_lower, clopper_pearson_upper

    return (
        float(clopper_pearson_lower(count, of, alpha / 2)),
        float(clopper_pearson_upper(most, of, alpha / 2)),
    )
