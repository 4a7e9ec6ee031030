"""What attacks read of every model beyond its loss on a record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.model_reader import final_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["Reading", "read_further"]


@dataclass(frozen=True)
class Reading(ABC):
    """Something that is read of the target and of each of its shadow models alike.

    A subclass is a frozen dataclass. Its fields tell it from others in the cache, so they hold
    plain values, arrays or functions; it travels to the processes that train shadow models.

    Attributes
    ----------
    name : str
        What attacks ask for it by.
    of_checkpoints : bool
        Whether it is read of the list of a model's checkpoints, where there is one, rather than
        of the model alone.
    """

    name: ClassVar[str]
    of_checkpoints: ClassVar[bool] = False

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers are read per record, q."""

    @abstractmethod
    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Read a model.

        Parameters
        ----------
        model : object
            What a trainer returns, or the target's model; a list of checkpoints only for who
            declares so.
        reader : ModelReader
            To ask it, with the access that the attacker has.
        records : Records
            n records.

        Returns
        -------
        ndarray of shape (q, n)
            Finite. Each record's numbers follow from the model and that record alone.
        """


def read_further(
    reading: Reading, model: Any, reader: ModelReader, sides: Iterable[Records]
) -> NDArray[np.float64]:
    """Read a model on several sides, one after the other.

    Returns
    -------
    ndarray of shape (q, n)

    Raises
    ------
    LeakproError
        Where what was read is not of that shape, or not finite.
    """
    if not reading.of_checkpoints:
        model = final_model(model)
    parts = []
    for records in sides:
        values = np.asarray(reading.read(model, reader, records), dtype=np.float64)
        if values.shape != (reading.width, len(records)):
            raise LeakproError(
                f"{reading.name}: read values of shape {values.shape} for {len(records):,} records "
                f"of the {records.side}: {reading.width} per record were to come"
            )
        if not np.isfinite(values).all():
            raise LeakproError(
                f"{reading.name}: read NaN or infinite values on the {records.side}: the model "
                "gives no finite numbers there"
            )
        parts.append(values)
    return np.concatenate(parts, axis=1)
