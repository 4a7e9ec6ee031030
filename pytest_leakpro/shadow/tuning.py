"""Which way of training torch shadow models is fastest on this machine.

Audits never ask: the way changes the last bits of the figures, so a stopwatch may only propose
what a person then writes down.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.shadow.trial import FailedWayError, Workload
from pytest_leakpro.shadow.way import group_size, obstacle, way_for
from pytest_leakpro.targets.torch_trainer import STACKS
from pytest_leakpro.targets.torch_training import new_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.shadow.way import Way
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["NOTABLE_GAIN", "Candidates", "Timing", "candidates", "measure", "proposed_way"]

NOTABLE_GAIN = 0.1
"""The share of the time that a pin must save to be worth another baseline."""

_TRIAL_STEPS = 2
_ROUNDS = 3
# Of trainings so short that they are done before the time is over.
_MOST_ROUNDS = 10


@dataclass(frozen=True)
class Candidates:
    """The ways that a module permits.

    Attributes
    ----------
    table : Way
        What the fixed table chooses.
    current : Way
        What the trainer is trained by now: the same, unless it has a pin.
    ways : tuple of Way
        All that are compared, the current one first.
    hindrances : dict of str to str
        By name, ways that are not possible, and why.
    """

    table: Way
    current: Way
    ways: tuple[Way, ...]
    hindrances: dict[str, str]


@dataclass(frozen=True)
class Timing:
    """How long a way takes, or why that is not known.

    Attributes
    ----------
    way : Way
    seconds : float
        For all shadow models of the audit in all epochs; infinite where it is not known.
    failure : str
        Why it is not known, empty where it is.
    """

    way: Way
    seconds: float
    failure: str = ""


def candidates(trainer: TorchTrainer, n_models: int) -> Candidates:
    """List the ways by which a trainer's modules can be trained.

    Parameters
    ----------
    trainer : TorchTrainer
    n_models : int
        How many shadow models the audit has, at least 4.

    Returns
    -------
    Candidates
        Stacked ways with the group of the table, half and twice as many.

    Raises
    ------
    LeakproError
        If the trainer makes no modules, or its pin is not possible.
    """
    try:
        module = new_modules(trainer.module, [0, 0], "cpu")[0]
    except LeakproError:
        raise
    except Exception as error:
        raise LeakproError(
            "TorchTrainer: module() raised " + printable(f"{type(error).__name__}: {error}", 400)
        ) from error
    free = replace(trainer, stack=None, group=None)
    table, current = way_for(free, module, n_models), way_for(trainer, module, n_models)
    usual = group_size(module, n_models, trainer.device.partition(":")[0])
    ways, hindrances = [current, table], {}
    for name in STACKS:
        hindrance = obstacle(name, module)
        if hindrance:
            hindrances[name] = hindrance
            continue
        sizes = [1] if name == "processes" else _group_sizes(usual, n_models)
        ways += [way_for(replace(free, stack=name, group=size), module, n_models) for size in sizes]
    by_mark: dict[str, Way] = {}
    for way in ways:
        by_mark.setdefault(way.mark, way)
    return Candidates(table, current, tuple(by_mark.values()), hindrances)


def _group_sizes(usual: int, n_models: int) -> list[int]:
    """Give the usual size, half and twice of it, each shared evenly."""
    sizes = []
    for size in (usual, usual // 2, usual * 2):
        if size == usual or 2 <= size <= n_models:
            n_groups = -(-n_models // size)
            sizes.append(-(-n_models // n_groups))
    return sizes


def measure(
    ways: Sequence[Way],
    load: Workload,
    seconds: float,
    say: Callable[[str], None] = lambda _: None,
) -> list[Timing]:
    """Train a few models for a while by each way.

    Parameters
    ----------
    ways : sequence of Way
        The most important first: where the time is short, the last ones go without.
    load : Workload
        The models.
    seconds : float
        About how long this may take once processes are started. No training begins afterwards,
        but that of the first way.
    say : callable
        Told in one line how far it is.

    Returns
    -------
    list of Timing
        One per way, each from the fastest of its trainings, in which all ways take turns.
    """
    load.start_processes()
    end = monotonic() + seconds
    runners = [_Runner(way, load) for way in ways]
    first = runners[0]
    for runner in runners:
        for _ in range(2):  # the first time is slower
            if monotonic() < end or runner is first:
                runner.run(_TRIAL_STEPS)
    for number in range(_MOST_ROUNDS):
        # Fewer processes are started where ways that take equally many come one after the other.
        running = sorted(
            (runner for runner in runners if runner.can_run),
            key=lambda runner: runner.at_once,
            reverse=number % 2 == 1,
        )
        began, turns_left = monotonic(), len(running) * max(1, _ROUNDS - number)
        for runner in running:
            left = max(0.0, end - monotonic())
            if left or (runner is first and not number):
                runner.run_for(left / turns_left)
            turns_left -= 1
        now = monotonic()
        if now >= end or (number + 1 >= _ROUNDS and end - now < now - began):
            break
        say(f"each way was tried {number + 1} times" if number else "each way was tried once")
    return [runner.timing() for runner in runners]


class _Runner:
    """One way, and the fastest of its trainings."""

    def __init__(self, way: Way, load: Workload) -> None:
        self.at_once = load.at_once(way)
        self._way = way
        self._load = load
        self._per_step = math.inf
        self._failure = ""
        self._had_its_turn = False

    @property
    def can_run(self) -> bool:
        """Whether a trial has shown that and how fast it trains."""
        return not self._failure and self._per_step < math.inf

    def run(self, steps: int) -> None:
        """Train for some minibatches."""
        if self._failure:
            return
        try:
            took, steps = self._load.train(self._way, steps)
        except FailedWayError as error:
            self._failure = str(error)
        else:
            self._per_step = min(self._per_step, took / steps)

    def run_for(self, seconds: float) -> None:
        """Train for about so long, at most as long as the audit would."""
        steps = max(seconds / self._per_step, _TRIAL_STEPS)
        self.run(int(min(steps, self._load.steps)))
        self._had_its_turn = True

    def timing(self) -> Timing:
        """Say what was found."""
        if self._failure:
            return Timing(self._way, math.inf, self._failure)
        # In a trial the start of the training would count as much as the training.
        if not self._had_its_turn:
            return Timing(self._way, math.inf, "the time was over before its turn")
        rounds = self._load.rounds(self._way)
        return Timing(self._way, self._per_step * self._load.steps * rounds)


def proposed_way(timings: Sequence[Timing], found: Candidates) -> Way:
    """Say by which way to train.

    Parameters
    ----------
    timings : sequence of Timing
        Of which at least one is known.
    found : Candidates
        What the table chooses, and what the trainer has now.

    Returns
    -------
    Way
        That of now unless another one saves more than `NOTABLE_GAIN` of the time, and then the
        table's unless the fastest saves as much over that.
    """
    best = min(timings, key=lambda timing: timing.seconds)
    known = {timing.way.mark: timing.seconds for timing in timings}
    for way in (found.current, found.table):
        if known.get(way.mark, math.inf) * (1 - NOTABLE_GAIN) <= best.seconds:
            return way
    return best.way
