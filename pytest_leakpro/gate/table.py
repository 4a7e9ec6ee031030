"""The summary table: a row per audit and budget, narrow enough for 80 columns.

It is made from plain records, so that the terminal, a notebook and a worker's report agree.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_leakpro.gate.notebook import NotebookRow, notebook_table
from pytest_leakpro.gate.rates import bounds_of, records_counted, shown_rates
from pytest_leakpro.gate.slice_figures import in_slice, slice_name
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "HEADINGS",
    "Remark",
    "TableRow",
    "detail",
    "html_table",
    "is_regression",
    "remarks_on",
    "table_header",
    "table_rows",
    "text_table",
    "verdict_counts",
]

HEADINGS = ("target", "metric", "measured", "bounds", "limit", "verdict")
WIDTH = 80
_LEAST_TARGET = 12


@dataclass(frozen=True)
class TableRow:
    """One row of the table.

    Attributes
    ----------
    figures : str
        Target, metric, estimate, bounds and limit, padded to their columns.
    verdict : str
        The last column.
    outcome : str or None
        ``"PASS"``, ``"FAIL"``, ``"INCONCLUSIVE"`` or None, to choose a colour by.
    weak : bool
        Whether a PASS comes from a weak suite.
    slices : tuple of TableRow
        The rows of its slices, indented.
    """

    figures: str
    verdict: str
    outcome: str | None
    weak: bool
    slices: tuple[TableRow, ...] = ()


@dataclass(frozen=True)
class Remark:
    """A line below a row.

    Attributes
    ----------
    text : str
        What it says.
    tone : {"plain", "notable", "bad"}
        To choose a colour by. Only plain ones are left out of a short summary.
    """

    text: str
    tone: Literal["plain", "notable", "bad"] = "plain"


def _cells(record: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        printable(record["target"], 40),
        printable(record["metric"], 28),
        record["shown_value"],
        bounds_of(record),
        record["shown_limit"],
        record["shown_verdict"],
    )


def _slice_cells(record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            f"  {printable(slice_name(entry['slicing'], entry['label']), 40)}",
            f"{entry['n_members']:,} + {entry['n_nonmembers']:,}",
            entry["shown_value"],
            f"{entry['shown_low']} to {entry['shown_high']}",
            "",
            entry["verdict"] or "-",
        )
        for entry in record.get("slices", ())
    ]


def _widths(records: Sequence[Mapping[str, Any]]) -> list[int]:
    rows = [_cells(record) for record in records]
    slices = [cells for record in records for cells in _slice_cells(record)]
    rows += [("", "", *cells[2:]) for cells in slices]
    widths = [max(len(cell) for cell in column) for column in zip(HEADINGS, *rows, strict=True)]
    excess = sum(widths) + 2 * (len(widths) - 1) - WIDTH
    for column, least in ((0, _LEAST_TARGET), (1, 14)):
        cut = max(0, min(excess, widths[column] - least))
        widths[column] -= cut
        excess -= cut
    # The names of slices stand across the first two columns, with their sizes where these fit.
    wanted = max((len(_slice_start(cells)) for cells in slices), default=0)
    widths[0] += max(0, min(-excess, wanted - _start(widths)))
    return widths


def _start(widths: Sequence[int]) -> int:
    return widths[0] + 2 + widths[1]


def _slice_start(cells: Sequence[str]) -> str:
    return f"{cells[0]}  {cells[1]}"


def _slice_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    room = _start(widths)
    start = _slice_start(cells)
    start = start if len(start) <= room else cells[0]
    return f"{printable(start, room).ljust(room)}  {_line(cells[2:], widths[2:])}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        printable(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)
    )


def table_header(records: Sequence[Mapping[str, Any]]) -> str:
    """Give the line of headings above the rows of these records."""
    return _line(HEADINGS, _widths(records)).rstrip()


def table_rows(records: Sequence[Mapping[str, Any]]) -> list[TableRow]:
    """Give the rows of the table.

    Parameters
    ----------
    records : sequence of mapping
        As of `Measurement.to_plain`.
    """
    widths = _widths(records)[:-1]
    return [
        TableRow(
            _line(_cells(record)[:-1], widths),
            record["shown_verdict"],
            record["verdict"],
            record["weak_suite"],
            tuple(
                TableRow(_slice_line(cells[:-1], widths), cells[-1], entry["verdict"], False)
                for cells, entry in zip(_slice_cells(record), record.get("slices", ()), strict=True)
            ),
        )
        for record in records
    ]


def detail(record: Mapping[str, Any]) -> str:
    """Say by which attack, how often it was right, on how many records, in what time."""
    rates = shown_rates(record.get("evidence"))
    width = 24 if rates else 40
    attack = f"by {printable(record['attack'], width)}; " if record["attack"] else ""
    attack += f"{rates}; " if rates else ""
    where = in_slice(record)
    if where:
        attack = f"{printable(where, 60)} {attack}"
    sizes = records_counted(record.get("evidence"), census=record.get("census", False))
    sizes = sizes or " + ".join(f"{size:,}" for size in record["sizes"].values() if size)
    sizes += _queries(record)
    return f"{attack}{printable(record['strength'], 80)}; {sizes}; {record['seconds']:.1f} s"


def _queries(record: Mapping[str, Any]) -> str:
    """Say how often the attack asked about each record or person, where that is more than once."""
    figures = record.get("figures") or ()
    asked = [entry.get("queries") for entry in figures if entry["attack"] == record["attack"]]
    units = sum(record["sizes"].values())
    if not asked or asked[0] is None or not units or asked[0] < 1.5 * units:
        return ""
    return f", {asked[0] / units:,.0f} queries each"


def _notes(record: Mapping[str, Any]) -> list[str]:
    return [f"note: {printable(text, 300)}" for text in record.get("remarks", ())]


def _detail_line(record: Mapping[str, Any]) -> str:
    return printable(detail(record), WIDTH - 2)


def remarks_on(record: Mapping[str, Any]) -> list[Remark]:
    """Say what else there is to a row: its error, its attacks, what changed, reruns.

    Parameters
    ----------
    record : mapping
        A record as a session writes it.
    """
    if record["error"] is not None:
        remarks = [Remark(printable(record["error"], 300), "notable")]
    else:
        remarks = [Remark(_detail_line(record)), *map(Remark, _notes(record))]
    change = record.get("change")
    if change is not None and change["outcome"] != "no baseline":
        remarks.append(
            Remark(printable(change["shown"], 300), "bad" if is_regression(record) else "plain")
        )
        if change["outcome"] != "incomparable":  # there the note is what is shown
            remarks += [Remark(f"note: {printable(note, 300)}") for note in change["notes"]]
    if record["earlier"]:
        earlier = ", ".join(printable(word, 20) for word in record["earlier"])
        remarks.append(
            Remark(f"attempt {record['attempt']} of this test; earlier: {earlier}", "notable")
        )
    return remarks


def is_regression(record: Mapping[str, Any]) -> bool:
    """Tell whether a record is a significant increase over its baseline."""
    return (record.get("change") or {}).get("outcome") == "regression"


def verdict_counts(records: Sequence[Mapping[str, Any]]) -> str:
    """Count the verdicts, as ``"3 budgets: 2 PASS, 1 FAIL; 1 regression"``; empty without any."""
    counts = Counter(record["shown_verdict"] for record in records if record["verdict"])
    worse = sum(map(is_regression, records))
    said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    noun = "budget" if counts.total() == 1 else "budgets"
    parts = [f"{counts.total()} {noun}: {said}"] if counts else []
    if worse:
        parts.append(f"{worse} {'regression' if worse == 1 else 'regressions'}")
    return "; ".join(parts)


def text_table(records: Sequence[Mapping[str, Any]]) -> str:
    """Write the whole table without colours."""
    lines = [table_header(records)]
    for row, record in zip(table_rows(records), records, strict=True):
        lines += [f"{row.figures}  {row.verdict}".rstrip(), f"  {_detail_line(record)}"]
        lines += [f"  {note}" for note in _notes(record)]
        lines += [f"{part.figures}  {part.verdict}".rstrip() for part in row.slices]
    return "\n".join(lines)


def html_table(records: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()) -> str:
    """Write the table as HTML, for a notebook; every name is escaped.

    Parameters
    ----------
    records : sequence of mapping
        As of `Measurement.to_plain`.
    notes : sequence of str
        What must be known of the audit as a whole.
    """
    rows = []
    for record in records:
        below = (detail(record), *_notes(record))
        rows.append(NotebookRow(_cells(record), below))
        rows += [NotebookRow(cells, part=True) for cells in _slice_cells(record)]
    return notebook_table(HEADINGS, rows, [f"note: {note}" for note in notes])
