"""Defences of an interface: a model whose scores are coarsened before anybody sees them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.targets.containers import length
from pytest_leakpro.targets.outputs import as_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_adapter import ModelAdapter

__all__ = [
    "Guard",
    "GuardedModel",
    "HiddenScores",
    "Hiding",
    "LabelOnly",
    "Rounding",
    "TopScores",
    "add_guard",
    "bare",
    "guard_of",
]

_MOST_DIGITS = 15
_SUM_TOLERANCE = 1e-3


class Hiding(Protocol):
    """What is done to probabilities before they leave the interface."""

    @property
    def said(self) -> str:
        """What it does, in words that follow the model's name."""

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coarsen probabilities of shape (n, K); rows still sum to 1."""


@dataclass(frozen=True)
class Rounding:
    """Probabilities to a number of decimal places."""

    digits: int

    def __post_init__(self) -> None:
        if isinstance(self.digits, bool) or not isinstance(self.digits, int):
            raise LeakproError(f"digits is a whole number, not {self.digits!r}")
        if not 0 <= self.digits <= _MOST_DIGITS:
            raise LeakproError(f"digits lies between 0 and {_MOST_DIGITS}, not at {self.digits}")

    @property
    def said(self) -> str:
        """See `Hiding`."""
        return f"rounded to {self.digits} {'digit' if self.digits == 1 else 'digits'}"

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Round, and share out what is missing to 1; see `Hiding`."""
        rounded = np.round(probabilities, self.digits)
        total = rounded.sum(axis=1, keepdims=True)
        # Of many classes each may round to nothing: the interface then tells nothing.
        even = np.full_like(rounded, 1 / rounded.shape[1])
        shared: NDArray[np.float64] = np.divide(rounded, total, out=even, where=total > 0)
        return shared


