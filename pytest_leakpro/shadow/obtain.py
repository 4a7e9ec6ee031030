"""The shadow signals of a target: brought along, from the cache, or trained.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.assignment import Assignment, models_per_unit
from pytest_leakpro.shadow.deadline import Deadline, OutOfTimeError
from pytest_leakpro.shadow.digest import UndigestibleError
from pytest_leakpro.shadow.executor import default_workers, execute
from pytest_leakpro.shadow.job import ShadowJob
from pytest_leakpro.shadow.looks import numbers_of_models
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.shadow.pool import Pool, pool_of
from pytest_leakpro.shadow.signal_key import signal_key
from pytest_leakpro.shadow.way import way_for
from pytest_leakpro.stats.seeding import derive_number
from pytest_leakpro.store.open_cache import open_cache
from pytest_leakpro.store.scratch import scratch_array
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.torch_trainer import TorchTrainer
from pytest_leakpro.targets.torch_training import new_modules
from pytest_leakpro.targets.trainers import trainer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.shadow.way import Way
    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["Looks", "ShadowPlan", "has_shadows", "shadow_looks"]

_NOTABLE_GAP = 0.02


@dataclass(frozen=True)
class ShadowPlan:
    """How shadow models are to be had.

    Attributes
    ----------
    n_models : int or "auto"
        How many, at least 4; auto for looks at more and more of them.
    workers : int or None
        Number of processes; None for the cores, shared among pytest-xdist's workers.
    cache : str or None
        The folder, or the URL, where signals are kept; None for nowhere.
    say : callable
        Told in one line what is coming.
    notes : list of str
        What was found on the way, for the user.
    place : Place
        Where they are trained; on this machine by default.
    deadline : Deadline or None
        When no other shadow model is begun.
    training : dict
        How torch modules were trained together, as plain data: way, group and reason.
    """

    n_models: int | str
    workers: int | None
    cache: str | None = field(repr=False)  # a URL may hold a password
    say: Callable[[str], None]
    notes: list[str] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    deadline: Deadline | None = None
    training: dict[str, Any] = field(default_factory=dict)


def has_shadows(target: MembershipTarget) -> bool:
    """Tell whether a target comes with shadow signals, or with a way to train shadow models."""
    return target.signals is not None or trainer_of(target) is not None


def shadow_looks(
    target: MembershipTarget, view: MembershipView, seed: int, plan: ShadowPlan
) -> Looks:
    """Settle at which numbers of shadow models the evidence is looked at.

    Parameters
    ----------
    target : MembershipTarget
        For which `has_shadows` holds.
    view : MembershipView
        The records that are scored.
    seed : int
        The session's.
    plan : ShadowPlan
        How many, and where from.

    Returns
    -------
    Looks

    Raises
    ------
    LeakproError
        Where signals brought along do not fit, or there are too few shadow models.
    """
    if target.signals is not None:
        brought = _brought_along(target.signals, view, plan)
        return Looks((brought.n_models,), iter([brought]))
    train = trainer_of(target)
    assert train is not None
    pool = pool_of(target, view)
    n_target = target.n_train or len(view.pool[0])
    share = n_target / len(pool.codes)
    numbers = numbers_of_models(plan.n_models, share)
    n_in = models_per_unit(numbers[0], share)
    _note_sizes(n_target, round(len(pool.codes) * n_in / numbers[0]), plan)
    training = _Training(train, target, pool, view, seed, plan, share, numbers[-1])
    return Looks(numbers, training.signals(numbers))


@dataclass(frozen=True)
class Looks:
    """Shadow signals that grow from look to look.

    Attributes
    ----------
    numbers : tuple of int
        Of shadow models at each look, known beforehand; one where there is one look.
    signals : iterator of ShadowSignals
        Those of each look, trained when they are asked for. Columns: the view's members, its
        non-members, its population (never in). Raises LeakproError where a shadow model cannot
        be trained, and OutOfTimeError where the time is over.
    """

    numbers: tuple[int, ...]
    signals: Iterator[ShadowSignals]


class _Training:
    """The shadow models of one target, trained in blocks."""

    def __init__(
        self,
        train: Any,
        target: MembershipTarget,
        pool: Pool,
        view: MembershipView,
        seed: int,
        plan: ShadowPlan,
        share: float,
        wanted: int,
    ) -> None:
        self._train = train
        self._target = target
        self._pool = pool
        self._view = view
        self._seed = seed
        self._plan = plan
        self._share = share
        self._wanted = wanted
        self._key = self._digest()
        self._cache = None if plan.cache is None or not self._key else open_cache(plan.cache)

    def signals(self, numbers: tuple[int, ...]) -> Iterator[ShadowSignals]:
        """Train up to each number, and give all signals so far."""
        readings, n_scored = self._view.readings, len(self._pool.columns)
        n_counted = len(self._pool.places)
        width = n_scored + n_counted * sum(reading.width for reading in readings)
        folder = None if self._cache is None else self._cache.scratch_folder()
        signals = scratch_array((numbers[-1], width), np.float64, folder)
        included = scratch_array((numbers[-1], n_scored), bool, folder)
        marks: set[bytes] = set()
        for start, stop in pairwise((0, *numbers)):
            self._block(start, signals[start:stop], included[start:stop])
            marks.update(hashlib.sha256(row.data).digest() for row in signals[start:stop])
            if len(marks) < stop:
                raise LeakproError(
                    "some shadow models are alike to the last bit: train must use the records and "
                    "the seed that it is given, and return a model of its own each time"
                )
            further, column = {}, n_scored
            for reading in readings:
                columns = signals[:stop, column : column + reading.width * n_counted]
                further[reading.name] = columns.reshape(stop, reading.width, n_counted)
                column += reading.width * n_counted
            yield ShadowSignals(signals[:stop, :n_scored], included[:stop], further)

    def _block(self, start: int, signals: NDArray[Any], included: NDArray[Any]) -> None:
        """Train some more: each unit is in as many of every block as its share wants.

        What they say, and which records they saw, is written into the arrays.
        """
        pool, plan, size = self._pool, self._plan, len(signals)
        n_in = models_per_unit(size, self._share)
        codes = None if pool.one_by_one else pool.codes
        assignment = Assignment(pool.n_units, size, n_in, self._seed, start, codes)
        way = _way(self._train, size, plan)
        layout = assignment.mark
        if way is not None:
            # Who is in a group with whom follows from how many there are.
            layout += f" {way.mark} {f'{start} {size}' if way.stacked else ''}"
        job = ShadowJob(
            X=pool.X,
            y=pool.y,
            assignment=assignment,
            seeds=tuple(
                derive_number(self._seed, "shadow-model", str(index))
                for index in range(start, start + size)
            ),
            audited=pool.audited,
            reader=self._target.model_reader,
            cache=self._cache,
            key=hashlib.sha256(f"{self._key} {layout}".encode()).hexdigest(),
            about={
                "target": self._target.name,
                "records": int(sum(map(len, pool.audited))),
            },
            way=way,
            start=start,
            readings=self._view.readings,
            n_counted=len(pool.audited) - self._view.has_population,
        )
        try:
            execute(
                job,
                self._train,
                plan.workers or default_workers(),
                plan.say,
                plan.place,
                plan.deadline,
                signals,
            )
        except OutOfTimeError as error:
            assert plan.deadline is not None
            raise OutOfTimeError(
                plan.deadline, start + error.finished, self._wanted, kept=error.kept
            ) from None
        in_order = np.array_equal(pool.columns, np.arange(len(pool.columns)))
        n_scored, n_counted = len(pool.columns), len(pool.places)
        for index, (row, seen) in enumerate(zip(signals, included, strict=True)):
            if not in_order:
                row[:n_scored] = row[:n_scored][pool.columns]
                further = row[n_scored:].reshape(-1, n_counted)
                further[:] = further[:, pool.columns[:n_counted]]
            seen[: len(pool.places)] = assignment[index][pool.places]
            seen[len(pool.places) :] = False  # the population

    def _digest(self) -> str:
        """Digest all that the signals depend on; empty where it cannot be told, or nobody asks."""
        if self._plan.cache is None:
            return ""
        try:
            return signal_key(self._train, self._target, self._pool, self._view)
        except UndigestibleError as reason:
            self._plan.notes.append(
                f"shadow models are not cached, since it cannot be told when the recipe changes "
                f"({reason}); name it with trainer_version="
            )
            return ""


def _way(train: Any, n_models: int, plan: ShadowPlan) -> Way | None:
    """Choose how torch modules are trained together; None for any other recipe."""
    if not isinstance(train, TorchTrainer):
        return None
    # Two: a factory that returns the same module again is found before anything is trained.
    module = new_modules(train.module, [0, 0], "cpu")[0]
    way = way_for(train, module, n_models)
    if str(way) not in plan.notes:
        plan.notes.append(str(way))
    plan.training.update(way=way.name, group=way.group, reason=way.reason)
    return way


def _brought_along(signals: ShadowSignals, view: MembershipView, plan: ShadowPlan) -> ShadowSignals:
    members, nonmembers = view.records("members"), view.records("nonmembers")
    n_given = view.n_members_given
    chosen = signals.take(np.concatenate([members.positions, n_given + nonmembers.positions]))
    chosen.require_both(slice(None))
    plan.notes.append(f"signals of {signals.n_models} shadow models brought along")
    return chosen


def _note_sizes(n_target: int, n_shadow: int, plan: ShadowPlan) -> None:
    if abs(n_shadow - n_target) > _NOTABLE_GAP * n_target:
        plan.notes.append(
            f"shadow models are trained on {n_shadow:,} records, the target on {n_target:,}: with "
            "as many non-members as members they would be alike"
        )
