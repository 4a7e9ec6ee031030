"""A function that maps records to outputs, such as an API client.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.targets.model_adapter import model_name
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CallableModel", "is_plain_callable"]


class CallableModel:
    """A callable, which gets the records in the container that the user gave them in."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self.name = model_name(function)
        self.classes: tuple[Any, ...] | None = None
        self.output: str | None = None
        self.batch_size: int | None = None
        self.pairwise = False

    def __repr__(self) -> str:
        return f"CallableModel({self.name})"

    def __call__(self, inputs: Any) -> Any:
        """Call it."""
        return self._function(inputs)


def is_plain_callable(model: Any) -> bool:
    """Tell whether this is a function, rather than a fitted object that can be looked into."""
    methods = ("predict", "predict_proba", "decision_function")
    fitted = is_module(model) or any(hasattr(model, name) for name in methods)
    return callable(model) and not fitted
