"""The summary at the end of a session.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.comparison_table import comparisons_in, text_comparison
from pytest_leakpro.gate.table import remarks_on, table_header, table_rows, verdict_counts
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import pytest

    from pytest_leakpro.gate.table import TableRow

__all__ = ["write_summary"]

_COLOURS = {
    "PASS": {"green": True},
    "FAIL": {"red": True, "bold": True},
    "INCONCLUSIVE": {"yellow": True},
    "ERROR": {"red": True, "bold": True},
}
_TONES: dict[str, dict[str, bool]] = {
    "plain": {},
    "notable": {"yellow": True},
    "bad": {"red": True, "bold": True},
}


def write_summary(
    reporter: pytest.TerminalReporter,
    audits: list[dict[str, Any]],
    messages: list[str],
    remarks: list[str],
) -> None:
    """Write a row per audit and budget; nothing where nothing was audited.

    Parameters
    ----------
    reporter : pytest.TerminalReporter
        Decides on colours and verbosity.
    audits : list of dict
        Each with its notes and its records.
    messages : list of str
        What is wrong with the session as a whole.
    remarks : list of str
        What else there is to know of it.
    """
    records = [record for audit in audits for record in audit["records"]]
    if not records and not messages:
        return
    reporter.write_sep("=", "leakage audits")
    if records:
        _write_table(reporter, audits, records)
    for remark in remarks:
        reporter.write_line(f"leakpro: {printable(remark)}")
    for message in messages:
        reporter.write_line(f"leakpro: {printable(message)}", red=True)


def _write_table(
    reporter: pytest.TerminalReporter,
    audits: list[dict[str, Any]],
    records: list[dict[str, Any]],
) -> None:
    reporter.write_line(table_header(records), bold=True)
    rows = iter(table_rows(records))
    for audit in audits:
        for record in audit["records"]:
            _write_row(reporter, next(rows), record)
        for note in audit["notes"]:
            reporter.write_line(f"  note: {printable(note, 500)}")
    for name, compared in comparisons_in(records).items():
        reporter.write_line(f"defences compared in {printable(name, 200)}", bold=True)
        for line in text_comparison(compared):
            reporter.write_line(f"  {line}")
    counts = verdict_counts(records)
    if counts:
        seeds = sorted({record["seed"] for record in records})
        level = sorted({record["alpha"] for record in records})
        reporter.write_line(f"{counts}   (seed {_all(seeds)}, alpha {_all(level)})")


def _write_row(reporter: pytest.TerminalReporter, row: TableRow, record: dict[str, Any]) -> None:
    colour = _COLOURS.get(row.outcome or "", {})
    if row.weak and row.outcome == "PASS":
        colour = {"yellow": True}
    reporter.write(f"{row.figures}  ")
    reporter.write_line(row.verdict, **colour)
    for remark in remarks_on(record):
        if reporter.verbosity >= 0 or remark.tone != "plain":
            reporter.write_line(f"  {remark.text}", **_TONES[remark.tone])
    for part in row.slices if reporter.verbosity >= 0 else ():
        reporter.write(f"{part.figures}  ")
        reporter.write_line(part.verdict, **_COLOURS.get(part.outcome or "", {}))


def _all(values: list[Any]) -> str:
    return ", ".join(f"{value:g}" for value in values)
