"""The estimators that a fitted model is made of, each with the records as it gets them.

Only types of known libraries are opened, by their documented attributes; nothing is unpickled.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.targets.containers import is_frame
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["InnerModel", "inner_models", "library_of", "trees_of"]

_MOST_DEEP = 20
_KNOWN = ("sklearn", "imblearn", "xgboost", "lightgbm")
_CHAINS = {"ClassifierChain", "RegressorChain"}
_HOLDING = {
    "TransformedTargetRegressor": "regressor_",
    "SelectFromModel": "estimator_",
    "FrozenEstimator": "estimator",
    "TunedThresholdClassifierCV": "estimator_",
    "FixedThresholdClassifier": "estimator_",
    "SelfTrainingClassifier": "estimator_",
}


@dataclass(frozen=True, repr=False, eq=False)
class InnerModel:
    """One estimator inside another.

    Attributes
    ----------
    path : str
        Where it stands, such as ``"steps[1].estimators_[0]"``; empty for the model itself.
    model : object
        The estimator.
    inputs : container or None
        The members' records as it gets them; None where these cannot be worked out.
    """

    path: str
    model: Any
    inputs: Any

    @property
    def known(self) -> bool:
        """Whether it is of a library that is looked into."""
        return is_module(self.model) or library_of(self.model) in _KNOWN


def inner_models(model: Any, inputs: Any) -> Iterator[InnerModel]:
    """Go through a model, pipelines and meta-estimators opened.

    Parameters
    ----------
    model : object
        Fitted.
    inputs : container
        The members' records, as the model gets them.

    Yields
    ------
    InnerModel
        Every estimator, outer ones before those inside them. An ensemble of trees is one of them,
        its trees are not.
    """
    yield from _opened(InnerModel("", model, inputs), 0)


def trees_of(model: Any) -> list[Any]:
    """Give the trees of scikit-learn's tree or ensemble of nothing but trees; else none.

    Parameters
    ----------
    model : object
        Fitted: a tree, a forest, boosted, bagged or weighted trees.
    """
    if library_of(model) not in ("sklearn", "imblearn"):
        return []
    if hasattr(model, "tree_"):
        return [model]
    bagged = any(name.startswith(("Bagging", "AdaBoost")) for _, name in _classes(model))
    if not (bagged or hasattr(model, "apply")):
        return []
    parts = _listed(getattr(model, "estimators_", ()))
    return parts if all(hasattr(part, "tree_") for part in parts) else []


def library_of(model: Any) -> str:
    """Name the library that an estimator comes from, also one of a class derived from its; or "".

    Parameters
    ----------
    model : object
    """
    return next((library for library, _ in _classes(model)), "")


def _classes(model: Any) -> list[tuple[str, str]]:
    """Give the library and the name of each known class that an estimator is of."""
    found = []
    for kind in type(model).__mro__:
        library = kind.__module__.partition(".")[0]
        # Anybody's estimator is derived from the bases, which say nothing of what it holds.
        if library in _KNOWN and not kind.__module__.startswith(("sklearn.base", "sklearn.utils")):
            found.append((library, kind.__name__))
    return found


def _opened(found: InnerModel, depth: int) -> Iterator[InnerModel]:
    yield found
    if depth < _MOST_DEEP:
        for part in _parts(found):
            yield from _opened(part, depth + 1)


def _parts(found: InnerModel) -> Iterator[InnerModel]:
    model, inputs = found.model, found.inputs
    if library_of(model) not in ("sklearn", "imblearn"):
        return
    names = {name for _, name in _classes(model)}
    dot = f"{found.path}." if found.path else ""
    if "Pipeline" in names:
        for place, (_, step) in enumerate(model.steps):
            if step is None or step == "passthrough":
                continue
            yield InnerModel(f"{dot}steps[{place}]", step, inputs)
            if place < len(model.steps) - 1:
                inputs = _transformed(step, inputs)
    elif "ColumnTransformer" in names:
        for place, (_, step, columns) in enumerate(getattr(model, "transformers_", ())):
            if not isinstance(step, str):
                part = _columns(inputs, columns)
                yield InnerModel(f"{dot}transformers_[{place}]", step, part)
    elif "FeatureUnion" in names:
        for place, (_, step) in enumerate(model.transformer_list):
            if not isinstance(step, str):
                yield InnerModel(f"{dot}transformer_list[{place}]", step, inputs)
    elif hasattr(model, "best_estimator_"):
        yield InnerModel(f"{dot}best_estimator_", model.best_estimator_, inputs)
    elif "CalibratedClassifierCV" in names:
        for place, part in enumerate(getattr(model, "calibrated_classifiers_", ())):
            path = f"{dot}calibrated_classifiers_[{place}].estimator"
            yield InnerModel(path, part.estimator, inputs)
    elif _is_of_others(model):
        if names & _CHAINS:  # each gets what those before it said, too
            inputs = None
        features = getattr(model, "estimators_features_", None)
        for place, part in enumerate(_listed(model.estimators_)):
            own = inputs if features is None else _columns(inputs, features[place])
            yield InnerModel(f"{dot}estimators_[{place}]", part, own)
        if hasattr(model, "final_estimator_"):
            yield InnerModel(f"{dot}final_estimator_", model.final_estimator_, None)
    else:
        for held in {_HOLDING[name] for name in names & set(_HOLDING)}:
            if hasattr(model, held):
                yield InnerModel(f"{dot}{held}", getattr(model, held), inputs)


def _is_of_others(model: Any) -> bool:
    """Tell whether an ensemble has members of any kind, not trees that it knows itself."""
    return hasattr(model, "estimators_") and not trees_of(model)


def _listed(estimators: Any) -> list[Any]:
    parts = estimators.ravel() if hasattr(estimators, "ravel") else estimators
    return [part for part in parts if not isinstance(part, str) and part is not None]


def _transformed(step: Any, inputs: Any) -> Any:
    if inputs is None:
        return None
    try:
        return step.transform(inputs)
    except Exception:  # a step of anybody's: what stands behind it is not looked at
        return None


def _columns(inputs: Any, columns: Any) -> Any:
    if inputs is None:
        return None
    try:
        if is_frame(inputs):
            named = isinstance(columns, (str, list)) and _all_text(columns)
            return inputs[columns] if named else inputs.iloc[:, columns]
        return inputs[:, columns]
    except Exception:  # names of columns that an array has none of
        return None


def _all_text(columns: Any) -> bool:
    return isinstance(columns, str) or all(isinstance(name, str) for name in columns)
