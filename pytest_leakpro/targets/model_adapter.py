"""What every model looks like to a target, whichever library it comes from.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["ModelAdapter", "final_step", "model_name"]


class ModelAdapter(Protocol):
    """A model that can be asked about records.

    Attributes
    ----------
    name : str
        The model's class, or the function's name.
    classes : tuple or None
        The labels in the order of the output columns, where the model knows them.
    output : str or None
        ``"probabilities"``, ``"logits"`` or ``"predictions"``, where it is known beforehand.
    batch_size : int or None
        How many records to send at once if the user did not say; None: all.
    pairwise : bool
        Whether an output column may stand for a pair of classes.
    """

    name: str
    classes: tuple[Any, ...] | None
    output: str | None
    batch_size: int | None
    pairwise: bool

    def __call__(self, inputs: Any) -> Any:
        """Return the model's raw output for inputs in the user's container."""


def final_step(model: Any) -> Any:
    """Give the last step of a Pipeline, the best estimator of a search, else the model itself."""
    while True:
        steps = getattr(model, "steps", None)
        if isinstance(steps, list) and steps and isinstance(steps[-1], tuple):
            model = steps[-1][-1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model


def model_name(model: Any) -> str:
    """Name a model for tables: its class, or a function's name."""
    function = getattr(model, "func", model)  # functools.partial
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        return type(final_step(function)).__name__
    return "callable" if name == "<lambda>" else name
