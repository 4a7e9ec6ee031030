"""Defences side by side: a row for each of them and metric, with its utility.

It is made from plain records, as the summary table is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.notebook import NotebookRow, notebook_table
from pytest_leakpro.gate.rates import bounds_of
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Record = Mapping[str, Any]

__all__ = ["comparisons_in", "html_comparison", "text_comparison"]

_WIDEST = 40


def comparisons_in(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Gather the records of each comparison, by its name.

    Parameters
    ----------
    records : iterable of mapping
        Of a session; those that were not compared are left out.
    """
    found: dict[str, list[Record]] = {}
    for record in records:
        about = record.get("comparison")
        if about:
            found.setdefault(about["name"], []).append(record)
    return found


def text_comparison(records: Sequence[Record]) -> list[str]:
    """Write one comparison as lines of a table.

    Parameters
    ----------
    records : sequence of mapping
        Of one comparison.
    """
    headings, rows = _cells(records)
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [headings, *rows]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in lines
    ]
    return [*text, *(f"  note: {note}" for note in _notes(records))]


def html_comparison(records: Sequence[Record]) -> str:
    """Write one comparison as an HTML table, for a notebook; every name is escaped."""
    headings, rows = _cells(records)
    rows_of = [NotebookRow(row) for row in rows]
    return notebook_table(headings, rows_of, [f"note: {note}" for note in _notes(records)])


def _cells(records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    metrics = list(dict.fromkeys(record["metric"] for record in records))
    ordered = sorted(
        records,
        key=lambda record: (metrics.index(record["metric"]), record["comparison"]["order"]),
    )
    first = ordered[0]["comparison"]
    # The headings that are the same in all rows are left out.
    with_utility = any(record["comparison"].get("shown_utility") for record in ordered)
    with_attackers = len({record["access"] for record in ordered}) > 1
    headings = ["defence", "metric", "measured", "bounds", "limit", "verdict"]
    if with_attackers:
        headings.insert(2, "attacker")
    if with_utility:
        headings.insert(1, printable(first.get("utility_name") or "utility", _WIDEST))
    headings.append(f"against {printable(first['defence'], _WIDEST)}")
    return headings, [_row(record, with_utility, with_attackers) for record in ordered]


def _row(record: Record, with_utility: bool, with_attackers: bool) -> list[str]:
    about = record["comparison"]
    row = [
        printable(about["defence"], _WIDEST),
        printable(record["metric"], _WIDEST),
        record["shown_value"],
        bounds_of(record),
        record["shown_limit"],
        record["shown_verdict"],
    ]
    if with_attackers:
        row.insert(2, printable(record["access"], _WIDEST))
    if with_utility:
        row.insert(1, about.get("shown_utility") or "-")
    return [*row, printable(about["shown"], 80)]


def _notes(records: Sequence[Record]) -> list[str]:
    said = {
        about["defence"]: about["hides_scores"]
        for about in (record["comparison"] for record in records)
        if about.get("hides_scores") and not about.get("label_only_audited")
    }
    return [
        f"{printable(defence, _WIDEST)} hides scores ({printable(hidden, _WIDEST)}) and was not "
        "audited with an attacker who sees labels alone"
        for defence, hidden in said.items()
    ]
