"""How a model came to say what it says of a record: read of checkpoints, or of students.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.confidence import ConfidenceThreshold
from pytest_leakpro.attacks.membership.distillation import Students
from pytest_leakpro.attacks.membership.entropy import EntropyThreshold
from pytest_leakpro.attacks.membership.modified_entropy import ModifiedEntropyThreshold
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.readings import Reading
from pytest_leakpro.targets.signals import ClassSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.signals import Signals

__all__ = ["CLASS_METRICS", "CheckpointTrajectory", "DistilledTrajectory", "n_metrics"]

CLASS_METRICS = 5
"""Log-odds of the true class, largest log-odds, minus entropy, minus modified entropy, and the
standard deviation of the probabilities."""


def n_metrics(*, regression: bool) -> int:
    """Give how many numbers are read at each step: of a regressor its loss alone."""
    return 1 if regression else CLASS_METRICS


@dataclass(frozen=True)
class _Trajectory(Reading):
    """Metrics at each step, those of one metric side by side: its row is metric x T + step.

    Attributes
    ----------
    regression : bool
        Whether the models predict numbers.
    """

    name: ClassVar[str] = "trajectory"

    regression: bool

    @property
    def n_steps(self) -> int:
        """How many steps there are, T."""
        raise NotImplementedError

    @property
    def width(self) -> int:
        """Metrics times steps."""
        return n_metrics(regression=self.regression) * self.n_steps


@dataclass(frozen=True)
class CheckpointTrajectory(_Trajectory):
    """Read every checkpoint of a training: what an attacker knows who saw it.

    Attributes
    ----------
    checkpoints : int
        How many there are of the target, the final model included.
    """

    of_checkpoints: ClassVar[bool] = True

    checkpoints: int

    @property
    def n_steps(self) -> int:
        """One per checkpoint."""
        return self.checkpoints

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Read the checkpoints one after the other; see `Reading.read`."""
        models = model if isinstance(model, (list, tuple)) else [model]
        if len(models) != self.checkpoints:
            raise LeakproError(
                f"train returned {_count(len(models))}, and the target has {self.checkpoints} "
                "checkpoints, the final model included: let train return a list of the same "
                "moments of the training, the final model last"
            )
        signals = []
        for number, one in enumerate(models, 1):
            try:
                signals.append(reader.signals(one, records))
            except LeakproError as error:
                raise LeakproError(f"checkpoint {number}: {error}") from error
            columns = signals[-1].n_classes, signals[0].n_classes
            if columns[0] != columns[1]:
                raise LeakproError(
                    f"checkpoint {number} returned {columns[0]} columns, checkpoint 1 {columns[1]}:"
                    " give checkpoints of one training"
                )
        return _rows(signals)


@dataclass(frozen=True, repr=False, eq=False)
class DistilledTrajectory(_Trajectory):
    """Read students that learn from the model alone, step by step, and then the model.

    Attributes
    ----------
    population : Records
        What the students learn from: what the model says of them.
    module : callable or None
        Makes an untrained student of the model's own architecture; None for a small network that
        reads the records as a matrix.
    device : str
        Where students are trained.
    epochs : int
        How often a student sees each record.
    students : int
        How many of its states are read, evenly over the epochs.
    """

    population: Records
    module: Callable[[], Any] | None
    device: str
    epochs: int
    students: int

    def __repr__(self) -> str:
        return f"DistilledTrajectory(epochs={self.epochs}, students={self.students})"

    @property
    def n_steps(self) -> int:
        """The students, and the model itself."""
        return self.students + 1

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Distil the model, and read what comes of it; see `Reading.read`."""
        taught = Students(self.module, self.device, self.epochs, self.students)
        modules = taught.learn(model, reader, self.population)
        signals = [taught.signals(module, reader, records) for module in modules]
        return _rows([*signals, reader.signals(model, records)])


def _count(number: int) -> str:
    return "one model" if number == 1 else f"a list of {number} models"


def _rows(signals: Iterable[Signals]) -> NDArray[np.float64]:
    """Give the metrics of T steps, shape (metrics * T, n)."""
    steps = np.stack([_metrics(each) for each in signals], axis=1)
    return steps.reshape(-1, steps.shape[-1])


def _metrics(signals: Signals) -> NDArray[np.float64]:
    if not isinstance(signals, ClassSignals):
        return signals.negative_loss[None]
    return np.stack(
        [
            signals.true_log_odds,
            ConfidenceThreshold().score_predictions(signals),
            EntropyThreshold().score_predictions(signals),
            ModifiedEntropyThreshold().score_predictions(signals),
            np.exp(signals.log_probabilities).std(axis=1),
        ]
    )
