"""Shadow generators: each makes a release from another half of the records.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.shadow.digest import (
    UndigestibleError,
    digest_records,
    digest_trainer,
    library_versions,
)
from pytest_leakpro.shadow.executor import default_workers, execute
from pytest_leakpro.shadow.looks import AUTO
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.shadow.table_job import TableJob
from pytest_leakpro.shadow.table_reader import N_READINGS, TableReader
from pytest_leakpro.stats.seeding import derive_number
from pytest_leakpro.store.open_cache import open_cache
from pytest_leakpro.store.scratch import scratch_array
from pytest_leakpro.targets.shadow_signals import FEWEST_MODELS
from pytest_leakpro.targets.shadow_tables import ShadowTables

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.shadow.deadline import Deadline
    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["obtain_shadow_tables"]

_USUAL = 16
_NOTABLE_GAP = 0.05
_HERE = Place()


def obtain_shadow_tables(
    view: ReleaseView,
    n_tables: int | str = _USUAL,
    *,
    say: Callable[[str], None],
    workers: int | None = None,
    cache: str | None = None,
    deadline: Deadline | None = None,
    version: str | None = None,
    place: Place = _HERE,
    name: str = "synthetic data",
) -> dict[str, Any]:
    """Train shadow generators, and read their releases.

    Each is trained on a random half of the rows of source and control together that are attacked,
    with all their columns; each row is in exactly half of them.

    Parameters
    ----------
    view : ReleaseView
        With `generate`. Gets its `shadow_tables`, and notes.
    n_tables : int or "auto"
        How many, at least 4; one more where it is odd, since they come in pairs that halve the
        rows. 16 for auto.
    say : callable
        Told in one line what is coming.
    workers : int, optional
        Number of processes; by default the cores, shared among pytest-xdist's workers. The result
        does not depend on it.
    cache : str, optional
        The folder, or the URL, where readings are kept; by default nowhere.
    deadline : Deadline, optional
        When no other is begun.
    version : str, optional
        Names what cannot be told of `generate` for the cache.
    place : Place
        Where; on this machine by default.
    name : str
        What the cache says of its entry.

    Returns
    -------
    dict
        How they were trained, as plain data: way, group and reason.

    Raises
    ------
    LeakproError
        Where there is no `generate`, there are too few, or a release cannot be made or read.
    OutOfTimeError
        Where the time is over.
    """
    if view.generate is None:
        raise LeakproError(
            "shadow generators make releases as this one was made: give generate=, a function "
            "(df, seed) -> df"
        )
    n_tables = _USUAL if n_tables == AUTO else int(n_tables)
    if n_tables < FEWEST_MODELS:
        raise LeakproError(
            f"{n_tables} shadow generators are too few: at least {FEWEST_MODELS}, better {_USUAL}"
        )
    n_tables += n_tables % 2
    pool = _joined([view.whole(side) for side in ("members", "nonmembers")])
    assignment = Assignment(len(pool), n_tables, n_tables // 2, view.seed)
    reader = TableReader(pool, view.roles.usable, view.seed)
    notes: list[str] = []
    key = "" if cache is None else _key(view, pool, assignment, version, notes)
    opened = open_cache(cache) if cache is not None and key else None
    job = TableJob(
        X=pool,
        assignment=assignment,
        seeds=tuple(
            derive_number(view.seed, "shadow-generator", str(index)) for index in range(n_tables)
        ),
        reader=reader,
        cache=opened,
        key=key,
        about={"target": name, "records": len(pool)},
    )
    folder = None if opened is None else opened.scratch_folder()
    into = scratch_array((n_tables, job.width), np.float64, folder)
    workers = workers or default_workers()
    execute(job, view.generate, workers, say, place, deadline, into)
    _check_differ(into)
    n, n_beside = len(pool), N_READINGS * len(pool)
    target = reader.read(view.released)
    view.shadow_tables = ShadowTables(
        included=np.array([assignment[index] for index in range(n_tables)]),
        readings=into[:, :n_beside].reshape(n_tables, N_READINGS, n),
        features=into[:, n_beside:],
        target_readings=target[:n_beside].reshape(N_READINGS, n),
        target_features=target[n_beside:],
        families=reader.levels.families,
    )
    n_source, n_shadow = len(view.source), n // 2
    if abs(n_shadow - n_source) > _NOTABLE_GAP * n_source:
        notes.append(
            f"shadow generators are trained on {n_shadow:,} rows, the release was made from "
            f"{n_source:,}: with a control as large as the source they would be alike"
        )
    view.notes += tuple(note for note in notes if note not in view.notes)
    reason = f"{n_tables} shadow generators, each of {n_shadow:,} rows"
    return {"way": "processes", "group": 1, "reason": reason}


def _joined(frames: list[Any]) -> Any:
    """Put tables together, with the types that the source has."""
    import pandas as pd

    parts = {}
    for column in frames[0].columns:
        pieces = [frame[column].reset_index(drop=True) for frame in frames]
        if all(isinstance(piece.dtype, pd.CategoricalDtype) for piece in pieces) and (
            pieces[0].dtype != pieces[1].dtype
        ):
            union = pd.api.types.union_categoricals(pieces, ignore_order=True)
            parts[column] = pd.Series(union)
        else:
            parts[column] = pd.concat(pieces, ignore_index=True)
    joined = pd.DataFrame(parts)
    joined.columns = frames[0].columns
    return joined


def _key(
    view: ReleaseView, pool: Any, assignment: Assignment, version: str | None, notes: list[str]
) -> str:
    """Digest all that the readings depend on; empty where it cannot be told."""
    from pytest_leakpro import __version__

    try:
        parts = {
            "recipe": digest_trainer(view.generate, version),
            "pool": digest_records(pool, list(map(str, view.roles.usable))),
        }
    except UndigestibleError as reason:
        notes.append(
            "shadow generators are not cached, since it cannot be told when generate changes "
            f"({reason}); name it with generator_version="
        )
        return ""
    parts |= {
        "assignment": assignment.mark,
        "seed": str(view.seed),
        "versions": json.dumps(library_versions(), sort_keys=True),
        "plugin": __version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _check_differ(rows: Any) -> None:
    marks = {hashlib.sha256(np.ascontiguousarray(row).data).digest() for row in rows}
    if len(marks) == 1:
        raise LeakproError(
            "all shadow releases are alike to the last bit: generate must make its release from "
            "the rows and the seed that it is given"
        )
