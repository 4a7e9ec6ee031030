"""``show``: the summary of a run, as the session printed it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.columns import print_lines
from pytest_leakpro.cli.runs import WHICH

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

__all__ = ["add", "run"]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "show",
        help="the summary of a run",
        description="Show what a run measured.",
        allow_abbrev=False,
    )
    parser.add_argument("run_name", metavar="RUN", nargs="?", default="latest", help=WHICH)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the summary."""
    from pytest_leakpro.cli.runs import measurements_of
    from pytest_leakpro.report.completing import complete

    records = [complete(record) for record in measurements_of(arguments.run_name)]
    print_lines(_lines(records))
    return 0


def _lines(records: Sequence[Mapping[str, Any]]) -> list[str]:
    from pytest_leakpro.gate.comparison_table import comparisons_in, text_comparison
    from pytest_leakpro.gate.table import remarks_on, table_header, table_rows, verdict_counts
    from pytest_leakpro.gate.wording import printable

    if not records:
        return ["nothing was measured"]
    lines = [table_header(records)]
    rows = table_rows(records)
    for row, record, following in zip_longest(rows, records, records[1:]):
        lines.append(f"{row.figures}  {row.verdict}".rstrip())
        lines += [f"  {remark.text}" for remark in remarks_on(record)]
        lines += [f"{part.figures}  {part.verdict}".rstrip() for part in row.slices]
        # What holds for the whole audit stands below its last row.
        said = [] if following is None else following["notes"]
        if following is None or following["test"] != record["test"]:
            said = []
        lines += [f"  note: {printable(note, 500)}" for note in record["notes"] if note not in said]
    for name, compared in comparisons_in(records).items():
        lines.append(f"defences compared in {printable(name, 200)}")
        lines += [f"  {line}" for line in text_comparison(compared)]
    counts = verdict_counts(records)
    return [*lines, counts] if counts else lines
