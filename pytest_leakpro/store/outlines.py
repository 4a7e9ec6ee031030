"""Outlines of runs: of each measurement what its history needs, so that many runs are read quickly.

A run is some thousand characters per measurement, and is checked against the schema when it is
read. Its outline is a tenth of that, was made from a run that had been checked, and holds for as
long as the run is the same byte for byte.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pytest_leakpro.store.atomic import write_text
from pytest_leakpro.store.documents import collector_paused, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["FIELDS", "keep_outline", "outline_of", "read_outline"]

FIELDS = (
    *("name", "target", "named", "metric", "access", "occurrence"),  # the identity
    *("value", "low", "high", "limit", "verdict", "census"),
    *("shown_value", "shown_low", "shown_high", "shown_limit"),
    *("configuration", "commit"),
)
"""What an outline keeps of each measurement; None where a run lacks it."""

_VERSION = 1


def outline_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a run what its history does not need.

    Parameters
    ----------
    document : mapping
        As of `read_document`.

    Returns
    -------
    dict
        With ``start_time`` and ``measurements``, of which each has `FIELDS`.
    """
    return {
        "start_time": document.get("start_time"),
        "measurements": [
            {field: entry.get(field) for field in FIELDS} for entry in document["measurements"]
        ],
    }


def keep_outline(path: Path, run: Path, document: Mapping[str, Any]) -> None:
    """Write the outline of a run; where that cannot be done, it is made again when it is needed.

    Parameters
    ----------
    path : Path
        Where.
    run : Path
        The run's file.
    document : mapping
        What that file holds, checked.
    """
    entries = document["measurements"]
    columns = {field: _column([entry.get(field) for entry in entries]) for field in FIELDS}
    try:
        packed = {
            "version": _VERSION,
            "run": _digest(run.read_bytes()),
            "start_time": document.get("start_time"),
            "count": len(entries),
            "columns": columns,
        }
        write_text(path, json.dumps(packed, allow_nan=False) + "\n")
    except OSError:
        return


def read_outline(path: Path, run: Path) -> dict[str, Any]:
    """Give the outline of a run, made anew where it is missing or of another state of the run.

    Parameters
    ----------
    path : Path
        Where the outline is kept.
    run : Path
        The run's file.

    Returns
    -------
    dict
        As of `outline_of`.

    Raises
    ------
    LeakproError
        As `read_document`, where the run has to be read.
    """
    kept = _kept(path, run)
    if kept is not None:
        return kept
    document = read_document(run, "run")
    keep_outline(path, run, document)
    return outline_of(document)


def _kept(path: Path, run: Path) -> dict[str, Any] | None:
    try:
        with collector_paused():
            packed = json.loads(path.read_bytes())
        if packed["version"] != _VERSION or packed["run"] != _digest(run.read_bytes()):
            return None
        columns = [_values(packed["columns"][field], packed["count"]) for field in FIELDS]
        measurements = [dict(zip(FIELDS, row, strict=True)) for row in zip(*columns, strict=True)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return {"start_time": packed["start_time"], "measurements": measurements}


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _column(values: Sequence[Any]) -> dict[str, Any]:
    """Write a value once where all are equal, as the commit is."""
    if values and all(value == values[0] for value in values[1:]):
        return {"all": values[0]}
    return {"each": list(values)}


def _values(column: Mapping[str, Any], count: int) -> list[Any]:
    if "all" in column:
        return [column["all"]] * count
    values: list[Any] = column["each"]
    return values
