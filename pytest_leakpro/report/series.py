"""How each measurement went from run to run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.identity import Identity, identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Point", "point_of", "series"]

Point = dict[str, Any]
"""One run of one measurement.

``value``, ``low``, ``high``, ``limit``, ``verdict``, ``census`` and the ``shown_…`` texts as in its
record; ``commit`` (its id, or None), ``time`` (of the run, as ISO 8601, or None); ``comparable``,
whether the attacks were asked for as in the latest run; ``run``, its name where it has one.
"""


def point_of(record: Mapping[str, Any], run: Mapping[str, Any]) -> Point:
    """Give the point of a measurement in a run."""
    commit, get = record.get("commit"), record.get
    return {
        "value": get("value"),
        "low": get("low"),
        "high": get("high"),
        "limit": get("limit"),
        "verdict": get("verdict"),
        "census": get("census"),
        "shown_value": get("shown_value"),
        "shown_low": get("shown_low"),
        "shown_high": get("shown_high"),
        "shown_limit": get("shown_limit"),
        "commit": commit["id"] if commit else None,
        "time": run.get("start_time"),
        "run": run.get("run"),
        "comparable": True,
    }


def series(runs: Iterable[Mapping[str, Any]]) -> dict[Identity, list[Point]]:
    """Put the runs of each measurement in a row.

    Parameters
    ----------
    runs : iterable of mapping
        Documents with ``measurements``, and ``start_time`` where that is known, the oldest first:
        as of `History.outlines`, or of `read_document`.

    Returns
    -------
    dict of Identity to list of Point
        Of each measurement the runs that hold it, the oldest first. Where something else was asked
        of the attacks than in its latest run, ``comparable`` is False.
    """
    found: dict[Identity, list[tuple[Point, Any]]] = {}
    for run in runs:
        for record in run["measurements"]:
            point = point_of(record, run), record.get("configuration")
            found.setdefault(identity_of(record), []).append(point)
    for points in found.values():
        latest = points[-1][1]
        for point, configuration in points:
            point["comparable"] = configuration == latest
    return {identity: [point for point, _ in points] for identity, points in found.items()}
