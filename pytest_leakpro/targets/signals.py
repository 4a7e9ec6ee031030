"""What a model says about records, in the form that attacks read.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.label_signals import LabelSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClassSignals", "RegressionSignals", "Signals"]

SMALLEST = 1e-300
"""Probabilities are clipped here from below, so that every logarithm is finite."""

_LARGEST_ODDS = 1e300


@dataclass(frozen=True, repr=False, eq=False)
class ClassSignals:
    """What a classifier says about n records.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        The true classes, as column indices.
    log_odds : ndarray of float64, shape (n, K)
        ``log p - log(1 - p)`` of every class, finite. This is what is stored, since all else
        follows from it without cancellation, however near to 1 a probability is.
    """

    labels: NDArray[np.intp]
    log_odds: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = self.log_odds.shape
        if len(shape) != 2 or shape[1] < 2 or self.labels.shape != shape[:1]:
            raise LeakproError(
                f"class signals take labels of shape (n,) and log odds of shape (n, K) with K of "
                f"at least 2, got {self.labels.shape} and {shape}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"ClassSignals({len(self)}, n_classes={self.n_classes})"

    @property
    def n_classes(self) -> int:
        """Number of classes, K."""
        return int(self.log_odds.shape[1])

    @cached_property
    def log_probabilities(self) -> NDArray[np.float64]:
        """Natural logarithms of the probabilities, shape (n, K), finite."""
        return np.asarray(-np.logaddexp(0.0, -self.log_odds), dtype=np.float64)

    @cached_property
    def log_complements(self) -> NDArray[np.float64]:
        """``log(1 - p)``, shape (n, K), finite, with full resolution where p is nearly 1."""
        return np.asarray(-np.logaddexp(0.0, self.log_odds), dtype=np.float64)

    @cached_property
    def true_log_odds(self) -> NDArray[np.float64]:
        """``log p - log(1 - p)`` of the true class, shape (n,).

        A strictly increasing transform of minus the cross-entropy loss, which does not tie where
        the loss saturates.
        """
        return np.asarray(self.log_odds[np.arange(len(self)), self.labels], dtype=np.float64)

    @property
    def negative_loss(self) -> NDArray[np.float64]:
        """`true_log_odds`: the larger, the smaller the loss."""
        return self.true_log_odds

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the most likely class is the true one, shape (n,)."""
        return np.asarray(self.log_odds.argmax(axis=1) == self.labels)

    def take(self, positions: NDArray[np.intp] | NDArray[np.bool_]) -> ClassSignals:
        """Take some of the records, by position or mask."""
        return ClassSignals(self.labels[positions], self.log_odds[positions])

    @classmethod
    def from_probabilities(
        cls, labels: NDArray[np.intp], probabilities: NDArray[np.float64]
    ) -> ClassSignals:
        """Read probabilities.

        Parameters
        ----------
        labels : ndarray of int, shape (n,)
            The true classes, as column indices.
        probabilities : ndarray, shape (n, K) or (n, 1)
            At least 0; rows need not sum to 1 exactly. A single column is that of class 1 of two.
        """
        known = np.maximum(probabilities, 0.0)
        if known.shape[1] == 1:
            known = np.minimum(known, 1.0)
            known = np.hstack([1.0 - known, known])
        # Not 1 - p: the sum of the others tells 1 - 1e-20 from 1.
        before = np.cumsum(known, axis=1)[:, :-1]
        after = np.cumsum(known[:, ::-1], axis=1)[:, ::-1][:, 1:]
        zero = np.zeros((len(known), 1))
        others = np.hstack([zero, before]) + np.hstack([after, zero])
        odds = np.log(np.maximum(known, SMALLEST)) - np.log(np.maximum(others, SMALLEST))
        return cls(labels, odds)

    @classmethod
    def from_logits(cls, labels: NDArray[np.intp], logits: NDArray[np.float64]) -> ClassSignals:
        """Read logits.

        Parameters
        ----------
        labels : ndarray of int, shape (n,)
            The true classes, as column indices.
        logits : ndarray, shape (n, K) or (n, 1)
            Finite. A single column is the log odds of class 1 of two.
        """
        with np.errstate(over="ignore"):
            if logits.shape[1] == 1:
                odds = np.hstack([-logits, logits])
            else:
                floor = np.full((len(logits), 1), -np.inf)
                before = np.logaddexp.accumulate(logits, axis=1)[:, :-1]
                after = np.logaddexp.accumulate(logits[:, ::-1], axis=1)[:, ::-1][:, 1:]
                others = np.logaddexp(np.hstack([floor, before]), np.hstack([after, floor]))
                odds = logits - others
        return cls(labels, np.clip(odds, -_LARGEST_ODDS, _LARGEST_ODDS))


@dataclass(frozen=True, repr=False, eq=False)
class RegressionSignals:
    """What a regressor says about n records.

    Attributes
    ----------
    labels : ndarray of float64, shape (n, d)
        The true targets.
    predictions : ndarray of float64, shape (n, d)
        What the model predicts.
    """

    labels: NDArray[np.float64]
    predictions: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.shape != self.predictions.shape:
            raise LeakproError(
                f"regression signals take labels and predictions of one shape (n, d), got "
                f"{self.labels.shape} and {self.predictions.shape}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"RegressionSignals({len(self)}, outputs={self.labels.shape[1]})"

    @property
    def n_classes(self) -> int:
        """0: there are no classes."""
        return 0

    @cached_property
    def squared_errors(self) -> NDArray[np.float64]:
        """Squared errors, shape (n,), the mean over the d outputs, in squared units of these."""
        errors = np.mean((self.predictions - self.labels) ** 2, axis=1)
        return np.asarray(errors, dtype=np.float64)

    @property
    def negative_loss(self) -> NDArray[np.float64]:
        """``-squared_errors``: the larger, the smaller the loss."""
        return -self.squared_errors

    def take(self, positions: NDArray[np.intp] | NDArray[np.bool_]) -> RegressionSignals:
        """Take some of the records, by position or mask."""
        return RegressionSignals(self.labels[positions], self.predictions[positions])


Signals: TypeAlias = ClassSignals | LabelSignals | RegressionSignals
"""What attacks read: `labels`, `negative_loss`, `n_classes`, and what the kind adds.

Of language models it is `TextSignals`, which have these too; who reads more of them is told so by
`TextView`.
"""
