"""Into which leaf of which tree every record falls.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import is_frame, length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.inner_models import InnerModel

__all__ = ["Leaves", "leaves_of"]


@dataclass(frozen=True, repr=False, eq=False)
class Leaves:
    """The leaves of one model's trees.

    Attributes
    ----------
    path : str
        Where the model stands.
    places : ndarray of int, shape (n, T)
        The number of the leaf that each record falls in, of every tree.
    in_bag : ndarray of bool, shape (n, T), or None
        Which records a tree was grown on; None where that cannot be told, or all were.
    """

    path: str
    places: NDArray[np.intp]
    in_bag: NDArray[np.bool_] | None = None


def leaves_of(found: InnerModel) -> Leaves | None:
    """Give the leaves of a tree or an ensemble of trees; None for a model without any.

    Parameters
    ----------
    found : InnerModel
        A tree or an ensemble of scikit-learn, XGBoost or LightGBM, with its records.
    """
    model, inputs = found.model, found.inputs
    if inputs is None:
        return None
    home = type(model).__module__.partition(".")[0]
    places: Any = None
    if home == "xgboost":
        places = _of_xgboost(model, inputs)
    elif home == "lightgbm" and hasattr(model, "predict"):
        places = model.predict(inputs, pred_leaf=True)
    elif home == "sklearn" and hasattr(model, "_predictors"):
        places = _of_histograms(model, inputs)
    elif home == "sklearn" and hasattr(model, "apply"):
        places = model.apply(inputs)
    if places is None:
        return None
    read = np.asarray(places).reshape(length(inputs), -1).astype(np.intp)
    return Leaves(found.path, read, _in_bag(model, *read.shape))


def _of_xgboost(model: Any, inputs: Any) -> Any:
    if hasattr(model, "apply"):
        return model.apply(inputs)
    if not hasattr(model, "get_dump"):
        return None
    import xgboost

    data = xgboost.DMatrix(inputs, enable_categorical=is_frame(inputs))
    return model.predict(data, pred_leaf=True)


def _in_bag(model: Any, n_records: int, n_trees: int) -> NDArray[np.bool_] | None:
    """Tell which records each tree of a bootstrapped forest was grown on, where it says so."""
    if not getattr(model, "bootstrap", False) or not hasattr(model, "estimators_samples_"):
        return None
    if getattr(model, "_n_samples", n_records) != n_records:
        return None  # the members are not all that it was trained on
    drawn = model.estimators_samples_
    if len(drawn) != n_trees:
        return None
    inside = np.zeros((n_records, n_trees), dtype=bool)
    for tree, rows in enumerate(drawn):
        inside[rows, tree] = True
    return inside


def _of_histograms(model: Any, inputs: Any) -> NDArray[np.intp] | None:
    """Walk down the trees of scikit-learn's histogram gradient boosting, which has no `apply`."""
    matrix = _numbers_for(model, inputs)
    if matrix is None:
        return None
    trees = [tree for stage in model._predictors for tree in stage]
    return np.stack([_walked(tree, matrix) for tree in trees], axis=1)


def _numbers_for(model: Any, inputs: Any) -> NDArray[np.float64] | None:
    encoded = getattr(model, "_preprocess_X", None)
    if encoded is None:
        return None
    return np.asarray(encoded(inputs, reset=False), dtype=np.float64)


def _walked(tree: Any, matrix: NDArray[np.float64]) -> NDArray[np.intp]:
    nodes, sets = tree.nodes, tree.raw_left_cat_bitsets
    at = np.zeros(len(matrix), dtype=np.intp)
    rows = np.arange(len(matrix))
    while True:
        inside = ~nodes["is_leaf"][at].astype(bool)
        if not inside.any():
            return at
        here = at[inside]
        values = matrix[rows[inside], nodes["feature_idx"][here]]
        left = values <= nodes["num_threshold"][here]
        chosen = nodes["is_categorical"][here].astype(bool)
        if chosen.any():
            left[chosen] = _in_set(values[chosen], sets[nodes["bitset_idx"][here[chosen]]])
        missing = np.isnan(values)
        left[missing] = nodes["missing_go_to_left"][here[missing]].astype(bool)
        at[inside] = np.where(left, nodes["left"][here], nodes["right"][here])


def _in_set(values: NDArray[np.float64], sets: NDArray[Any]) -> NDArray[np.bool_]:
    numbers = np.nan_to_num(values).astype(np.intp)
    known = (numbers >= 0) & (numbers < 32 * sets.shape[1])
    safe = np.where(known, numbers, 0)
    bits = sets[np.arange(len(safe)), safe // 32] >> (safe % 32).astype(sets.dtype)
    return np.asarray(known & ((bits & 1) == 1))
