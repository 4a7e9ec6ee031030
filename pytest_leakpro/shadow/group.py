"""A group of shadow models, trained in one go: here, in a process, or on a cluster.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import threading
import time
import traceback
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.job import Finished, ShadowJob, TrainingError, read_signals, run_one
from pytest_leakpro.shadow.stacked_training import train_group
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.shadow.parcel import Parcel
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["failure_of", "in_cluster", "in_worker", "named", "run_stacked"]

_ONE_AT_A_TIME = threading.Lock()


def run_stacked(
    job: ShadowJob, trainer: TorchTrainer, group: range, stopped: Callable[[], bool] = lambda: False
) -> list[Finished]:
    """Train one group together, unless another process has done so meanwhile.

    Parameters
    ----------
    job : ShadowJob
        With its way, which stacks.
    trainer : TorchTrainer
        The recipe.
    group : range
        Which shadow models.
    stopped : callable
        Asked before each step whether to give up.

    Returns
    -------
    list of Finished
        One per model. Errors come as results, so that the others are kept.
    """
    assert job.way is not None
    with _locks(job, group):
        kept = {index: job.kept(index) for index in group}
        if all(signals is not None for signals in kept.values()):
            return [Finished(index, signals, 0.0, cached=True) for index, signals in kept.items()]
        started = time.perf_counter()
        try:
            modules, finite = train_group(
                trainer,
                job.way.name,
                (job.X, job.y),
                [job.positions(index) for index in group],
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
            if signals is not None and kept[index] is None:
                signals = job.keep(index, signals)
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


def in_worker(parcel: Parcel, group: range) -> list[Finished]:
    """Train a group in another process; errors travel as text, since theirs may not unpickle."""
    try:
        job, train = parcel.unpack()
    except Exception as error:
        return _all_failed(
            group,
            f"the recipe and its data cannot be unpacked in another process "
            f"({type(error).__name__}: {error}); what they use must be installed there",
            traceback.format_exc(),
        )
    if job.way is not None and job.way.stacked:
        with one_thread():
            return run_stacked(cast("ShadowJob", job), cast("TorchTrainer", train), group)
    try:
        return [run_one(job, train, index) for index in group]
    except LeakproError as error:
        return _all_failed(group, str(error), traceback.format_exc(), is_named=True)


def in_cluster(parcel: Parcel, group: range) -> list[Finished]:
    """Do as `in_worker` on a machine that may differ from the one that asks.

    One at a time, since threads of one process share random states and thread limits.
    """
    with _ONE_AT_A_TIME:
        other = parcel.other_versions()
        if not other:
            finished = in_worker(parcel, group)
            other = parcel.other_versions()  # now of all that training imported
            if not other:
                return finished
    return _all_failed(
        group,
        f"the cluster has {other}, which changes figures: install the same versions there",
    )


def named(group: range) -> str:
    """Name the models of a group, counted from 1."""
    if len(group) == 1:
        return f"shadow model {group[0] + 1}"
    return f"shadow models {group[0] + 1} to {group[-1] + 1}"


def _all_failed(
    group: range, failure: str, trace: str = "", *, is_named: bool = False
) -> list[Finished]:
    return [Finished(index, None, 0.0, False, failure, trace, is_named) for index in group]


def failure_of(failures: list[Finished], n_models: int, noun: str = "shadow model") -> LeakproError:
    """Give the error that names all models of a group which could not be trained."""
    if failures[0].is_named:
        error = LeakproError(failures[0].failure)
        error.__cause__ = TrainingError(failures[0].trace)
        return error
    failures.sort(key=lambda result: result.index)
    named = ", ".join(str(result.index + 1) for result in failures)
    many = len(failures) > 1
    error = LeakproError(
        f"{noun}{'s' if many else ''} {named} of {n_models}: {failures[0].failure}"
    )
    if failures[0].trace:
        error.__cause__ = TrainingError(failures[0].trace)
    return error


def _read(job: ShadowJob, module: Any) -> tuple[NDArray[np.float64] | None, str, str]:
    try:
        return read_signals(job, module), "", ""
    except LeakproError as error:
        return None, f"what was trained cannot be audited: {error}", traceback.format_exc()


@contextmanager
def _locks(job: ShadowJob, group: Iterable[int]) -> Iterator[None]:
    """Hold all models of a group, always in the order of their numbers."""
    with ExitStack() as stack:
        for index in group:
            stack.enter_context(job.lock(index))
        yield
