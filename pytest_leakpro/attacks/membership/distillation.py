"""Students that learn what a model says of records which the attacker has.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.record_matrix import record_matrix
from pytest_leakpro.targets.signals import ClassSignals, RegressionSignals
from pytest_leakpro.targets.torch_trainer import TorchTrainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.signals import Signals

__all__ = ["Students"]

_BATCH_SIZE = 64
_RATE = 1e-3
_HIDDEN = 64
_RATE_HIDDEN = 3e-3  # a small network bears more
_FURTHEST = 10.0
_SMALLEST = 1e-12
_ROWS = 1 << 14


class Students:
    """States of one student on its way to say what a model says.

    It learns the model's probabilities by cross entropy, or its predictions by squared error,
    always from the same weights and in the same order: students of two models differ in what these
    say, and in nothing else.

    Parameters
    ----------
    module : callable or None
        Makes an untrained student, which takes records as the model does; None for a network with
        two hidden layers that reads them as a matrix.
    device : str
        Where it is trained.
    epochs : int
        How often it sees each record.
    states : int
        How many of its states are kept, evenly over the epochs.

    References
    ----------
    Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network, section 2; as an
    attack Liu, Zhao, Backes and Zhang (2022), section 4.2.
    """

    def __init__(
        self, module: Callable[[], Any] | None, device: str, epochs: int, states: int
    ) -> None:
        self._module = module
        self._device = device
        self._epochs = epochs
        self._states = states
        self._population: Records | None = None
        self._scale: tuple[Any, Any] = (0.0, 1.0)
        self._columns: tuple[Any, Any] = (0.0, 1.0)

    def learn(self, model: Any, reader: ModelReader, population: Records) -> list[Any]:
        """Train a student.

        Parameters
        ----------
        model : object
            The teacher.
        reader : ModelReader
            To ask it.
        population : Records
            What it is asked about.

        Returns
        -------
        list of torch.nn.Module
            The states.

        Raises
        ------
        LeakproError
            Where no student can be trained.
        """
        import torch  # noqa: F401 - from here on the trainer finds it

        self._population = population
        said = reader.signals(model, population)
        if isinstance(said, RegressionSignals):
            lesson: NDArray[Any] = said.predictions
            loss: Any = "mse"
            if self._module is None:
                self._scale = _moments(lesson)
                lesson = (lesson - self._scale[0]) / self._scale[1]
        else:
            assert isinstance(said, ClassSignals)
            lesson = np.exp(said.log_probabilities)
            lesson /= lesson.sum(axis=1, keepdims=True)
            loss = _SoftLoss(probabilities=self._module is not None and self._gives(reader))
        inputs, module, rate = population.inputs, self._module, _RATE
        if module is None:
            matrix = record_matrix(population, labels=False)
            self._columns = _moments(matrix)
            inputs = self._standardised(matrix)
            module, rate = _Network(inputs.shape[1], lesson.shape[1]), _RATE_HIDDEN
        trainer = TorchTrainer(
            module=module,
            loss=loss,
            lr=rate,
            epochs=self._epochs,
            batch_size=_BATCH_SIZE,
            checkpoints=self._states,
            device=self._device,
        )
        with one_thread():
            try:
                states: list[Any] = trainer(inputs, lesson.astype(np.float32), 0)
            except LeakproError as error:
                raise LeakproError(
                    f"the model cannot be distilled on the population: {error}"
                ) from error
        return states

    def signals(self, student: Any, reader: ModelReader, records: Records) -> Signals:
        """Ask a student about records; no query to the model.

        Parameters
        ----------
        student : torch.nn.Module
            One of those that `learn` gave.
        reader : ModelReader
            As the model is read.
        records : Records
            n records.
        """
        with one_thread():
            if self._module is not None:
                return replace(reader, meter=None).signals(student, records)
            assert self._population is not None
            matrix = self._standardised(record_matrix(records, self._population, labels=False))
            values = _outputs(student, matrix)
        if reader.regression:
            return RegressionSignals(records.labels, values * self._scale[1] + self._scale[0])
        return ClassSignals.from_logits(records.labels, values)

    @staticmethod
    def _gives(reader: ModelReader) -> bool:
        return reader.output == "probabilities"

    def _standardised(self, matrix: NDArray[Any]) -> NDArray[np.float32]:
        middle, width = self._columns
        scaled = np.clip((matrix - middle) / width, -_FURTHEST, _FURTHEST)
        numbers: NDArray[np.float32] = np.nan_to_num(scaled).astype(np.float32)
        return numbers


class _Network:
    """Makes small networks of one shape."""

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        self._sizes = n_inputs, n_outputs

    def __call__(self) -> Any:
        from torch import nn

        n_inputs, n_outputs = self._sizes
        return nn.Sequential(
            nn.Linear(n_inputs, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, n_outputs),
        )


class _SoftLoss:
    """Cross entropy from probabilities to what a student returns."""

    def __init__(self, *, probabilities: bool) -> None:
        self._probabilities = probabilities

    def __call__(self, outputs: Any, targets: Any) -> Any:
        import torch

        outputs = outputs.reshape(len(targets), -1)
        if outputs.shape[1] == 1:  # of the second of two classes
            other = 1 - outputs if self._probabilities else torch.zeros_like(outputs)
            outputs = torch.cat([other, outputs], 1)
        if self._probabilities:
            logs = outputs.clamp_min(_SMALLEST).log()
        else:
            logs = torch.log_softmax(outputs, 1)
        return -(targets * logs).sum(1).mean()


def _moments(columns: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and standard deviation of columns, of what is known; 0 and 1 where nothing is."""
    known = np.isfinite(columns)
    count = np.maximum(known.sum(axis=0), 1)
    middle = np.where(known, columns, 0.0).sum(axis=0) / count
    squares = np.where(known, (columns - middle) ** 2, 0.0).sum(axis=0) / count
    width = np.sqrt(squares)
    return middle, np.where(width > 0, width, 1.0)


def _outputs(student: Any, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    import torch

    device = next(student.parameters()).device
    parts = []
    with torch.no_grad():
        for start in range(0, len(matrix), _ROWS):
            batch = torch.from_numpy(matrix[start : start + _ROWS]).to(device)
            parts.append(student(batch).cpu().numpy())
    return np.concatenate(parts).astype(np.float64)
