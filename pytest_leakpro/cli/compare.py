"""``compare``: what changed between two runs, or since the baseline.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.columns import paragraph, print_lines
from pytest_leakpro.cli.runs import PRIVATE, WHICH, measurements_of
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from pytest_leakpro.gate.change import Change
    from pytest_leakpro.gate.increase import Allowance

__all__ = ["add", "run"]

FAILED = 1
EPILOG = f"""A and B are each {WHICH}.

examples:
  pytest-leakpro compare baseline latest
  pytest-leakpro compare latest~1 latest --fail-on 'tpr@0.1%fpr:+0.5pp'
"""


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    import argparse

    parser = subparsers.add_parser(
        "compare",
        help="what changed between two runs",
        description="Compare two runs, or a run with the baseline. Exit code 1 where something "
        "leaks significantly more than is allowed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("before", metavar="A", help="the earlier one")
    parser.add_argument("now", metavar="B", help="the later one")
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="[METRIC:]+INCREASE",
        help="the increase from which on it fails, as 'tpr@0.1%%fpr:+0.5pp'; may be repeated "
        "(any significant increase)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what changed; 1 where there is a regression."""
    from pytest_leakpro.gate.identity import identity_of
    from pytest_leakpro.gate.increase import Allowance

    allowances = [Allowance.parse(text, "--fail-on") for text in arguments.fail_on]
    before = {identity_of(record): record for record in measurements_of(arguments.before)}
    now = {identity_of(record): record for record in measurements_of(arguments.now)}
    changes = [
        (record, _change(before.get(identity), record, allowances))
        for identity, record in now.items()
    ]
    order = {"regression": 0, "incomparable": 1, "no regression": 2, "no baseline": 3}
    changes.sort(key=lambda pair: order[pair[1].outcome])
    gone = [record for identity, record in before.items() if identity not in now]
    lines = [line for record, change in changes for line in _entry(record, change)]
    lines += [line for record in gone for line in _only_before(record)]
    counts = [sum(change.outcome == outcome for _, change in changes) for outcome in order]
    regressions, incomparable, unchanged, new = counts
    lines += paragraph(
        f"{len(changes)} compared: {regressions} with a significant increase beyond what is "
        f"allowed, {unchanged} without, {incomparable} not comparable, {new} only in B, "
        f"{len(gone)} only in A"
    )
    print_lines(lines)
    return FAILED if regressions else 0


def _change(
    old: Mapping[str, Any] | None, new: Mapping[str, Any], allowances: Iterable[Allowance]
) -> Change:
    from pytest_leakpro.gate.budget import parse_metric
    from pytest_leakpro.gate.change import compare_records
    from pytest_leakpro.gate.increase import allowance_for

    metric = parse_metric(new["metric"])
    correlation = None
    if old is not None and old["scores"] is not None and new["scores"] is not None:
        correlation = _correlation(old["scores"], new["scores"], new["metric"])
    return compare_records(old, new, allowance_for(metric, allowances), correlation=correlation)


def _correlation(old: str, new: str, metric: str) -> float | None:
    from pytest_leakpro.auditing.regression import shared_error
    from pytest_leakpro.cli.pytest_files import pytest_root
    from pytest_leakpro.gate.budget import parse_metric
    from pytest_leakpro.store.scores import load_scores

    private = pytest_root(Path.cwd()) / PRIVATE
    before, now = load_scores(private, old), load_scores(private, new)
    if before is None or now is None:
        return None
    return shared_error(parse_metric(metric), before, now)


def _entry(record: Mapping[str, Any], change: Change) -> list[str]:
    lines = [_title(record), f"  {change.shown}"]
    if change.outcome != "incomparable":
        lines += [f"  note: {note}" for note in change.notes]
    return lines


def _only_before(record: Mapping[str, Any]) -> list[str]:
    return [_title(record), "  only in A"]


def _title(record: Mapping[str, Any]) -> str:
    target = printable(record["target"], 40)
    return f"{target}  {printable(record['metric'], 40)}  ({printable(record['name'], 200)})"
