"""Annotations on GitHub: a line beside the test in the pull request's changes.

PYTEST_DONT_REWRITE
"""

# Without the __future__ import that other modules begin with: it would take the function's name.
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_leakpro.report.finding import Finding, finding, statement, worst_first
from pytest_leakpro.report.inert import NO_NAME, lookalikes
from pytest_leakpro.report.location import path_in_repository

__all__ = ["annotations"]

_MOST = 10  # GitHub shows no more of one type in a step
_TYPES = ("error", "warning", "notice")
_TYPE_OF = {
    Finding.FAIL: "error",
    Finding.REGRESSION: "error",
    Finding.ERROR: "error",
    Finding.INCONCLUSIVE: "error",
    Finding.RERUN: "warning",
    Finding.WEAK: "notice",
}


def annotations(
    records: Sequence[Mapping[str, Any]], prefix: str = "", *, inconclusive_fails: bool = True
) -> list[str]:
    """Write workflow commands, one line each, for whatever is not simply well.

    Parameters
    ----------
    records : sequence of mapping
        One per measurement.
    prefix : str
        The way from the root of the repository to pytest's root directory, with slashes.
    inconclusive_fails : bool
        Whether an INCONCLUSIVE failed its test: an error then, else a warning.

    Returns
    -------
    list of str
        To be printed at the beginning of a line. Errors, warnings and notices, the worst of each
        first; at most ten of each, the tenth of which says how many more there are.
    """
    by_type: dict[str, list[str]] = {name: [] for name in _TYPES}
    for record in worst_first(records):
        kind = finding(record)
        name = _TYPE_OF.get(kind)
        if kind is Finding.INCONCLUSIVE and not inconclusive_fails:
            name = "warning"
        if name is not None:
            by_type[name].append(_command(name, record, kind, prefix))
    lines = []
    for name, commands in by_type.items():
        if len(commands) > _MOST:
            left = len(commands) - _MOST + 1
            more = f"{left:,} more; the summary of the job shows every one"
            commands = [*commands[: _MOST - 1], f"::{name} title=leakage audits::{more}"]
        lines += commands
    return lines


def _command(name: str, record: Mapping[str, Any], kind: Finding, prefix: str) -> str:
    line = record["location"]["line"]
    target = lookalikes(record["target"], 60) or NO_NAME
    properties = {
        "file": path_in_repository(record, prefix),
        "line": "" if line is None else str(line),
        "title": f"{target} {lookalikes(record['metric'], 60)}: {kind.value}",
    }
    said = ",".join(f"{key}={_property(text)}" for key, text in properties.items() if text)
    message = f"{lookalikes(statement(record), 600)}; {lookalikes(record['test'], 300)}"
    return f"::{name} {said}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
