"""Into which leaf of which tree every record falls.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import is_frame, is_sparse, length
from pytest_leakpro.targets.inner_models import library_of, trees_of

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
    grown_on : tuple of int, or None
        On how many records the trees were grown, the fewest and the most of any, as they say
        themselves; None where they do not.
    by_draw : bool
        Whether each tree was grown on some of the records only, by the model's settings.
    """

    path: str
    places: NDArray[np.intp]
    in_bag: NDArray[np.bool_] | None = None
    grown_on: tuple[int, int] | None = None
    by_draw: bool = False


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
    home = library_of(model)
    if home == "xgboost":
        return _of_xgboost(found)
    if home == "lightgbm":
        return _of_lightgbm(found)
    if home not in ("sklearn", "imblearn"):
        return None
    grown_on = None
    if hasattr(model, "_predictors"):
        places = _of_histograms(model, inputs)
        counts = [int(tree.nodes["count"][0]) for stage in model._predictors for tree in stage]
        grown_on = min(counts), max(counts)
    else:
        trees = trees_of(model)
        if not trees:
            return None
        places = _of_trees(model, trees, inputs)
        roots = [int(tree.tree_.n_node_samples[0]) for tree in trees]
        grown_on = min(roots), max(roots)
    if places is None:
        return None
    read = np.asarray(places).reshape(length(inputs), -1).astype(np.intp)
    return Leaves(found.path, read, _in_bag(model, read), grown_on)


def _of_trees(model: Any, trees: list[Any], inputs: Any) -> Any:
    if hasattr(model, "apply"):
        return model.apply(inputs)
    # As the ensemble itself hands them to its trees: without names.
    matrix = inputs.tocsr() if is_sparse(inputs) else np.asarray(inputs)
    features = getattr(model, "estimators_features_", None)
    own = [matrix if features is None else matrix[:, features[at]] for at in range(len(trees))]
    return np.stack([tree.apply(part) for tree, part in zip(trees, own, strict=True)], axis=1)


def _of_xgboost(found: InnerModel) -> Leaves | None:
    import json

    import xgboost

    model, inputs = found.model, found.inputs
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    if not isinstance(booster, xgboost.Booster):
        return None
    trained = json.loads(booster.save_config())["learner"]["gradient_booster"]
    if trained["name"] == "gblinear":
        return None
    # Rounds after the best one make no answers, but whoever has the model reads them.
    every = (0, booster.num_boosted_rounds())
    if booster is model:
        data = xgboost.DMatrix(inputs, enable_categorical=is_frame(inputs))
        places = model.predict(data, pred_leaf=True, iteration_range=every)
    else:
        places = model.apply(inputs, iteration_range=every)
    growing = trained.get("gbtree", trained).get("tree_train_param", {})
    return Leaves(
        found.path,
        np.asarray(places).reshape(length(inputs), -1).astype(np.intp),
        by_draw=float(growing.get("subsample", 1)) < 1,
    )


def _of_lightgbm(found: InnerModel) -> Leaves | None:
    model, inputs = found.model, found.inputs
    if not hasattr(model, "predict"):
        return None
    booster = getattr(model, "booster_", model)
    # All rounds, as above; with a linear model in each leaf they are leaves all the same.
    places = model.predict(inputs, pred_leaf=True, num_iteration=-1)
    first = booster.dump_model(num_iteration=1)["tree_info"]
    roots = [int(tree["tree_structure"].get("internal_count", 0)) for tree in first]
    known = [root for root in roots if root]
    return Leaves(
        found.path,
        np.asarray(places).reshape(length(inputs), -1).astype(np.intp),
        grown_on=(min(known), max(known)) if known else None,
    )


def _in_bag(model: Any, places: NDArray[np.intp]) -> NDArray[np.bool_] | None:
    """Tell which records each tree was grown on, where the model's seeds tell.

    That holds only if the members are those it was trained on, in that order: each tree's own
    count of the records in its leaves says whether they are.
    """
    if not getattr(model, "bootstrap", False) or not hasattr(model, "estimators_samples_"):
        return None
    if getattr(model, "_n_samples", None) != len(places):
        return None
    trees = trees_of(model)
    inside = np.zeros(places.shape, dtype=bool)
    for at, (tree, rows) in enumerate(zip(trees, model.estimators_samples_, strict=True)):
        inside[rows, at] = True
        said = tree.tree_.n_node_samples
        leaf = tree.tree_.children_left < 0
        # Some versions count a record once, others as often as it was drawn.
        ways = (np.flatnonzero(inside[:, at]), rows)
        counted = (np.bincount(places[way, at], minlength=len(said)) for way in ways)
        if not any((counts[leaf] == said[leaf]).all() for counts in counted):
            return None
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
