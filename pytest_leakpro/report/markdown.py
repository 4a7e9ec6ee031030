"""The summary as Markdown: for a job's page, a pull request's comment, or any other system.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import textwrap
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.slice_figures import in_slice
from pytest_leakpro.gate.table import is_regression
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.finding import (
    bounds,
    details,
    finding,
    reruns,
    worst_first,
)
from pytest_leakpro.report.headline import counted, headline, legend, verdict_mark
from pytest_leakpro.report.inert import NO_NAME, code_span, prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["COMMENT_BYTES", "SUMMARY_BYTES", "job_summary"]

COMMENT_BYTES = 60_000  # a comment on GitHub may have 65,536 characters
SUMMARY_BYTES = 1_000_000  # the summary of a step 1 MiB

_HEADINGS = ("target", "metric", "measured", "bounds", "limit", "verdict")
_CHANGE = "change since the baseline"
_MOST_MESSAGES = 10
# Enough for the texts around the rows, whatever the characters of the messages.
_FRAME_BYTES = 2_000
_LEAST_BYTES = 25_000
_TABLE_SHARE = 0.6
_LABEL_WIDTH = 12
_LINE_WIDTH = 100


def job_summary(
    records: Sequence[Mapping[str, Any]],
    messages: Sequence[str] = (),
    *,
    title: str = "Leakage audits",
    max_bytes: int = COMMENT_BYTES,
) -> str:
    """Write the audits of a session as Markdown that GitHub, GitLab and others render alike.

    Parameters
    ----------
    records : sequence of mapping
        One per measurement. The worst come first.
    messages : sequence of str
        What must be known of the session as a whole.
    title : str
        The heading.
    max_bytes : int
        The longest result in UTF-8, at least 25,000. Rows beyond it are left out, the best first,
        and the text says how many. The default fits a comment; the page of a job takes
        `SUMMARY_BYTES`.

    Returns
    -------
    str
        Names in it are inert: no markup, link or mention can come from a record.
    """
    ordered = worst_first(records)
    top = [f"## {prose(title, 80)}", headline(ordered)]
    said = [f"- {code_span(message, 400)}" for message in messages[:_MOST_MESSAGES]]
    if len(messages) > _MOST_MESSAGES:
        said.append(f"- {counted(len(messages) - _MOST_MESSAGES, 'more message')}")
    if said:
        top.append("\n".join(said))
    if not ordered:
        return "\n\n".join(top) + "\n"
    meanings = legend(ordered)
    room = max(max_bytes, _LEAST_BYTES) - _size("\n\n".join([*top, meanings])) - _FRAME_BYTES
    table = _table(ordered, int(room * _TABLE_SHARE))
    more = _details(ordered, room - _size(table))
    return "\n\n".join([*top, table, more, meanings]).rstrip() + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8"))


def _fitting(blocks: Iterable[str], room: int) -> list[str]:
    """Give the first blocks that fit into this many bytes together."""
    fitting = []
    for block in blocks:
        room -= _size(block) + 1
        if room < 0:
            break
        fitting.append(block)
    return fitting


def _table(ordered: Sequence[Mapping[str, Any]], room: int) -> str:
    compared = any(record["change"] is not None for record in ordered)
    headings = (*_HEADINGS, _CHANGE) if compared else _HEADINGS
    fitting = _fitting((_row(_cells(record)[: len(headings)]) for record in ordered), room)
    lines = [_row(headings), _row(["---"] * len(headings)), *fitting]
    left = ordered[len(fitting) :]
    if left:
        kinds = Counter(finding(record).value for record in left)
        said = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        lines += ["", f"**{counted(len(left), 'more row')} left out for length: {said}.**"]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(record: Mapping[str, Any]) -> list[str]:
    change = record["change"]
    mark = "❌ " if is_regression(record) else ""
    return [
        code_span(record["target"], 60),
        code_span(f"{record['metric']} {in_slice(record)}".strip(), 100),
        prose(record["shown_value"], 30),
        prose(bounds(record), 60),
        prose(record["shown_limit"], 30),
        _verdict(record),
        f"{mark}{prose(change['shown'], 200)}" if change else "-",
    ]


def _verdict(record: Mapping[str, Any]) -> str:
    text = f"{verdict_mark(record)} {prose(record['shown_verdict'], 40)}".strip()
    if record["error"]:
        text += f": {code_span(record['error'], 120)}"
    again = reruns(record)
    return f"{text}, {prose(again, 120)}" if again else text


def _details(ordered: Sequence[Mapping[str, Any]], room: int) -> str:
    fitting = _fitting(map(_block, ordered), room)
    left = len(ordered) - len(fitting)
    if left:
        fitting.append(f"{left:,} more left out for length\n")
    # Inside <pre> nothing but HTML has to be escaped, so that names are shown as they are.
    lines = "\n".join(fitting).rstrip("\n")
    return (
        "<details>\n<summary>How each was measured</summary>\n\n"
        f"<pre>\n{lines}\n</pre>\n\n</details>"
    )


def _block(record: Mapping[str, Any]) -> str:
    """Write the details of a record: a line of names, then labels and texts, escaped for HTML."""
    target = printable(record["target"], 60).strip() or NO_NAME
    lines = [f"{target}  {printable(record['metric'], 60)}"]
    for label, text in details(record):
        lines += textwrap.wrap(
            text,
            _LINE_WIDTH,
            initial_indent=f"  {label:<{_LABEL_WIDTH}}",
            subsequent_indent=" " * (_LABEL_WIDTH + 2),
            # Ids of tests are there to be copied.
            break_long_words=False,
            break_on_hyphens=False,
        )
    return escape("\n".join(lines), quote=False) + "\n"
