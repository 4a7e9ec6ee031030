"""Shadow models that are trained together, group by group, on this machine.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.shadow.executor import is_watched
from pytest_leakpro.shadow.job import Finished, ShadowJob, TrainingError, read_signals
from pytest_leakpro.shadow.parcel import LARGEST_INSIDE, Parcel, pack
from pytest_leakpro.shadow.stacked_training import train_group
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.shadow.way import Way
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["execute_stacked"]

_PROGRESS_SECONDS = 5.0
# Of the memory that is free now, which others want too.
_SHARE_OF_MEMORY = 0.5
# Activations and what a minibatch needs besides, over what weights, gradients and moments take.
_BESIDES = 4


def execute_stacked(
    job: ShadowJob,
    trainer: TorchTrainer,
    way: Way,
    workers: int,
    say: Callable[[str], None],
) -> NDArray[np.float64]:
    """Train the shadow models of a job in stacked groups, or take them from the cache.

    Which models share a group depends on their numbers alone: where one is missing from the cache,
    its whole group is trained, so that its figures do not depend on which others were kept.

    Parameters
    ----------
    job : ShadowJob
        What they share.
    trainer : TorchTrainer
        The recipe.
    way : Way
        One that stacks.
    workers : int
        How many groups may be trained at a time, each on one thread.
    say : callable
        Told in one line what is coming, once the first group shows how long it takes.

    Returns
    -------
    ndarray of float64, shape (K, n_audited)
        The same for every number of workers.

    Raises
    ------
    LeakproError
        Where some cannot be trained; those that were finished stay in the cache.
    """
    n_models = len(job.seeds)
    groups = [
        range(start, min(start + way.group, n_models)) for start in range(0, n_models, way.group)
    ]
    finished: dict[int, NDArray[np.float64]] = {}
    missing = []
    for group in groups:
        kept = {index: _kept(job, index) for index in group}
        finished |= {index: signals for index, signals in kept.items() if signals is not None}
        if any(signals is None for signals in kept.values()):
            missing.append(group)
    if not missing:
        return np.stack([finished[index] for index in range(n_models)])
    at_once = min(_that_fit(job, way, trainer), workers, len(missing))
    if at_once > 1 and (way.name == "vmap" or trainer.augment is not None):
        # Both draw from torch's one random state, of which each process has its own.
        results = _in_processes(job, trainer, way, missing, at_once)
    else:
        results = _in_threads(job, trainer, way, missing, at_once)
    failures: list[Finished] = []
    said = None
    for group_results in results:
        for result in group_results:
            if result.signals is None:
                failures.append(result)
            else:
                finished[result.index] = result.signals
        if said is None:
            said = time.monotonic()
            _announce(job, way, group_results, len(missing), at_once, say)
        elif is_watched() and time.monotonic() - said > _PROGRESS_SECONDS:
            said = time.monotonic()
            say(f"{len(finished)} of {n_models} shadow models")
    if failures:
        raise _failure(failures, n_models)
    return np.stack([finished[index] for index in range(n_models)])


def _kept(job: ShadowJob, index: int) -> NDArray[np.float64] | None:
    kept = None if job.cache is None else job.cache.load(job.key, index)
    return None if kept is None else kept["signals"]


def _failure(failures: list[Finished], n_models: int) -> LeakproError:
    failures.sort(key=lambda result: result.index)
    named = ", ".join(str(result.index + 1) for result in failures)
    many = len(failures) > 1
    error = LeakproError(
        f"shadow model{'s' if many else ''} {named} of {n_models}: {failures[0].failure}"
    )
    if failures[0].trace:
        error.__cause__ = TrainingError(failures[0].trace)
    return error


def _announce(
    job: ShadowJob,
    way: Way,
    first: list[Finished],
    n_groups: int,
    at_once: int,
    say: Callable[[str], None],
) -> None:
    took = max(result.seconds for result in first)
    if not took:  # another process had trained them meanwhile
        return
    n_models = min(n_groups * way.group, len(job.seeds))
    whole = took * -(-n_groups // at_once)
    line = (
        f"{n_models} shadow models in groups of {way.group} x {took:.1f} s, {at_once} at a time = "
        f"{whole:.0f} s"
    )
    say(f"{line}, then cached" if job.cache is not None else f"{line}, not cached")


def _in_threads(
    job: ShadowJob, trainer: TorchTrainer, way: Way, missing: list[range], at_once: int
) -> Iterator[list[Finished]]:
    stop = threading.Event()
    with one_thread():
        if at_once == 1:
            for group in missing:
                yield _run_group(job, trainer, way, group, stop.is_set)
            return
        with ThreadPoolExecutor(at_once) as pool:
            try:
                started = [
                    pool.submit(_run_group, job, trainer, way, group, stop.is_set)
                    for group in missing
                ]
                for done in as_completed(started):
                    yield done.result()
            finally:
                # An interrupt ends the others at their next step.
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)


def _in_processes(
    job: ShadowJob, trainer: TorchTrainer, way: Way, missing: list[range], at_once: int
) -> Iterator[list[Finished]]:
    from joblib import Parallel, delayed

    try:
        parcel = pack(job, trainer)
    except Exception as error:
        warn(
            f"train cannot be sent to other processes ({type(error).__name__}: {error}), so the "
            "shadow models are trained in this one"
        )
        yield from _in_threads(job, trainer, way, missing, 1)
        return
    with Parallel(
        n_jobs=at_once,
        return_as="generator_unordered",
        max_nbytes=LARGEST_INSIDE,
        mmap_mode="c",
    ) as parallel:
        yield from parallel(delayed(_in_worker)(parcel, way, group) for group in missing)


def _in_worker(parcel: Parcel, way: Way, group: range) -> list[Finished]:
    job, trainer = cast("tuple[ShadowJob, TorchTrainer]", parcel.unpack())
    with one_thread():
        return _run_group(job, trainer, way, group, lambda: False)


def _run_group(
    job: ShadowJob, trainer: TorchTrainer, way: Way, group: range, stopped: Callable[[], bool]
) -> list[Finished]:
    """Train one group, unless another process has done so meanwhile; errors come as results."""
    with _locks(job, group):
        kept = {index: _kept(job, index) for index in group}
        if all(signals is not None for signals in kept.values()):
            return [Finished(index, signals, 0.0, cached=True) for index, signals in kept.items()]
        started = time.perf_counter()
        try:
            modules, finite = train_group(
                trainer,
                way.name,
                (job.X, job.y),
                [np.flatnonzero(job.assignment[index]) for index in group],
                [job.seeds[index] for index in group],
                stopped,
            )
        except Exception as error:
            why = f"train raised {type(error).__name__}; its own error stands above"
            failure = str(error) if isinstance(error, LeakproError) else why
            trace = traceback.format_exc()
            return [Finished(index, None, 0.0, False, failure, trace) for index in group]
        results = []
        for index, module, is_finite in zip(group, modules, finite, strict=True):
            signals, failure, trace = kept[index], "", ""
            if not is_finite:
                failure = (
                    "the loss or the weights became NaN or infinite, the others are kept: a lower "
                    "lr may help"
                )
            elif signals is None:
                signals, failure, trace = _read(job, module)
            if job.cache is not None and signals is not None and kept[index] is None:
                job.cache.store(job.key, index, {"signals": signals}, job.about)
            results.append(
                Finished(
                    index,
                    None if failure else signals,
                    time.perf_counter() - started,
                    False,
                    failure,
                    trace,
                )
            )
        return results


def _read(job: ShadowJob, module: Any) -> tuple[NDArray[np.float64] | None, str, str]:
    try:
        return read_signals(job, module), "", ""
    except LeakproError as error:
        return None, f"what was trained cannot be audited: {error}", traceback.format_exc()


@contextmanager
def _locks(job: ShadowJob, group: Iterable[int]) -> Iterator[None]:
    """Hold all models of a group, always in the order of their numbers."""
    with ExitStack() as stack:
        if job.cache is not None:
            for index in group:
                stack.enter_context(job.cache.lock(job.key, index))
        yield


def _that_fit(job: ShadowJob, way: Way, trainer: TorchTrainer) -> int:
    """Give how many groups the free memory holds: this says when they are trained, never how."""
    if trainer.device.partition(":")[0] != "cpu":
        return 1
    free = None
    with suppress(AttributeError, ValueError, OSError):  # not every system tells
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if free is None:
        return way.group * len(job.seeds)
    return max(1, int(free * _SHARE_OF_MEMORY) // max(1, _BESIDES * way.bytes))
