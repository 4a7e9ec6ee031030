"""What a model says about records to an attacker who sees predicted labels only.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LabelSignals"]


@dataclass(frozen=True, repr=False, eq=False)
class LabelSignals:
    """What a classifier says about n records, as labels.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        The true classes, as column indices.
    predicted : ndarray of int, shape (n,)
        The predicted ones.
    n_classes : int
        How many classes there are, as far as they are known.
    """

    labels: NDArray[np.intp]
    predicted: NDArray[np.intp]
    n_classes: int

    def __post_init__(self) -> None:
        if self.labels.ndim != 1 or self.labels.shape != self.predicted.shape:
            raise LeakproError(
                f"label signals take labels and predictions of one shape (n,), got "
                f"{self.labels.shape} and {self.predicted.shape}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"LabelSignals({len(self)}, n_classes={self.n_classes})"

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the prediction is the true class, shape (n,)."""
        return np.asarray(self.predicted == self.labels)

    @property
    def negative_loss(self) -> NDArray[np.float64]:
        """1 where the prediction is right, 0 where it is wrong, shape (n,)."""
        return self.correct.astype(np.float64)

    def take(self, positions: NDArray[np.intp] | NDArray[np.bool_]) -> LabelSignals:
        """Take some of the records, by position or mask."""
        return LabelSignals(self.labels[positions], self.predicted[positions], self.n_classes)
