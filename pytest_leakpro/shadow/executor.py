"""Many shadow models, on this machine.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.shadow.job import Finished, ShadowJob, TrainingError, in_worker, run_one
from pytest_leakpro.shadow.own_code import is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["default_workers", "execute", "is_watched", "pickle_by_value"]

_PROGRESS_SECONDS = 5.0


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
) -> NDArray[np.float64]:
    """Train the shadow models of a job, or take them from the cache.

    Parameters
    ----------
    job : ShadowJob
        What they share.
    train : callable
        ``(X, y, seed) -> fitted model``. For processes it is pickled by value, in memory only.
    workers : int
        Number of processes, at least 1; 1 trains in this one.
    say : callable
        Told in one line what is coming, once the first model shows how long it takes.

    Returns
    -------
    ndarray of float64, shape (K, n_audited)
        The same for every number of workers.

    Raises
    ------
    LeakproError
        Where one cannot be trained; those that were finished stay in the cache.
    """
    n_models = len(job.seeds)
    # The first one tells how long the others will take, before they start.
    first = run_one(job, train, 0)
    finished = {0: first}
    missing = [index for index in range(1, n_models) if not _from_cache(job, index, finished)]
    if not first.cached or missing:
        _announce(job, first, len(missing), workers, say)
    if workers == 1 or len(missing) < 2:
        results: Any = (run_one(job, train, index) for index in missing)
    else:
        results = _in_processes(job, train, missing, workers)
    said = time.monotonic()
    for result in results:
        if result.signals is None:
            raise LeakproError(result.failure) from TrainingError(result.trace)
        finished[result.index] = result
        if is_watched() and time.monotonic() - said > _PROGRESS_SECONDS:
            said = time.monotonic()
            say(f"{len(finished)} of {n_models} shadow models")
    return np.stack([_signals(finished[index]) for index in range(n_models)])


def is_watched() -> bool:
    """Tell whether somebody looks on: progress has no place in a log."""
    return sys.__stdout__ is not None and sys.__stdout__.isatty()


def _from_cache(job: ShadowJob, index: int, finished: dict[int, Finished]) -> bool:
    kept = None if job.cache is None else job.cache.load(job.key, index)
    if kept is None:
        return False
    finished[index] = Finished(index, kept["signals"], 0.0, cached=True)
    return True


def _signals(finished: Finished) -> NDArray[np.float64]:
    assert finished.signals is not None
    return finished.signals


def _announce(
    job: ShadowJob, first: Finished, missing: int, workers: int, say: Callable[[str], None]
) -> None:
    total = missing + (not first.cached)
    kept = len(job.seeds) - total
    each = first.seconds
    line = f"{total} shadow models"
    if each:
        line += f" x {each:.1f} s = {each * total:.0f} s"
        if workers > 1:
            line += f" on {workers} processes {each * (1 + missing / workers):.0f} s"
    if kept:
        line += f", {kept} from the cache"
    say(f"{line}, then cached" if job.cache is not None else f"{line}, not cached")


def _in_processes(
    job: ShadowJob, train: Callable[..., Any], missing: list[int], workers: int
) -> Iterator[Finished]:
    from joblib import Parallel, delayed

    try:
        pickled = pickle_by_value(train)
    except Exception as error:
        warn(
            f"train cannot be sent to other processes ({type(error).__name__}: {error}), so the "
            "shadow models are trained one after the other"
        )
        yield from (run_one(job, train, index) for index in missing)
        return
    with Parallel(n_jobs=min(workers, len(missing)), return_as="generator_unordered") as parallel:
        yield from parallel(delayed(in_worker)(job, pickled, index) for index in missing)


def pickle_by_value(train: Callable[..., Any]) -> bytes:
    """Pickle a recipe for another process, with all of the user's code that it may not find."""
    import cloudpickle

    with _own_modules_by_value():
        pickled: bytes = cloudpickle.dumps(train)
    return pickled


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Let functions of the user's modules travel as they are.

    A worker may be unable to import them: a conftest.py, a test module in either import mode, or
    code beside it that only pytest's sys.path finds.
    """
    import cloudpickle

    registered = []
    for module in list(sys.modules.values()):
        has_file = isinstance(module, ModuleType) and getattr(module, "__file__", None)
        # What stands in __main__ travels by value as it is.
        if has_file and module.__name__ != "__main__" and is_own(module):
            try:
                cloudpickle.registerpickle_by_value(module)
            except ValueError:  # known to sys.modules under another name
                continue
            registered.append(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregisterpickle_by_value(module)
