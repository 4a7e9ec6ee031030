"""What a record leaves out, filled in: a baseline holds figures, and not how they were shown.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import UNBOUNDED, plain_number, shown_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.gate.wording import Unit

__all__ = ["complete", "unit_of"]

_LATER = ("nonmembers", "excluded", "naive", "baseline")
_FIGURES = ("value", "low", "high")


def complete(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give a record everything that outputs read.

    Parameters
    ----------
    record : mapping
        As it was read from a run, which stays as it is, or from a baseline.
    """
    filled: dict[str, Any] = {
        "shown_verdict": record["verdict"] or UNBOUNDED,
        "strength": record["access"],
        "weak_suite": False,
        "seconds": 0.0,
        "error": None,
        "notes": [],
        "remarks": [],
        "earlier": [],
        "attempt": 1,
        "change": None,
        "figures": [],
        "slices": [],
        "slice": None,
        "source": "",
        "pass_chance": None,
        "census": False,
        "location": {"path": "", "line": None},
    }
    if not all(f"shown_{key}" in record for key in (*_FIGURES, "limit")):
        filled |= _shown(record)
    complete = {**filled, **record}
    complete["sizes"] = _in_order(record["sizes"])
    evidence = record["evidence"]
    if evidence is not None and "attempts" in evidence:
        complete["evidence"] = {**evidence, "attempts": _in_order(evidence["attempts"])}
    return complete


def _in_order(sides: Mapping[str, Any]) -> dict[str, Any]:
    """Put the side that matters first, whatever order a file keeps."""
    ranked = sorted(sides, key=lambda name: (name.startswith("control"), name in _LATER))
    return {name: sides[name] for name in ranked}


def unit_of(record: Mapping[str, Any]) -> Unit:
    """Tell in which unit a record's figures are: of an unknown metric, by how they are shown."""
    try:
        return definition_of(parse_metric(record["metric"])).unit
    except LeakproError:  # of a newer version, or of somebody else
        return "percent" if record.get("shown_value", "").endswith("%") else "decimal"


def _shown(record: Mapping[str, Any]) -> dict[str, str]:
    unit = unit_of(record)
    limit = record["limit"]
    estimate, lower, upper = (
        float("nan") if record[key] is None else record[key] for key in _FIGURES
    )
    try:
        texts = shown_bounds(estimate, lower, upper, limit, unit)
    except (OverflowError, ValueError):  # no figure that anything could have measured
        texts = (UNBOUNDED, UNBOUNDED, UNBOUNDED)
    said = UNBOUNDED if limit is None else plain_number(limit, unit)
    return {
        **dict(zip(("shown_value", "shown_low", "shown_high"), texts, strict=True)),
        "shown_limit": said,
    }
