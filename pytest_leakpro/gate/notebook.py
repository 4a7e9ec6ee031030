"""Tables for notebooks: readable on a light and on a dark ground, and not to be confused with code.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NotebookRow", "notebook_table"]

# Notebooks give tables a ground of their own in every other row, numbers or not to the right.
_TABLE = "color:inherit;border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0.5em 0"
_CELL = "text-align:left;padding:0.35em 1.2em 0.35em 0;vertical-align:baseline;background:none"
_ROW = "background:none;border-top:1px solid rgba(128,128,128,0.4)"
_BELOW = "text-align:left;padding:0 0 0.5em 0;font-size:0.9em;opacity:0.8;background:none"
_MARK = "padding:0.1em 0.5em;border-radius:0.25em;white-space:nowrap;font-weight:600;color:#fff"
# White on these is read as well on a light as on a dark page; the word says the same.
_GROUNDS = {
    "FAIL": "#a83a00",
    "ERROR": "#a83a00",
    "INCONCLUSIVE": "#7a5200",
    "PASS": "#00664c",
}
_LONGEST = 400


@dataclass(frozen=True)
class NotebookRow:
    """One row.

    Attributes
    ----------
    cells : sequence of str
        As many as there are headings.
    below : sequence of str
        Lines that stand below, across all columns.
    part : bool
        Whether it belongs to the row above.
    """

    cells: Sequence[str]
    below: Sequence[str] = ()
    part: bool = False


def notebook_table(
    headings: Sequence[str], rows: Sequence[NotebookRow], notes: Sequence[str] = ()
) -> str:
    """Write a table as HTML.

    Parameters
    ----------
    headings : sequence of str
        Of the columns. In the column ``verdict`` a verdict is marked by a ground.
    rows : sequence of NotebookRow
        From the top.
    notes : sequence of str
        Lines below the table.

    Returns
    -------
    str
        Without scripts, ids or anything from elsewhere; all texts are escaped, and all styles stand
        on the elements themselves, so that nothing else in the notebook changes.
    """
    head = "".join(
        f'<th scope="col" style="{_CELL};font-weight:600">{_text(heading)}</th>'
        for heading in headings
    )
    verdict = headings.index("verdict") if "verdict" in headings else None
    body = "".join(_row(row, len(headings), verdict) for row in rows)
    below = "".join(
        f'<p style="font-size:0.9em;margin:0.2em 0">{_text(note)}</p>' for note in notes
    )
    return (
        f'<table style="{_TABLE}"><thead><tr style="background:none">{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>{below}"
    )


def _row(row: NotebookRow, columns: int, verdict: int | None) -> str:
    cells = []
    for place, cell in enumerate(row.cells):
        indent = ";padding-left:1.2em" if row.part and place == 0 else ""
        marked = _verdict(cell) if place == verdict else _text(cell)
        cells.append(f'<td style="{_CELL}{indent}">{marked}</td>')
    style = "background:none" if row.part else _ROW
    html = f'<tr style="{style}">{"".join(cells)}</tr>'
    if row.below:
        lines = "<br>".join(map(_text, row.below))
        cell = f'<td colspan="{columns}" style="{_BELOW}">{lines}</td>'
        html += f'<tr style="background:none">{cell}</tr>'
    return html


def _verdict(text: str) -> str:
    ground = _GROUNDS.get(text.partition(" ")[0])
    if ground is None:
        return _text(text)
    return f'<span style="{_MARK};background:{ground}">{_text(text)}</span>'


def _text(text: str) -> str:
    return escape(printable(text.strip(), _LONGEST))
