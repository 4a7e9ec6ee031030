"""Many shadow models: on this machine, or on a cluster.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pytest_leakpro.gate.errors import warn
from pytest_leakpro.shadow.deadline import Deadline, OutOfTimeError
from pytest_leakpro.shadow.group import failure_of, in_worker
from pytest_leakpro.shadow.job import Finished, Job, run_one
from pytest_leakpro.shadow.parcel import LARGEST_INSIDE, Parcel, pack
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.shadow.stacked_execution import groups_at_once, train_in_threads
from pytest_leakpro.shadow.stacked_training import draws_from_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.shadow.job import ShadowJob
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["default_workers", "execute", "train_here"]

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
    job: Job,
    train: Callable[..., Any],
    workers: int,
    say: Callable[[str], None],
    place: Place = _HERE,
    deadline: Deadline | None = None,
    into: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Train the shadow models of a job, or take them from the cache.

    Which models are trained together depends on their numbers alone: where one is missing from
    the cache, its whole group is trained, so that its figures do not depend on which others were
    kept.

    Parameters
    ----------
    job : Job
        What they share.
    train : callable
        ``(X, y, seed) -> fitted model``. For processes it is pickled by value, in memory only.
    workers : int
        How many to train at a time, at least 1; 1 trains in this process, unless it is on a
        cluster.
    say : callable
        Told in one line what is coming, once the first shows how long it takes.
    place : Place
        Where; on this machine by default.
    deadline : Deadline, optional
        When no other group is begun.
    into : ndarray of float64, shape (K, n_audited), optional
        Where the signals are written as they come; a new array by default.

    Returns
    -------
    ndarray of float64, shape (K, n_audited)
        `into`. The same for every number of workers, and every place.

    Raises
    ------
    LeakproError
        Where one cannot be trained, or the place cannot be reached; those that were finished stay
        in the cache.
    OutOfTimeError
        Where the time was over before all were trained.
    """
    n_models = len(job.seeds)
    if into is None:
        into = np.empty((n_models, job.width))
    finished: set[int] = set()
    missing = _missing(job, finished, into)
    failures: list[Finished] = []
    said = None
    if missing and deadline is not None and deadline.passed:
        raise _out_of_time(deadline, job, finished)
    with closing(_results(job, train, missing, workers, place)) as results:
        for group in results:
            for result in group:
                if result.signals is not None:
                    into[result.index] = result.signals
                    finished.add(result.index)
            lost = [result for result in group if result.signals is None]
            if len(lost) == len(group):  # the others of other groups would fare no better
                raise failure_of(lost, n_models, job.noun)
            failures += lost
            if said is None:
                _announce(job, group, missing, _at_once(job, train, missing, workers), place, say)
                said = time.monotonic()
            elif _is_watched() and time.monotonic() - said > _PROGRESS_SECONDS:
                said = time.monotonic()
                say(f"{len(finished)} of {n_models} {job.noun}s")
            left = len(finished) + len(failures) < n_models
            if left and deadline is not None and deadline.passed:
                raise _out_of_time(deadline, job, finished)
    if failures:
        raise failure_of(failures, n_models, job.noun)
    return into


def _missing(job: Job, finished: set[int], into: NDArray[Any]) -> list[range]:
    """Take what the cache has, and give the groups that lack something."""
    missing = []
    for group in job.groups:
        for index in group:
            kept = job.kept(index)
            if kept is not None:
                into[index] = kept
                finished.add(index)
        if not finished.issuperset(group):
            missing.append(group)
    return missing


def _out_of_time(deadline: Deadline, job: Job, finished: set[int]) -> OutOfTimeError:
    return OutOfTimeError(deadline, len(finished), len(job.seeds), kept=job.is_kept, noun=job.noun)


def _is_watched() -> bool:
    """Tell whether somebody looks on: progress has no place in a log."""
    return sys.__stdout__ is not None and sys.__stdout__.isatty()


