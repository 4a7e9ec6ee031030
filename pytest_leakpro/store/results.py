"""The results of a session as JSON.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_leakpro.store.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["SCHEMA_VERSION", "write_results"]

SCHEMA_VERSION = 1
_IDENTITY = ("test", "target", "metric", "access", "occurrence")


def write_results(path: Path, records: Iterable[Mapping[str, Any]], version: str) -> None:
    """Write measurements, sorted by identity, so that equal inputs give equal files.

    Parameters
    ----------
    path : Path
        Where.
    records : iterable of mapping
        As of `Measurement.to_plain`, with the id of the test.
    version : str
        The package's version.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    ordered = sorted(records, key=lambda record: [str(record.get(key, "")) for key in _IDENTITY])
    content = {
        "schema_version": SCHEMA_VERSION,
        "pytest_leakpro_version": version,
        "measurements": ordered,
    }
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
    write_text(path, text + "\n")
