"""The choice of the adapter that fits a model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.callable_model import CallableModel
from pytest_leakpro.targets.hidden_scores import GuardedModel, HiddenScores
from pytest_leakpro.targets.model_adapter import ModelAdapter, model_name
from pytest_leakpro.targets.sklearn_model import has_method, sklearn_classifier, sklearn_regressor
from pytest_leakpro.targets.torch_model import TorchModel, is_module

__all__ = ["adapt_classifier", "adapt_regressor", "require_model"]

_WANTED = (
    "a fitted scikit-learn estimator, a torch.nn.Module, or a callable that maps inputs to outputs"
)


def adapt_classifier(model: Any, output: str | None) -> ModelAdapter:
    """Choose the adapter for a classifier.

    Parameters
    ----------
    model : estimator, torch.nn.Module or callable
        The fitted model.
    output : {"probabilities", "logits"} or None
        Which output the user wants read.

    Raises
    ------
    LeakproError
        If it is no model, or one that gives neither probabilities nor logits.
    """
    require_model(model)
    if isinstance(model, GuardedModel):
        guard = replace(model.guard, output=model.guard.output or output)
        return HiddenScores(adapt_classifier(model.model, guard.output), guard)
    if is_module(model):
        return TorchModel(model)
    if has_method(model, "predict_proba") or has_method(model, "decision_function"):
        return sklearn_classifier(model, output)
    if callable(model):
        return CallableModel(model)
    if has_method(model, "fit") or has_method(model, "predict"):
        raise LeakproError(
            f"{model_name(model)} has neither predict_proba nor decision_function: use Regressor "
            "for a regressor, and for another model pass a callable that returns probabilities or "
            "logits"
        )
    raise _no_model(model)


def adapt_regressor(model: Any) -> ModelAdapter:
    """Choose the adapter for a regressor.

    Raises
    ------
    LeakproError
        If it is no model, or a classifier.
    """
    require_model(model)
    if isinstance(model, GuardedModel):
        raise LeakproError(
            f"this model hides scores ({model.guard.said}), and a regressor has none: round its "
            "predictions in a function, and give that"
        )
    if is_module(model):
        return TorchModel(model, "predictions")
    if any(has_method(model, name) for name in ("predict", "predict_proba", "decision_function")):
        return sklearn_regressor(model)
    if callable(model):
        return CallableModel(model)
    raise _no_model(model)


def require_model(model: Any) -> None:
    """Refuse a class where a fitted model is wanted."""
    if isinstance(model, type):
        raise LeakproError(
            f"model is the class {model.__name__}, not an instance: pass a fitted model, {_WANTED}"
        )


def _no_model(model: Any) -> LeakproError:
    what = "None" if model is None else f"a {type(model).__name__}"
    hint = "; files are yours to load" if isinstance(model, str) else ""
    if isinstance(model, (list, tuple)):
        hint = "; of the checkpoints of a training pass the last, and the list as checkpoints="
    return LeakproError(f"model is {what}: pass {_WANTED}{hint}")
