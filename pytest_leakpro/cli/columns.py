"""Plain columns for a terminal.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["paragraph", "print_lines", "text_columns"]

WIDTH = 90


def text_columns(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    widest: Sequence[int | None] = (),
    right: Sequence[int] = (),
    indent: str = "",
) -> list[str]:
    """Lay out cells in columns, two spaces apart.

    Parameters
    ----------
    headings : sequence of str
        One per column.
    rows : sequence of sequence of str
        The cells, safe to print.
    widest : sequence of int or None
        A longer cell of that column goes on in the next line; None, or none given, for no limit.
    right : sequence of int
        Columns that are set to the right, as numbers are.
    indent : str
        What every line begins with.

    Returns
    -------
    list of str
        Lines without trailing spaces.
    """
    limits = [*widest, *([None] * (len(headings) - len(widest)))]
    table = [
        [_fold(cell, limit) for cell, limit in zip(row, limits, strict=True)]
        for row in (headings, *rows)
    ]
    widths = [
        max((len(line) for row in table for line in row[column]), default=0)
        for column in range(len(headings))
    ]
    lines = []
    for row in table:
        for parts in zip_longest(*row, fillvalue=""):
            cells = [
                part.rjust(width) if column in right else part.ljust(width)
                for column, (part, width) in enumerate(zip(parts, widths, strict=True))
            ]
            lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def _fold(cell: str, width: int | None) -> list[str]:
    if width is None or len(cell) <= width:
        return [cell]
    return textwrap.wrap(cell, width, break_on_hyphens=False)


def paragraph(text: str, indent: str = "") -> list[str]:
    """Break running text into lines."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def print_lines(lines: Sequence[str]) -> None:
    """Write lines to standard output."""
    for line in lines:
        print(line)  # noqa: T201 - the command's own voice
