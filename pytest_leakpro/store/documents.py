"""Measurements as files: what a run found, and baselines.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import gc
import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.identity import identity_of
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.store.atomic import write_text
from pytest_leakpro.store.schema import SCHEMA_VERSION, check_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["collector_paused", "read_document", "read_measurements", "write_baseline", "write_run"]

_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)", re.MULTILINE)


def read_document(path: Path, kind: Literal["run", "baseline"] | None = None) -> dict[str, Any]:
    """Read a run or a baseline.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"run", "baseline"}, optional
        What it must be.

    Returns
    -------
    dict
        With ``kind`` and ``measurements``, each with an identity of its own.

    Raises
    ------
    LeakproError
        Where the file cannot be read, holds merge conflicts, is no JSON, does not keep the schema,
        is of a newer version, of another kind, or holds a measurement twice.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise LeakproError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise LeakproError(f"{path} is not UTF-8 text (byte {error.start})") from None
    try:
        with collector_paused():
            document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        conflict = _CONFLICT.search(text)
        if conflict is not None:
            line = text.count("\n", 0, conflict.start()) + 1
            raise LeakproError(
                f"{path}, line {line}: there are merge conflicts; resolve them, or take either "
                "side and measure again"
            ) from None
        raise LeakproError(f"{path} is not JSON: {printable(str(error), 200)}") from None
    try:
        check_document(document)
        if kind is not None and document["kind"] != kind:
            raise LeakproError(f"it is a {document['kind']}, not a {kind}")
        _refuse_repetition(document["measurements"])
    except LeakproError as error:
        raise LeakproError(f"{path} does not hold measurements as it should: {error}") from None
    found: dict[str, Any] = document
    return found


def read_measurements(path: Path) -> list[dict[str, Any]]:
    """Read the measurements of a file, or of all runs in a folder, later ones counting.

    Raises
    ------
    LeakproError
        As `read_document`; or where the folder holds no runs.
    """
    if not path.is_dir():
        measurements: list[dict[str, Any]] = read_document(path)["measurements"]
        return measurements
    files = sorted(path.glob("*.json"))
    if not files:
        raise LeakproError(f"{path} holds no runs")
    latest = {}
    for file in files:
        for measurement in read_document(file)["measurements"]:
            latest[identity_of(measurement)] = measurement
    return list(latest.values())


def write_run(
    path: Path, measurements: Iterable[Mapping[str, Any]], version: str, **about: Any
) -> None:
    """Write what a run measured, one measurement per line.

    Parameters
    ----------
    path : Path
        Where.
    measurements : iterable of mapping
        Records. They are sorted by identity, so that equal inputs give equal files.
    version : str
        The package's version.
    **about
        Further entries of the document.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    head = {
        "kind": "run",
        "pytest_leakpro_version": version,
        "schema_version": SCHEMA_VERSION,
        **about,
    }
    opening = json.dumps(head, sort_keys=True, allow_nan=False)[:-1]
    ordered = sorted(measurements, key=lambda entry: (entry["test"], identity_of(entry)))
    lines = [json.dumps(entry, sort_keys=True, allow_nan=False) for entry in ordered]
    write_text(path, opening + ', "measurements": [\n' + ",\n".join(lines) + "\n]}\n")


def write_baseline(path: Path, measurements: Iterable[Mapping[str, Any]], version: str) -> None:
    """Write a baseline so that its diffs read well; as `write_run`."""
    document = {
        "kind": "baseline",
        "pytest_leakpro_version": version,
        "schema_version": SCHEMA_VERSION,
        "measurements": sorted(measurements, key=identity_of),
    }
    text = json.dumps(document, indent=2, sort_keys=True, allow_nan=False)
    write_text(path, text + "\n")


@contextmanager
def collector_paused() -> Iterator[None]:
    """Read without looking for cycles: there are none, and to look takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no figure")


def _refuse_repetition(measurements: list[dict[str, Any]]) -> None:
    seen = set()
    for measurement in measurements:
        identity = identity_of(measurement)
        if identity in seen:
            raise LeakproError(
                f"{printable(str(identity), 200)} stands there twice; remove one of the two"
            )
        seen.add(identity)
