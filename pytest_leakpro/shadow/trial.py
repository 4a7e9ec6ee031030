"""Short trainings of a few shadow models by a given way, timed.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.shadow.executor import train_here
from pytest_leakpro.shadow.job import ShadowJob
from pytest_leakpro.shadow.parcel import pack
from pytest_leakpro.shadow.stacked_execution import groups_at_once
from pytest_leakpro.shadow.stacked_training import draws_from_torch
from pytest_leakpro.shadow.way import Way
from pytest_leakpro.targets.containers import length, take
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.shadow.job import Finished
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["FailedWayError", "Workload"]

_ERROR_ELSEWHERE = "own error stands above"


class FailedWayError(Exception):
    """Why a way does not train these models."""


class _Unread(ModelReader):
    """Asks models nothing: reading them takes as long whichever way they were trained."""

    def negative_loss(self, model: Any, records: Records) -> NDArray[np.float64]:  # noqa: ARG002
        return np.zeros(len(records))


@dataclass(frozen=True, repr=False, eq=False)
class Workload:
    """The shadow models of an audit, of which a few are trained for a while.

    Attributes
    ----------
    trainer : TorchTrainer
        The recipe; its own `stack` and `group` do not count here.
    X, y : container
        The pool. Each model is trained on half of it.
    n_models : int
        How many shadow models the audit has.
    workers : int
        How many groups or models it trains at a time.
    """

    trainer: TorchTrainer
    X: Any
    y: Any
    n_models: int
    workers: int

    @property
    def n_pool(self) -> int:
        """How many records there are."""
        return length(self.X)

    @property
    def n_records(self) -> int:
        """How many records one model is trained on."""
        return max(1, self.n_pool // 2)

    @property
    def steps_per_epoch(self) -> int:
        """How many minibatches an epoch has."""
        return -(-self.n_records // self.trainer.batch_size)

    @property
    def steps(self) -> int:
        """How many minibatches one model sees in all."""
        return self.steps_per_epoch * self.trainer.epochs

    def at_once(self, way: Way) -> int:
        """Give how many groups are trained side by side, as an audit does it."""
        n_groups = -(-self.n_models // way.group)
        if way.stacked:
            n_groups = groups_at_once(way, self.trainer, n_groups)
        at_once = min(n_groups, self.workers)
        in_threads = way.stacked and not draws_from_torch(way.name, self.trainer)
        return at_once if at_once == 1 or in_threads or self._can_travel else 1

    def start_processes(self) -> None:
        """Start those that train side by side, which import what they need."""
        alone = Way("processes", "")
        if self.at_once(alone) > 1:
            with suppress(FailedWayError):  # it will be said where it counts
                self.train(alone, 1)

    @cached_property
    def _can_travel(self) -> bool:
        """Whether other processes can have trainer and records."""
        try:
            pack(self._job(None, 1, 1), self.trainer)
        except Exception:  # whatever pickling raises
            return False
        return True

    def rounds(self, way: Way) -> int:
        """Give how often groups are trained side by side until there are all models."""
        n_groups = -(-self.n_models // way.group)
        return -(-n_groups // self.at_once(way))

    def check(self) -> None:
        """Train one model on one minibatch.

        Raises
        ------
        LeakproError
            Where trainer and records do not go together, with what the trainer says of it.
        """
        few = np.arange(min(self.n_pool, self.trainer.batch_size))
        try:
            with one_thread():
                replace(self.trainer, epochs=1, checkpoints=0)(
                    take(self.X, few), take(self.y, few), 0
                )
        except LeakproError:
            raise
        except Exception as error:
            raise LeakproError(
                "the trainer does not train on these records: "
                + printable(f"{type(error).__name__}: {error}", 400)
            ) from error

    def train(self, way: Way, steps: int) -> tuple[float, int]:
        """Train one round of groups.

        Parameters
        ----------
        way : Way
            How.
        steps : int
            About how many minibatches each model shall see.

        Returns
        -------
        float
            Seconds that the slowest group took, without the start of processes and the way of
            the data to them.
        int
            How many minibatches each model saw.

        Raises
        ------
        FailedWayError
            Where the way cannot train them.
        """
        epochs = max(1, min(self.trainer.epochs, steps // self.steps_per_epoch))
        steps = epochs * min(steps, self.steps_per_epoch)
        n_records = min(self.n_records, steps * self.trainer.batch_size)
        trainer = replace(self.trainer, epochs=epochs, checkpoints=0)
        at_once = self.at_once(way)
        job = self._job(way, at_once * way.group, n_records)
        try:
            groups = list(train_here(job, trainer, job.groups, at_once))
        except Exception as error:
            cause = error.__cause__ or error
            raise FailedWayError(f"{type(cause).__name__}: {cause}") from error
        results = [result for group in groups for result in group]
        failed = next((result for result in results if result.failure), None)
        if failed is not None:
            raise FailedWayError(_why(failed))
        return max(result.seconds for result in results), steps

    def _job(self, way: Way | None, n_models: int, n_records: int) -> ShadowJob:
        random = np.random.default_rng(0)
        assignment = np.zeros((n_models, self.n_pool), dtype=bool)
        for row in assignment:
            row[random.permutation(self.n_pool)[:n_records]] = True
        first = np.zeros(1, dtype=np.intp)
        one = Records(
            "members", take(self.X, first), first, record_units(1), take(self.y, first), first
        )
        return ShadowJob(
            X=self.X,
            y=self.y,
            assignment=assignment,
            seeds=tuple(range(n_models)),
            audited=(one,),
            reader=_Unread(),
            cache=None,
            key="",
            about={},
            way=way,
        )


def _why(failed: Finished) -> str:
    """Say what went wrong in words that need no traceback beside them."""
    if _ERROR_ELSEWHERE not in failed.failure:
        return failed.failure
    first, _, _ = failed.trace.partition("\n\nThe above exception was")
    return first.strip().splitlines()[-1]
