"""One shadow model: trained, read and kept, here or in a worker.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import take
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.readings import read_further

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from pytest_leakpro.shadow.assignment import Assignment
    from pytest_leakpro.shadow.way import Way
    from pytest_leakpro.store.open_cache import AnyCache
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.readings import Reading
    from pytest_leakpro.targets.records import Records

__all__ = ["Finished", "Job", "ShadowJob", "TrainingError", "read_signals", "run_one"]


class TrainingError(Exception):
    """What went wrong in a worker, as its traceback said it."""


@dataclass(frozen=True, repr=False, kw_only=True)
class Job(ABC):
    """What all that is trained in the shadow of one audit shares.

    Attributes
    ----------
    noun, recipe : str
        What messages call one of them, and the user's function that trains it.
    X : container
        The pool, in the container that the user gave.
    assignment : sequence of K ndarrays of bool, each of shape (n_pool,)
        Which records each is trained on.
    seeds : tuple of int
        One for each.
    cache : SignalCache, CloudCache or None
        Where signals are kept.
    key : str
        The digest of all of this and the recipe.
    about : dict
        What the cache says of its entry.
    way : Way or None
        How torch modules are trained together.
    start : int
        How many there were before: the cache counts on from there.
    """

    noun: ClassVar[str]
    recipe: ClassVar[str]

    X: Any
    assignment: Sequence[NDArray[np.bool_]] | Assignment | NDArray[np.bool_]
    seeds: tuple[int, ...]
    cache: AnyCache | None
    key: str
    about: dict[str, Any]
    way: Way | None = None
    start: int = 0

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers are kept of one."""

    @abstractmethod
    def train_and_read(self, train: Callable[..., Any], index: int) -> NDArray[np.float64]:
        """Train one, and give the numbers that are kept of it.

        Raises
        ------
        LeakproError
            Naming it, with the original error as its cause.
        """

    @property
    def is_kept(self) -> bool:
        """Whether a later run finds what is trained now."""
        return self.cache is not None and self.cache.keeps

    @property
    def groups(self) -> list[range]:
        """Which are trained together; it follows from their numbers alone."""
        size = self.way.group if self.way is not None and self.way.stacked else 1
        n_models = len(self.seeds)
        return [range(start, min(start + size, n_models)) for start in range(0, n_models, size)]

    def positions(self, index: int) -> NDArray[np.intp]:
        """Give the records that one is trained on, by position in the pool."""
        return np.flatnonzero(self.assignment[index])

    def named(self, index: int) -> str:
        """Name one of them, counted from 1."""
        return f"{self.noun} {index + 1} of {len(self.seeds)}"

    def kept(self, index: int) -> NDArray[np.float64] | None:
        """Give what the cache has of one's signals, None where it has nothing."""
        return None if self.cache is None else self.cache.load(self.key, self.start + index)

    def keep(self, index: int, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keep one's signals; gives those to go on with, which others may have stored."""
        if self.cache is None:
            return signals
        return self.cache.store(self.key, self.start + index, signals, self.about)

    def lock(self, index: int) -> AbstractContextManager[None]:
        """Hold one, so that another process which needs it waits."""
        return (
            nullcontext() if self.cache is None else self.cache.lock(self.key, self.start + index)
        )


@dataclass(frozen=True, repr=False, kw_only=True)
class ShadowJob(Job):
    """What every shadow model of one audit shares.

    Attributes
    ----------
    y : container
        The targets of the pool.
    audited : tuple of Records
        The records whose signals are wanted.
    reader : ModelReader
        How the models are read.
    readings : tuple of Reading
        What is read of the models beside the signals.
    n_counted : int
        Of how many of `audited`, from the first: a population is not read further.
    """

    noun: ClassVar[str] = "shadow model"
    recipe: ClassVar[str] = "train"

    y: Any
    audited: tuple[Records, ...]
    reader: ModelReader
    readings: tuple[Reading, ...] = ()
    n_counted: int = 0

    @property
    def width(self) -> int:
        """How many numbers are kept of one model."""
        n_further = sum(map(len, self.audited[: self.n_counted]))
        return sum(map(len, self.audited)) + sum(
            reading.width * n_further for reading in self.readings
        )

    def train_and_read(self, train: Callable[..., Any], index: int) -> NDArray[np.float64]:
        """Train one model and ask it; see `Job.train_and_read`."""
        positions = self.positions(index)
        where = self.named(index)
        with one_thread():
            try:
                model = train(take(self.X, positions), take(self.y, positions), self.seeds[index])
            except Exception as error:
                raise LeakproError(
                    f"{where}: train raised {type(error).__name__} on {len(positions):,} records; "
                    "its own error stands above; it must accept any part of the members and "
                    "non-members, in the containers in which they were given"
                ) from error
            if model is None:
                raise LeakproError(
                    f"{where}: train returned nothing; it must return the fitted model"
                )
            try:
                return read_signals(self, model)
            except LeakproError as error:
                raise LeakproError(
                    f"{where}: what train returned cannot be audited: {error}"
                ) from error


@dataclass(frozen=True, repr=False)
class Finished:
    """One shadow model's signals, or what went wrong.

    Attributes
    ----------
    index : int
        Which shadow model.
    signals : ndarray of float64, shape (n_audited,), or None
    seconds : float
        Time that training and reading took; 0 from the cache.
    cached : bool
        Whether it came from the cache.
    failure : str
        What went wrong, empty where nothing did.
    trace : str
        The traceback of that.
    is_named : bool
        Whether the failure names the model already.
    """

    index: int
    signals: NDArray[np.float64] | None
    seconds: float
    cached: bool
    failure: str = ""
    trace: str = ""
    is_named: bool = False


def run_one(job: Job, train: Callable[..., Any], index: int) -> Finished:
    """Train one shadow model, unless the cache has its signals.

    Another process that needs the same one waits for it rather than training it again.

    Raises
    ------
    LeakproError
        Naming the shadow model, with the original error as its cause.
    """
    with job.lock(index):
        kept = job.kept(index)
        if kept is not None:
            return Finished(index, kept, 0.0, cached=True)
        started = time.perf_counter()
        signals = job.train_and_read(train, index)
        seconds = time.perf_counter() - started
        return Finished(index, job.keep(index, signals), seconds, cached=False)


def read_signals(job: ShadowJob, model: Any) -> NDArray[np.float64]:
    """Ask a trained model about all audited records; raises LeakproError as its reader does."""
    parts = [job.reader.negative_loss(model, records) for records in job.audited]
    for reading in job.readings:
        values = read_further(reading, model, job.reader, job.audited[: job.n_counted])
        parts.append(values.ravel())
    return np.concatenate(parts)
