"""What a record amounts to, and the texts about it that several outputs share.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.catalogue import metrics
from pytest_leakpro.gate.rates import bounds_of, records_counted, shown_rates
from pytest_leakpro.gate.slice_figures import in_slice, slice_name
from pytest_leakpro.gate.table import is_regression
from pytest_leakpro.gate.wording import printable, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Finding",
    "bounds",
    "details",
    "finding",
    "passed_later_only",
    "reruns",
    "statement",
    "worst_first",
]

_LONGEST = 400
_MOST_NOTES = 20
_MOST_EARLIER = 5
_METRIC = re.compile(r"[\[@]")
_SIZE_NAMES = {
    "nonmembers": "non-members",
    "control_attempts": "on the control",
    "control_counted": "counted of the control",
}


class Finding(Enum):
    """What a record amounts to, the worst first.

    REGRESSION
        Within its budget, or without one, but worse than the baseline.
    RERUN
        A PASS of a test that did not pass before it was repeated.
    MEASURED
        There was no budget.
    """

    FAIL = "FAIL"
    REGRESSION = "REGRESSION"
    ERROR = "ERROR"
    INCONCLUSIVE = "INCONCLUSIVE"
    RERUN = "PASS in a rerun"
    WEAK = "PASS (weak suite)"
    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    MEASURED = "measured"


_RANKS = {kind: rank for rank, kind in enumerate(Finding)}


def finding(record: Mapping[str, Any]) -> Finding:
    """Tell what a record amounts to."""
    verdict = record["verdict"]
    if verdict == "FAIL":
        return Finding.FAIL
    if is_regression(record):
        return Finding.REGRESSION
    if verdict == "PASS":
        if passed_later_only(record):
            return Finding.RERUN
        return Finding.WEAK if record["weak_suite"] else Finding.PASS
    return Finding.MEASURED if verdict is None else Finding(verdict)


def passed_later_only(record: Mapping[str, Any]) -> bool:
    """Tell whether a PASS came only when the test was repeated."""
    earlier = record["earlier"]
    return record["verdict"] == "PASS" and any(not text.startswith("PASS") for text in earlier)


def worst_first(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Sort records by what they amount to; equal ones stay in their order."""
    return sorted(records, key=lambda record: _RANKS[finding(record)])


def bounds(record: Mapping[str, Any]) -> str:
    """Write the bounds, or that there are none."""
    return "-" if record["verdict"] == "ERROR" else bounds_of(record)


def reruns(record: Mapping[str, Any]) -> str:
    """Say that the test was repeated; empty where it was not."""
    if record["attempt"] == 1 and not record["earlier"]:
        return ""
    text = f"attempt {record['attempt']}"
    if record["earlier"]:
        text += f"; earlier: {', '.join(record['earlier'][-_MOST_EARLIER:])}"
    return text


def statement(record: Mapping[str, Any]) -> str:
    """Say in a line what was found, how sure it is and by whom; neither cut nor escaped."""
    change = record["change"]
    found = _measured(record) if record["value"] is None else f"measured {_measured(record)}"
    parts = [
        record["error"] or found,
        shown_rates(record["evidence"]),
        "" if record["limit"] is None else f"limit {record['shown_limit']}",
        change["shown"] if is_regression(record) else "",
        f"by {record['attack']}" if record["attack"] else "",
        "" if record["error"] else record["strength"],
        reruns(record),
    ]
    return "; ".join(part for part in parts if part)


def _measured(record: Mapping[str, Any]) -> str:
    if record["value"] is None:
        return "nothing was scored"
    return f"{record['shown_value']} ({bounds(record)}) {in_slice(record)}".rstrip()


def _slices(record: Mapping[str, Any]) -> list[str]:
    """Write a line per slice: ``sex=F: 4.7% (3.1% to 6.6%), FAIL by lira; 1,204 + 1,198``."""
    return [
        f"{slice_name(entry['slicing'], entry['label'])}: {entry['shown_value']} "
        f"({entry['shown_low']} to {entry['shown_high']})"
        + (f", {entry['verdict']}" if entry["verdict"] else "")
        + f" by {entry['attack']}; {entry['n_members']:,} + {entry['n_nonmembers']:,}"
        for entry in record.get("slices", ())
    ]


def _sizes(record: Mapping[str, Any]) -> str:
    """Write how many units of each kind were scored: ``2,000 members, 2,000 non-members``."""
    counted = records_counted(record["evidence"], census=record.get("census", False))
    return counted or ", ".join(
        f"{size:,} {_SIZE_NAMES.get(name, name)}" for name, size in record["sizes"].items() if size
    )


def details(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give what else must be known to read the figures.

    Parameters
    ----------
    record : mapping
        One measurement.

    Returns
    -------
    list of tuple of str
        Label and text; each text is one printable line of bounded length, not yet escaped for
        any format.
    """
    change = record["change"]
    lines = [
        ("verdict", record["shown_verdict"]),
        ("rerun", reruns(record)),
        ("error", record["error"] or ""),
        ("measured", "" if record["error"] else _measured(record)),
        ("rates", shown_rates(record["evidence"])),
        *(("slice", line) for line in _slices(record)),
        ("budget", _budget(record)),
        ("change", change["shown"] if change else ""),
        *(("", f"note: {note}") for note in (change or {}).get("notes", ())[:_MOST_NOTES]),
        ("compared", _compared(record)),
        ("attack", record["attack"]),
        ("attacker", "" if record["error"] else record["strength"]),
        ("sizes", _sizes(record)),
        ("seed", f"{record['seed']}, alpha {record['alpha']:g}"),
        ("exposed", _exposed(record)),
        ("took", f"{record['seconds']:.1f} s"),
        ("chance", _chance(record)),
        ("test", record["test"]),
        *(("note", remark) for remark in record.get("remarks", ())[:_MOST_NOTES]),
        *(("note", note) for note in record["notes"][:_MOST_NOTES]),
    ]
    if len(record["notes"]) > _MOST_NOTES:
        lines.append(("", f"{len(record['notes']) - _MOST_NOTES} more notes"))
    return [(label, printable(text, _LONGEST)) for label, text in lines if text]


def _budget(record: Mapping[str, Any]) -> str:
    if record["limit"] is None:
        return ""
    where = f" ({record['source']})" if record["source"] else ""
    return f"at most {record['shown_limit']}{where}"


def _compared(record: Mapping[str, Any]) -> str:
    about = record.get("comparison")
    if not about:
        return ""
    utility = (
        f"; {about['utility_name']} {about['shown_utility']}" if about["shown_utility"] else ""
    )
    return f"{about['shown']}{utility}"


def _exposed(record: Mapping[str, Any]) -> str:
    if record.get("exposed_share") is None:
        return ""
    return f"{shown(record['exposed_share'], 'percent')} of the records are found in most trainings"


def _chance(record: Mapping[str, Any]) -> str:
    if record["pass_chance"] is None or record.get("census"):  # no size plays a part in a census
        return ""
    chance = shown(record["pass_chance"], "percent", toward=-1)
    return f"{_audited(record)} without leakage passes at these sizes in {chance} of runs"


def _audited(record: Mapping[str, Any]) -> str:
    metric = metrics().get(_METRIC.split(record["metric"], maxsplit=1)[0])
    return "a model" if metric is None else metric.nouns.one