@dataclass(frozen=True)
class TopScores:
    """The probabilities of the likeliest classes; the others share what is left."""

    k: int

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 1:
            raise LeakproError(f"k is a whole number of at least 1, not {self.k!r}")

    @property
    def said(self) -> str:
        """See `Hiding`."""
        return f"top {self.k} of the scores"

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keep the k largest of each row; see `Hiding`."""
        n_classes = probabilities.shape[1]
        if self.k >= n_classes:
            return probabilities
        # Stable, so that of equal probabilities the first columns are named.
        order = np.argsort(-probabilities, axis=1, kind="stable")
        hidden = np.ones(probabilities.shape, dtype=bool)
        np.put_along_axis(hidden, order[:, : self.k], values=False, axis=1)
        rest = np.where(hidden, probabilities, 0.0).sum(axis=1, keepdims=True)
        return np.where(hidden, rest / (n_classes - self.k), probabilities)


@dataclass(frozen=True)
class LabelOnly:
    """The likeliest class, and no probability."""

    @property
    def said(self) -> str:
        """See `Hiding`."""
        return "labels only"

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the likeliest class all probability; see `Hiding`."""
        likeliest = np.zeros_like(probabilities)
        likeliest[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = 1.0
        return likeliest


@dataclass(frozen=True)
class Guard:
    """What stands between a model and whoever asks it; small enough to travel to a worker.

    Attributes
    ----------
    hiding : tuple of Hiding
        What is done to the model's probabilities, in this order.
    output : {"probabilities", "logits"} or None
        What the model itself returns; None where its adapter knows, or its values tell.
    """

    hiding: tuple[Hiding, ...]
    output: str | None = None

    def __post_init__(self) -> None:
        if self.output not in (None, "probabilities", "logits"):
            shown = printable(repr(self.output), 40)
            raise LeakproError(f"output is 'probabilities' or 'logits', not {shown}")

    @property
    def said(self) -> str:
        """How scores are hidden, as ``"top 3 of the scores, rounded to 1 digit"``."""
        return ", ".join(entry.said for entry in self.hiding)


class GuardedModel:
    """A model behind an interface that hides scores: what `pytest_leakpro.defences` gives.

    Parameters
    ----------
    model : estimator, torch.nn.Module or callable
        A fitted model.
    guard : Guard
        What stands before it.

    Attributes
    ----------
    model : object
        The model without its guard.
    guard : Guard
        As given.
    """

    def __init__(self, model: Any, guard: Guard) -> None:
        from pytest_leakpro.targets.adapters import adapt_classifier

        self.model = model
        self.guard = guard
        adapt_classifier(model, guard.output)  # says at once where this is no classifier

    def __repr__(self) -> str:
        return f"GuardedModel({type(self.model).__name__}, {self.guard.said})"

    @property
    def classes_(self) -> Any:
        """The labels in the order of the columns, as the model has them."""
        return self.model.classes_

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Give the coarsened probabilities of records, shape (n, K)."""
        from pytest_leakpro.targets.adapters import adapt_classifier

        return HiddenScores(adapt_classifier(self.model, self.guard.output), self.guard)(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Give the predicted labels of records, shape (n,): those of the model itself."""
        if hasattr(self.model, "predict"):
            return np.asarray(self.model.predict(X))
        from pytest_leakpro.targets.label_model import adapt_labels

        return np.asarray(adapt_labels(self.model, output=self.guard.output)(X))


class HiddenScores:
    """Asks a guarded model, and lets through what its interface shows.

    Parameters
    ----------
    model : ModelAdapter
        Asks the model itself.
    guard : Guard
        What stands before it.
    """

    def __init__(self, model: ModelAdapter, guard: Guard) -> None:
        self._model = model
        self._guard = guard
        self._returned = model.output or guard.output
        self.name = model.name
        self.classes = model.classes
        self.output: str | None = "probabilities"
        self.pairwise = False
        self.batch_size = model.batch_size

    def __repr__(self) -> str:
        return f"HiddenScores({self.name})"

    @property
    def device(self) -> str | None:
        """Where the model computes, None where that cannot be told."""
        device: str | None = getattr(self._model, "device", None)
        return device

    def __call__(self, inputs: Any) -> NDArray[np.float64]:
        """Give what the interface shows of these records, shape (n, K)."""
        values = as_matrix(self._model(inputs), length(inputs), "records")
        shown = _as_probabilities(values, self._returned)
        for hide in self._guard.hiding:
            shown = hide(shown)
        return shown


def _as_probabilities(values: NDArray[np.float64], returned: str | None) -> NDArray[np.float64]:
    if returned is None:
        if values.shape[1] == 1:
            raise LeakproError(
                "the model returned a single column, which may hold probabilities or logits: say "
                "output= where its scores are hidden, as rounded(model, 1, output='logits')"
            )
        returned = "probabilities" if _sum_to_one(values) else "logits"
    if returned == "probabilities":
        return values if values.shape[1] > 1 else np.hstack([1 - values, values])
    if values.shape[1] == 1:
        values = np.hstack([np.zeros_like(values), values])
    odds = np.exp(values - values.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def _sum_to_one(values: NDArray[np.float64]) -> bool:
    total = values.sum(axis=1)
    inside = (values >= 0).all() and (values <= 1).all()
    return bool(inside and (np.abs(total - 1) <= _SUM_TOLERANCE).all())


def add_guard(model: Any, hiding: Hiding, output: str | None = None) -> GuardedModel:
    """Hide scores of a model; of one that is guarded already both defences apply, the newer last.

    Raises
    ------
    LeakproError
        Where the model is no classifier.
    """
    known = guard_of(model)
    if known is None:
        return GuardedModel(model, Guard((hiding,), output))
    return GuardedModel(bare(model), Guard((*known.hiding, hiding), output or known.output))


def bare(model: Any) -> Any:
    """Give a model without its guard."""
    return model.model if isinstance(model, GuardedModel) else model


def guard_of(model: Any) -> Guard | None:
    """Give what hides a model's scores; None where nothing does."""
    return model.guard if isinstance(model, GuardedModel) else None
