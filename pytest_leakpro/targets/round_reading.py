"""The reading of who saw a model again and again: losses and gradients at each of its states.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.readings import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.gradients import GradientReading
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["RoundReading"]


@dataclass(frozen=True)
class RoundReading(Reading):
    """Read every model: log-odds of the true class, then norms of gradients.

    Attributes
    ----------
    models : int
        How many there are, T.
    gradients : GradientReading or None
        What is read of gradients; None for models that have none.

    References
    ----------
    Nasr, Shokri and Houmansadr (2019), Comprehensive privacy analysis of deep learning, IEEE S&P,
    the attack on several states of a model.
    """

    name: ClassVar[str] = "rounds"
    of_checkpoints: ClassVar[bool] = True

    models: int
    gradients: GradientReading | None = None

    @property
    def per_model(self) -> int:
        """How many numbers are read of each model."""
        return 1 + (0 if self.gradients is None else self.gradients.width)

    @property
    def width(self) -> int:
        """Those of all models; its rows are model x per_model + number."""
        return self.models * self.per_model

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Read the models one after the other; see `Reading.read`."""
        return np.concatenate(
            [self._one(one, number, reader, records) for number, one in enumerate(model, 1)]
        )

    def _one(
        self, model: Any, number: int, reader: ModelReader, records: Records
    ) -> NDArray[np.float64]:
        try:
            log_odds = reader.signals(model, records).negative_loss[None]
            if self.gradients is None:
                return log_odds
            return np.concatenate([log_odds, self.gradients.read(model, reader, records)])
        except LeakproError as error:
            raise LeakproError(f"model {number}: {error}") from error
