"""How the numbers that a model returns are to be read: as probabilities, logits or predictions.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.labels import name_classes
from pytest_leakpro.targets.signals import ClassSignals, RegressionSignals, Signals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.records import Records

__all__ = ["ClassReader", "Reader", "RegressionReader"]

_RANGE_TOLERANCE = 1e-6
_SUM_TOLERANCE = 1e-3


class Reader(Protocol):
    """Turns what a model returned into signals."""

    @property
    def output(self) -> str | None:
        """How the numbers are read; None where their values must tell."""

    def tell(self, outputs: Mapping[str, NDArray[np.float64]]) -> tuple[str, tuple[str, ...]]:
        """Tell from the values of all sides how to read them; notes say what was found."""

    def signals(self, records: Records, values: NDArray[np.float64], output: str) -> Signals:
        """Read the values, shape (n, K), of one side."""


class ClassReader:
    """Reads probabilities or logits.

    Parameters
    ----------
    classes : sequence or None
        The labels in the order of the output columns; None: as many as there are columns.
    output : {"probabilities", "logits"} or None
        How to read the values; None: to be told from them.
    pairwise : bool
        Whether the values come from a ``decision_function``, which may hold one column per pair
        of classes.
    """

    def __init__(
        self, classes: Sequence[Any] | None, output: str | None, *, pairwise: bool = False
    ) -> None:
        self.classes = classes
        self.output = output
        self.pairwise = pairwise

    def tell(self, outputs: Mapping[str, NDArray[np.float64]]) -> tuple[str, tuple[str, ...]]:
        """Read values as probabilities if those of every side look like it, else as logits."""
        told = "probabilities"
        if not all(map(_look_like_probabilities, outputs.values())):
            told = "logits"
        notes = [f"output read as {told} (told from the values; say output= to be explicit)"]
        if told == "probabilities" and all(
            bool(np.isin(values, (0.0, 1.0)).all()) for values in outputs.values()
        ):
            notes.append("every probability is 0 or 1: the model gives away its labels only")
        return told, tuple(notes)

    def signals(self, records: Records, values: NDArray[np.float64], output: str) -> ClassSignals:
        """Check the columns against the classes and the labels, and read the values."""
        n_classes = max(2, values.shape[1])
        if self.classes is not None and n_classes != len(self.classes):
            raise LeakproError(
                f"the model returned {_columns(values)} for the {records.side}, but there are "
                f"{len(self.classes)} classes {name_classes(self.classes)}: "
                f"{self._advice(values.shape[1])}"
            )
        n_beyond = int(np.sum(records.labels >= n_classes))
        if n_beyond:
            raise LeakproError(
                f"{records.side}: {n_beyond:,} of {len(records):,} records bear a label that is "
                f"none of the classes 0 to {n_classes - 1} for which the model returned "
                f"{_columns(values)}: say classes= in the order of the model's output columns, "
                "and let it return one column per class"
            )
        if output == "logits":
            return ClassSignals.from_logits(records.labels, values)
        self._check_probabilities(values, records.side)
        return ClassSignals.from_probabilities(records.labels, values)

    def _advice(self, columns: int) -> str:
        k = len(self.classes or ())
        if self.pairwise and columns == k * (k - 1) // 2:
            return "set decision_function_shape='ovr' for one column per class"
        if columns == 1:
            return "let it return one column per class (not predicted labels)"
        return "say classes= in the order of the output columns, one label per column"

    def _check_probabilities(self, values: NDArray[np.float64], side: str) -> None:
        explicit = (
            "say output='logits' if they are no probabilities"
            if self.output
            else "they looked like probabilities on the members and non-members; say output="
        )
        outside = (values < -_RANGE_TOLERANCE) | (values > 1 + _RANGE_TOLERANCE)
        if outside.any():
            raise LeakproError(
                f"the model returned values outside [0, 1] for {int(outside.any(axis=1).sum()):,} "
                f"of {len(values):,} records of the {side}, which should be probabilities: "
                f"{explicit}"
            )
        off = np.abs(values.sum(axis=1) - 1) > _SUM_TOLERANCE
        if values.shape[1] > 1 and off.any():
            raise LeakproError(
                f"the model returned probabilities that do not sum to 1 for {int(off.sum()):,} of "
                f"{len(values):,} records of the {side}: {explicit}; labels that do not exclude "
                "each other need one target per label"
            )


def _look_like_probabilities(values: NDArray[np.float64]) -> bool:
    if values.shape[1] == 1:
        return bool(((values >= 0) & (values <= 1)).all())
    return bool((values >= 0).all() and (np.abs(values.sum(axis=1) - 1) <= _SUM_TOLERANCE).all())


def _columns(values: NDArray[np.float64]) -> str:
    return "1 column" if values.shape[1] == 1 else f"{values.shape[1]} columns"


class RegressionReader:
    """Reads predictions."""

    output: str | None = "predictions"

    def tell(
        self,
        outputs: Mapping[str, NDArray[np.float64]],  # noqa: ARG002  # the protocol's
    ) -> tuple[str, tuple[str, ...]]:
        """Say that predictions are what they are."""
        return "predictions", ()

    def signals(
        self,
        records: Records,
        values: NDArray[np.float64],
        output: str,  # noqa: ARG002  # the protocol's
    ) -> RegressionSignals:
        """Check the columns against the targets'."""
        wanted = records.labels.shape[1]
        if values.shape[1] != wanted:
            raise LeakproError(
                f"the model returned {_columns(values)} for the {records.side}, but the targets "
                f"have {wanted}: let it return one prediction per target; use Classifier for a "
                "classifier"
            )
        return RegressionSignals(records.labels, values)
