"""The summary at the end of a session.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.table import table_header, table_rows
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import pytest

__all__ = ["write_summary"]

_COLOURS = {
    "PASS": {"green": True},
    "FAIL": {"red": True, "bold": True},
    "INCONCLUSIVE": {"yellow": True},
}


def write_summary(
    reporter: pytest.TerminalReporter, audits: list[dict[str, Any]], messages: list[str]
) -> None:
    """Write a row per audit and budget; nothing where nothing was audited.

    Parameters
    ----------
    reporter : pytest.TerminalReporter
        Decides on colours and verbosity.
    audits : list of dict
        Each with its notes and its measurements.
    messages : list of str
        What is wrong with the session as a whole.
    """
    records = [record for audit in audits for record in audit["measurements"]]
    if not records and not messages:
        return
    reporter.section("leakage audits", sep="=")
    if records:
        _write_table(reporter, audits, records)
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
        for _ in audit["measurements"]:
            row = next(rows)
            colour = _COLOURS.get(row.outcome or "", {})
            if row.weak and row.outcome == "PASS":
                colour = {"yellow": True}
            reporter.write(f"{row.figures}  ")
            reporter.write_line(row.verdict, **colour)
            if reporter.verbosity >= 0:
                reporter.write_line(f"  {row.detail}")
        for note in audit["notes"]:
            reporter.write_line(f"  note: {printable(note)}")
    counts = Counter(record["shown_verdict"] for record in records if record["verdict"])
    if counts:
        said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        noun = "budget" if counts.total() == 1 else "budgets"
        seeds = sorted({record["seed"] for record in records})
        level = sorted({record["alpha"] for record in records})
        reporter.write_line(
            f"{counts.total()} {noun}: {said}   (seed {_all(seeds)}, alpha {_all(level)})"
        )


def _all(values: list[Any]) -> str:
    return ", ".join(f"{value:g}" for value in values)
