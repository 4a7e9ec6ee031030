"""Many shadow models, on this machine or a cluster.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.shadow.job import Finished, ShadowJob, TrainingError, in_worker, run_one
from pytest_leakpro.shadow.parcel import LARGEST_INSIDE, Parcel, pack
from pytest_leakpro.shadow.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from numpy.typing import NDArray

__all__ = ["default_workers", "execute", "is_watched"]

_PROGRESS_SECONDS = 5.0
_HERE = Place()


def default_workers() -> int:
    """Give the number of processes: the cores, shared among pytest-xdist's workers."""
    beside = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") or 1)
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, cores // max(1, beside))


def execute(
    job: ShadowJob,
    train: Callable[..., Any],
    workers: int,
    say: Callable[[str], None],
    place: Place = _HERE,
) -> NDArray[np.float64]:
    """Train the shadow models of a job, or take them from the cache.

    Parameters
    ----------
    job : ShadowJob
        What they share.
    train : callable
        ``(X, y, seed) -> fitted model``. For processes it is pickled by value, in memory only.
    workers : int
        Number of processes, at least 1; 1 trains in this one, unless it is on a cluster.
    say : callable
        Told in one line what is coming, once the first model shows how long it takes.
    place : Place, optional
        Where; on this machine by default.

    Returns
    -------
    ndarray of float64, shape (K, n_audited)
        The same for every place and number of workers.

    Raises
    ------
    LeakproError
        Where one cannot be trained, or the place cannot be reached; those that were finished stay
        in the cache.
    """
    n_models = len(job.seeds)
    finished: dict[int, Finished] = {}
    if place.backend == "loky":
        results = _here(job, train, workers, say, finished)
    else:
        results = _elsewhere(job, train, workers, say, finished, place)
    said = time.monotonic()
    with closing(results):
        for result in results:
            if result.signals is None:
                raise LeakproError(result.failure) from TrainingError(result.trace)
            finished[result.index] = result
            if is_watched() and time.monotonic() - said > _PROGRESS_SECONDS:
                said = time.monotonic()
                say(f"{len(finished)} of {n_models} shadow models")
    return np.stack([_signals(finished[index]) for index in range(n_models)])


def _here(
    job: ShadowJob,
    train: Callable[..., Any],
    workers: int,
    say: Callable[[str], None],
    finished: dict[int, Finished],
) -> Generator[Finished, None, None]:
    # The first one tells how long the others will take, before they start.
    first = finished[0] = run_one(job, train, 0)
    missing = _missing(job, range(1, len(job.seeds)), finished)
    if not first.cached or missing:
        seconds = first.seconds * (1 + len(missing) / workers)
        where = f" on {workers} processes {seconds:.0f} s" if workers > 1 else ""
        _announce(job, first.seconds, len(missing) + (not first.cached), where, say)
    if workers > 1 and len(missing) > 1:
        parcel = _packed(job, train)
        if parcel is not None:
            yield from _in_processes(parcel, missing, workers)
            return
    yield from (run_one(job, train, index) for index in missing)


def _elsewhere(
    job: ShadowJob,
    train: Callable[..., Any],
    workers: int,
    say: Callable[[str], None],
    finished: dict[int, Finished],
    place: Place,
) -> Generator[Finished, None, None]:
    """Train on a cluster, whose machines may not see the cache: it is read and written here."""
    missing = _missing(job, range(len(job.seeds)), finished)
    if not missing:
        return
    parcel = _packed(replace(job, cache=None), train)
    if parcel is None:
        yield from (run_one(job, train, index) for index in missing)
        return
    if place.backend == "dask":
        from pytest_leakpro.shadow.on_dask import train_on_dask as train_on
    else:
        from pytest_leakpro.shadow.on_ray import train_on_ray as train_on
    for number, result in enumerate(train_on(parcel, missing, place.scheduler, workers)):
        if number == 0:
            where = f" on {workers} workers of {place.backend}"
            if place.scheduler is not None:
                where = f" on {place.backend} at {place.scheduler}"
            _announce(job, result.seconds, len(missing), where, say)
        if job.cache is not None and result.signals is not None:
            job.cache.store(job.key, result.index, {"signals": result.signals}, job.about)
        yield result


def is_watched() -> bool:
    """Tell whether somebody looks on: progress has no place in a log."""
    return sys.__stdout__ is not None and sys.__stdout__.isatty()


def _missing(job: ShadowJob, indices: range, finished: dict[int, Finished]) -> list[int]:
    """Take what the cache has, and give the others."""
    missing = []
    for index in indices:
        kept = None if job.cache is None else job.cache.load(job.key, index)
        if kept is None:
            missing.append(index)
        else:
            finished[index] = Finished(index, kept["signals"], 0.0, cached=True)
    return missing


def _signals(finished: Finished) -> NDArray[np.float64]:
    assert finished.signals is not None
    return finished.signals


def _announce(
    job: ShadowJob, each: float, total: int, where: str, say: Callable[[str], None]
) -> None:
    kept = len(job.seeds) - total
    line = f"{total} shadow models"
    if each:
        line += f" x {each:.1f} s = {each * total:.0f} s{where}"
    if kept:
        line += f", {kept} from the cache"
    say(f"{line}, then cached" if job.cache is not None else f"{line}, not cached")


def _packed(job: ShadowJob, train: Callable[..., Any]) -> Parcel | None:
    try:
        return pack(job, train)
    except Exception as error:
        warn(
            f"train cannot be sent to other processes ({type(error).__name__}: {error}), so the "
            "shadow models are trained one after the other"
        )
        return None


def _in_processes(parcel: Parcel, missing: list[int], workers: int) -> Iterator[Finished]:
    """Train in processes that map the parcel's arrays from one file."""
    from joblib import Parallel, delayed

    with Parallel(
        n_jobs=min(workers, len(missing)),
        return_as="generator_unordered",
        max_nbytes=LARGEST_INSIDE,
        mmap_mode="c",
    ) as parallel:
        yield from parallel(delayed(in_worker)(parcel, index) for index in missing)
