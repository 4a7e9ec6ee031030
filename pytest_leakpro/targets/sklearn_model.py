"""Estimators with the interface of scikit-learn, from whichever library.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy, is_tensor
from pytest_leakpro.targets.model_adapter import final_step, model_name

__all__ = [
    "SklearnModel",
    "has_method",
    "sklearn_classifier",
    "sklearn_labels",
    "sklearn_regressor",
]

# Of these it is known that "fitted" can be told without asking the model for anything.
_TELLING = ("imblearn", "lightgbm", "sklearn", "xgboost")


class SklearnModel:
    """An estimator and the method that scores records.

    Parameters
    ----------
    estimator : estimator
        A fitted one.
    method : {"predict_proba", "decision_function", "predict"}
        What to call.
    classes : tuple or None
        Its classes in the order of the columns.
    """

    def __init__(self, estimator: Any, method: str, classes: tuple[Any, ...] | None) -> None:
        self._estimator = estimator
        self._method = method
        self.name = model_name(estimator)
        self.classes = classes
        self.output: str | None = {
            "predict_proba": "probabilities",
            "decision_function": "logits",
            "predict": "predictions",
        }[method]
        self.batch_size: int | None = None
        self.pairwise = method == "decision_function"

    def __repr__(self) -> str:
        return f"SklearnModel({self.name}.{self._method})"

    def __call__(self, inputs: Any) -> Any:
        """Call the scoring method; tensors become arrays, which all estimators know.

        Threads of a forest add up its trees in the order in which they finish, which changes the
        last bits from run to run. One after the other they give the same figures every time.
        """
        from joblib import parallel_config

        with parallel_config(backend="sequential"):
            return getattr(self._estimator, self._method)(
                as_numpy(inputs) if is_tensor(inputs) else inputs
            )


def has_method(model: Any, name: str) -> bool:
    """Tell whether the model has such a method, now that it is configured as it is."""
    return callable(getattr(model, name, None))


def sklearn_classifier(model: Any, output: str | None) -> SklearnModel:
    """Adapt an estimator with `predict_proba` or `decision_function`.

    Raises
    ------
    LeakproError
        If it is not fitted, lacks the output asked for, or has an output that is not one column
        per class.
    """
    _require_fitted(model)
    methods = {"probabilities": "predict_proba", "logits": "decision_function"}
    if output is not None:
        method = methods[output]
        if not has_method(model, method):
            raise LeakproError(
                f"output={output!r}: {model_name(model)} has no {method}: leave output= out"
            )
    else:
        method = next(name for name in methods.values() if has_method(model, name))
    classes = _classes(model)
    if classes is not None and len(classes) < 2:
        raise LeakproError(
            f"{model_name(model)} was fitted on one class only: a model that knows one class says "
            "the same of every record"
        )
    shape = getattr(final_step(model), "decision_function_shape", None)
    if method == "decision_function" and shape == "ovo" and len(classes or ()) > 2:
        raise LeakproError(
            f"{model_name(model)} returns one column per pair of classes: set "
            "decision_function_shape='ovr' for one column per class"
        )
    return SklearnModel(model, method, classes)


def sklearn_labels(model: Any) -> SklearnModel:
    """Adapt an estimator that predicts labels, which need not have scores.

    Raises
    ------
    LeakproError
        If it is not fitted.
    """
    _require_fitted(model)
    return SklearnModel(model, "predict", _classes(model))


def sklearn_regressor(model: Any) -> SklearnModel:
    """Adapt an estimator with `predict`.

    Raises
    ------
    LeakproError
        If it is a classifier or not fitted.
    """
    telltale = ("predict_proba", "decision_function", "classes_")
    if any(hasattr(model, name) for name in telltale):
        raise LeakproError(
            f"{model_name(model)} is a classifier: use Classifier, which reads its probabilities"
        )
    _require_fitted(model)
    return SklearnModel(model, "predict", None)


def _classes(model: Any) -> tuple[Any, ...] | None:
    try:
        classes = model.classes_
    except Exception:
        # Not only AttributeError: libraries raise errors of their own here.
        return None
    if isinstance(classes, list) and any(np.ndim(part) > 0 for part in classes):
        raise LeakproError(
            f"{model_name(model)} has several outputs, each with classes of its own: audit one "
            "output at a time, with a callable that returns its probabilities"
        )
    return tuple(np.asarray(classes).tolist())


def _require_fitted(model: Any) -> None:
    validation = sys.modules.get("sklearn.utils.validation")
    library = type(final_step(model)).__module__.split(".")[0]
    if validation is None or library not in _TELLING:
        return
    try:
        validation.check_is_fitted(model)
    except sys.modules["sklearn.exceptions"].NotFittedError as exc:
        raise LeakproError(
            f"{model_name(model)} is not fitted: fit it on the members first"
        ) from exc
    except TypeError:
        # Not an estimator of scikit-learn's; it will say itself that it is not fitted.
        return
