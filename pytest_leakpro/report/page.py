"""The measurements of one test as a piece of HTML, for the page that pytest-html writes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.slice_figures import in_slice
from pytest_leakpro.gate.table import HEADINGS
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.finding import bounds, details, reruns
from pytest_leakpro.report.headline import verdict_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["html_fragment"]


def html_fragment(records: Sequence[Mapping[str, Any]]) -> str:
    """Write a table with a row per measurement and the details below each.

    Parameters
    ----------
    records : sequence of mapping
        Of one test.

    Returns
    -------
    str
        HTML without scripts, styles or anything from elsewhere; every text is escaped. Empty
        where there are no records.
    """
    if not records:
        return ""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in HEADINGS)
    rows = "".join(map(_rows, records))
    return f'<table class="leakpro"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _rows(record: Mapping[str, Any]) -> str:
    again = reruns(record)
    verdict = f"{verdict_mark(record)} {record['shown_verdict']}".strip()
    cells = (
        printable(record["target"], 60),
        printable(f"{record['metric']} {in_slice(record)}".strip(), 100),
        printable(record["shown_value"], 30),
        printable(bounds(record), 60),
        printable(record["shown_limit"], 30),
        printable(f"{verdict}, {again}" if again else verdict, 120),
    )
    figures = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    lines = "<br>".join(escape(f"{label} {text}".strip()) for label, text in details(record))
    return f'<tr>{figures}</tr><tr><td colspan="{len(HEADINGS)}"><small>{lines}</small></td></tr>'
