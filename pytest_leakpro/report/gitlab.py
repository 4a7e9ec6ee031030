"""The report that GitLab's merge requests show as code quality.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.finding import Finding, finding, statement, worst_first
from pytest_leakpro.report.inert import code_span, prose
from pytest_leakpro.report.location import path_in_repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["code_quality"]

_SEVERITIES = {
    Finding.FAIL: "critical",
    Finding.REGRESSION: "critical",
    Finding.ERROR: "major",
    Finding.INCONCLUSIVE: "major",
    Finding.RERUN: "minor",
    Finding.WEAK: "info",
}
_IDENTITY = ("name", "target", "metric", "access", "occurrence")


def code_quality(records: Sequence[Mapping[str, Any]], prefix: str = "") -> list[dict[str, Any]]:
    """Give one entry for each measurement that is not simply well.

    Parameters
    ----------
    records : sequence of mapping
        One per measurement.
    prefix : str
        The way from the root of the repository to pytest's root directory, with slashes.

    Returns
    -------
    list of dict
        To be written as JSON, empty where all is well. Fingerprints depend neither on the figures
        nor on the line, so that GitLab recognises an entry in the next run.
    """
    entries = []
    seen: dict[str, int] = {}
    for record in worst_first(records):
        kind = finding(record)
        if kind not in _SEVERITIES:
            continue
        identity = json.dumps([kind.name, *(record[field] for field in _IDENTITY)])
        # GitLab shows only one of two entries with the same fingerprint.
        seen[identity] = seen.get(identity, -1) + 1
        entries.append(
            {
                "description": _description(record, kind),
                "check_name": f"leakage-{kind.name.lower()}",
                "fingerprint": _fingerprint(identity, seen[identity]),
                "severity": _SEVERITIES[kind],
                "location": {
                    "path": path_in_repository(record, prefix),
                    "lines": {"begin": record["location"]["line"] or 1},
                },
            }
        )
    return entries


def _fingerprint(identity: str, number: int) -> str:
    text = identity if number == 0 else f"{identity}{number}"
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _description(record: Mapping[str, Any], kind: Finding) -> str:
    name = f"{code_span(record['target'], 60)} {code_span(record['metric'], 60)}"
    return f"{name}: {kind.value}; {prose(statement(record), 400)}"
