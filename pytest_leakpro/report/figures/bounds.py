"""The lower bounds of epsilon by each method.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.wording import printable, shown
from pytest_leakpro.report.figures.rows import Row, Rows, rows_panel
from pytest_leakpro.report.figures.telling import (
    budget_said,
    figures_of,
    finite,
    limit_said,
    sentences,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.report.figures.panel import Panel
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["bounds_panel"]

_MOST = 12
_NAME = 42


def bounds_panel(record: Mapping[str, Any], words: Words) -> Panel | None:
    """Draw the lower bounds of epsilon by each method; None where there are none.

    There is no upper bound: an attack refutes a claim, it does not prove it.

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
    entries = [entry for entry in evidence.get("bounds") or () if finite(entry["low"]) is not None]
    if not entries:
        return None
    rows = [_row(entry, words) for entry in entries[:_MOST]]
    value = finite(record["value"])
    if value is not None:
        shown_value, shown_low, _ = figures_of(record)
        text = words("figure.measured.least", value=shown_value, low=shown_low)
        rows.append(
            Row(
                words("figure.bounds.measured"), text, value, finite(record["low"]), None,
                colour="ink", strong=True,
            )
        )  # fmt: skip
    return rows_panel(
        "bounds",
        title_of("bounds", record, words),
        sentences(
            *(f"{row.name}: {row.text}." for row in rows),
            limit_said(record, words),
            words("figure.bounds.refutes"),
        ),
        Rows(rows, "decimal", finite(record["limit"]), budget_said(record, words)),
    )


def _row(entry: Mapping[str, Any], words: Words) -> Row:
    low = float(entry["low"])
    text = words("figure.bounds.least", low=shown(low, "decimal", toward=-1))
    if entry["decides"]:
        text = words("figure.bounds.decides", bound=text)
    return Row(
        printable(entry["method"], _NAME), text, low, low, None,
        mark="square" if entry["decides"] else "hollow",
    )  # fmt: skip
