"""What was found in each slice, the most exposed first.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.slice_figures import slice_name
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.completing import unit_of
from pytest_leakpro.report.figures.rows import Row, Rows, rows_panel
from pytest_leakpro.report.figures.telling import (
    base_of,
    budget_said,
    finite,
    limit_said,
    measured,
    sentences,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.report.figures.panel import Panel
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["slices_panel"]

_MOST = 20
_NAME = 30
# The verdict by shape; its word stands beside.
_MARKS = {"FAIL": ("square", "bad"), "PASS": ("dot", "good"), "INCONCLUSIVE": ("hollow", "warn")}


def slices_panel(record: Mapping[str, Any], words: Words) -> Panel | None:
    """Draw value and bounds of each slice; None where there are none.

    Of more than 20 the most exposed are drawn.

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
    entries = [entry for entry in record.get("slices", ()) if finite(entry["value"]) is not None]
    if not entries:
        return None
    entries.sort(key=lambda entry: (-entry["value"], entry["slicing"], entry["label"]))
    rows = [_row(record, entry, words) for entry in entries[:_MOST]]
    left_out = len(entries) - len(rows)
    told = [f"{row.name}: {row.text}." for row in rows]
    if left_out:
        told.append(words("figure.slices.more", n=words.number(left_out)))
    return rows_panel(
        "slices",
        title_of("slices", record, words),
        sentences(*told, limit_said(record, words)),
        Rows(
            rows,
            unit_of(record),
            finite(record["limit"]),
            budget_said(record, words),
            base_of(record),
        ),
    )


def _row(record: Mapping[str, Any], entry: Mapping[str, Any], words: Words) -> Row:
    mark: Any
    mark, colour = _MARKS.get(entry["verdict"] or "", ("dot", "accent"))
    text = measured(record, words, entry)
    return Row(
        printable(slice_name(entry["slicing"], entry["label"]), _NAME),
        f"{text} {entry['verdict']}" if entry["verdict"] else text,
        entry["value"],
        finite(entry["low"]),
        finite(entry["high"]),
        mark=mark,
        colour=colour,
        strong=record.get("slice") == slice_name(entry["slicing"], entry["label"]),
    )