def _announce(
    job: Job,
    first: list[Finished],
    missing: list[range],
    workers: int,
    place: Place,
    say: Callable[[str], None],
) -> None:
    took = max(result.seconds for result in first)
    total = sum(map(len, missing))
    size = max(map(len, missing))
    line = f"{total} {job.noun}s"
    if took:  # else another process had trained them meanwhile
        together = f" in groups of {size}" if size > 1 else ""
        line += f"{together} x {took:.1f} s = {took * len(missing):.0f} s"
        if place.scheduler is not None:
            line += f" on {place.backend} at {place.scheduler}"
        elif place.backend != "loky":
            line += f" on {workers} workers of {place.backend}"
        elif workers > 1:
            # Alone the first one only tells how long the others will take.
            alone = size == 1
            rounds = 1 + (len(missing) - 1) / workers if alone else -(-len(missing) // workers)
            line += f" on {workers} {'processes' if alone else 'cores'} {took * rounds:.0f} s"
    if total < len(job.seeds):
        line += f", {len(job.seeds) - total} from the cache"
    say(f"{line}, then cached" if job.is_kept else f"{line}, not cached")


def _results(
    job: Job, train: Callable[..., Any], missing: list[range], workers: int, place: Place
) -> Generator[list[Finished], None, None]:
    if not missing:
        return
    if place.backend != "loky":
        yield from _on_cluster(job, train, missing, workers, place)
    elif job.way is not None and job.way.stacked:
        yield from train_here(job, train, missing, workers)
    else:
        # The first one tells how long the others will take, before they start.
        yield [run_one(job, train, missing[0][0])]
        yield from train_here(job, train, missing[1:], workers)


def train_here(
    job: Job, train: Callable[..., Any], groups: list[range], workers: int
) -> Iterator[list[Finished]]:
    """Train groups of a job on this machine, as many at a time as there are workers.

    Parameters
    ----------
    job : Job
        Its way says whether groups are stacked; others are of one model each.
    train : callable
        The recipe.
    groups : list of range
        Which models.
    workers : int
        At least 1.

    Yields
    ------
    list of Finished
        One per model of a group, as groups finish.

    Raises
    ------
    LeakproError
        Where a model is trained in this process, and fails; elsewhere that is a result.
    """
    if job.way is not None and job.way.stacked:
        yield from _stacked(job, cast("TorchTrainer", train), groups, workers)
        return
    parcel = _packed(job, train) if workers > 1 and len(groups) > 1 else None
    if parcel is not None:
        yield from _in_processes(parcel, groups, workers)
    else:
        yield from ([run_one(job, train, group[0])] for group in groups)


def _at_once(job: Job, train: Any, missing: list[range], workers: int) -> int:
    """Give how many workers have something to do: of stacked groups memory limits them."""
    if job.way is None or not job.way.stacked:
        return workers
    return min(groups_at_once(job.way, train, len(missing)), workers)


def _stacked(
    job: Job, trainer: TorchTrainer, missing: list[range], workers: int
) -> Iterator[list[Finished]]:
    assert job.way is not None
    at_once = _at_once(job, trainer, missing, workers)
    apart = at_once > 1 and draws_from_torch(job.way.name, trainer)
    parcel = _packed(job, trainer) if apart else None
    if parcel is not None:
        yield from _in_processes(parcel, missing, at_once)
    else:
        stacked = cast("ShadowJob", job)
        yield from train_in_threads(stacked, trainer, missing, 1 if apart else at_once)


def _on_cluster(
    job: Job, train: Callable[..., Any], missing: list[range], workers: int, place: Place
) -> Iterator[list[Finished]]:
    """Train on a cluster, whose machines may not see the cache: it is read and written here."""
    parcel = _packed(replace(job, cache=None), train)
    if parcel is None:
        yield from _results(job, train, missing, 1, _HERE)
        return
    if place.backend == "dask":
        from pytest_leakpro.shadow.on_dask import train_on_dask as train_on
    else:
        from pytest_leakpro.shadow.on_ray import train_on_ray as train_on
    for group in train_on(parcel, missing, place.scheduler, workers):
        yield [_kept(job, result) for result in group]


def _kept(job: Job, result: Finished) -> Finished:
    """Keep what arrived, or go on with what another process kept meanwhile."""
    if result.signals is None:
        return result
    kept = job.kept(result.index)
    return replace(result, signals=job.keep(result.index, result.signals) if kept is None else kept)


def _packed(job: Job, train: Callable[..., Any]) -> Parcel | None:
    try:
        return pack(job, train)
    except Exception as error:
        warn(
            f"{job.recipe} cannot be sent to other processes ({type(error).__name__}: {error}), so "
            f"the {job.noun}s are trained one after the other"
        )
        return None


def _in_processes(parcel: Parcel, missing: list[range], workers: int) -> Iterator[list[Finished]]:
    """Train in processes that map the parcel's arrays from one file."""
    from joblib import Parallel, delayed

    with Parallel(
        n_jobs=min(workers, len(missing)),
        return_as="generator_unordered",
        max_nbytes=LARGEST_INSIDE,
        mmap_mode="c",
    ) as parallel:
        yield from parallel(delayed(in_worker)(parcel, group) for group in missing)
