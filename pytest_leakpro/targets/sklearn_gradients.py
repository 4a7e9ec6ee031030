"""Per-record gradients of scikit-learn's linear models and multilayer perceptrons, in closed form.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy, is_sparse, is_tensor, length, take
from pytest_leakpro.targets.gradient_statistics import Norms, statistics
from pytest_leakpro.targets.model_adapter import final_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SKLEARN_WITH_GRADIENTS", "estimator_layers", "estimator_statistics"]

SKLEARN_WITH_GRADIENTS = (
    "LogisticRegression",
    "LinearRegression",
    "Ridge",
    "Lasso",
    "ElasticNet",
    "MLPClassifier",
    "MLPRegressor",
)
"""The estimators (with their CV variants, also as last step of a Pipeline or inside a search)."""

# Lasso is an ElasticNet.
_LINEAR_REGRESSORS = (
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "ElasticNet",
    "LassoCV",
    "ElasticNetCV",
)
_ROWS = 1024


@dataclass(frozen=True, repr=False, eq=False)
class _Network:
    """Layers of weights with one activation between them.

    Attributes
    ----------
    weights : list of ndarray of shape (d, h)
    biases : list of ndarray of shape (h,)
        None without a bias.
    activation : str
        As scikit-learn calls it.
    link : {"softmax", "logistic", "identity"}
        Of the outputs; logistic is one against all others, or one column for two classes.
    """

    weights: list[NDArray[Any]]
    biases: list[NDArray[Any] | None]
    activation: str
    link: str


def estimator_layers(model: Any) -> list[str] | None:
    """Name the layer of each weight, biases included; None for an estimator of another kind."""
    network = _network(final_step(model))
    if network is None:
        return None
    return [str(place) for place in range(len(network.weights))]


def estimator_statistics(
    model: Any,
    inputs: Any,
    labels: NDArray[Any],
    classes: tuple[Any, ...] | None = None,
    batch_size: int | None = None,
) -> NDArray[np.float64]:
    """Give statistics of each record's gradient of the loss by the weights of an estimator.

    Per layer the gradient is the outer product of what goes in, with 1 for the bias, and of the
    loss's gradient by what comes out; its norms are the products of theirs.

    Parameters
    ----------
    model : estimator
        One of `SKLEARN_WITH_GRADIENTS`; the weights are those of the last step of a Pipeline.
    inputs : container of n records
    labels : ndarray
        Classes of shape (n,), as positions in `classes`, or targets of shape (n, d).
    classes : tuple, optional
        The target's; by default the model's own. A record of a class that the model never saw has
        the label of none.
    batch_size : int, optional
        At most how many records at once.

    Returns
    -------
    ndarray of shape (q, n)
        See `gradient_statistics.statistics`.
    """
    network = _network(final_step(model))
    assert network is not None
    layers = [str(place) for place in range(len(network.weights))]
    columns = labels
    if network.link != "identity":
        known = np.asarray(final_step(model).classes_).tolist()
        own = {label: place for place, label in enumerate(known)}
        column = np.array([own.get(label, -1) for label in (classes or known)])
        columns = column[labels]
    n = length(inputs)
    size = min(_ROWS, batch_size or n)
    parts = []
    for start in range(0, n, size):
        places = np.arange(start, min(start + size, n))
        records = _reaching_last(model, take(inputs, places))
        parts.append(statistics(_norms(network, records, columns[places]), layers))
    return np.concatenate(parts, axis=1)


def _reaching_last(model: Any, inputs: Any) -> NDArray[np.float64]:
    """Transform records as the steps before the last do."""
    inputs = as_numpy(inputs) if is_tensor(inputs) else inputs
    while True:
        steps = getattr(model, "steps", None)
        if isinstance(steps, list):
            for _, step in steps[:-1]:
                if step is not None and step != "passthrough":
                    inputs = step.transform(inputs)
            model = steps[-1][-1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            break
    dense = inputs.toarray() if is_sparse(inputs) else inputs
    return np.asarray(dense, dtype=np.float64)


def _network(estimator: Any) -> _Network | None:
    linear = sys.modules.get("sklearn.linear_model")
    neural = sys.modules.get("sklearn.neural_network")
    if neural is not None and isinstance(estimator, neural.MLPClassifier | neural.MLPRegressor):
        return _Network(
            list(estimator.coefs_),
            list(estimator.intercepts_),
            estimator.activation,
            estimator.out_activation_,
        )
    if linear is None:
        return None
    if isinstance(estimator, linear.LogisticRegression):
        own = getattr(estimator, "multi_class", "auto") == "ovr"
        separate = len(estimator.coef_) == 1 or own or estimator.solver == "liblinear"
        return _linear(estimator, "logistic" if separate else "softmax")
    kinds = tuple(getattr(linear, name) for name in _LINEAR_REGRESSORS)
    return _linear(estimator, "identity") if isinstance(estimator, kinds) else None


def _linear(estimator: Any, link: str) -> _Network:
    weights = np.atleast_2d(estimator.coef_).T
    bias = np.broadcast_to(estimator.intercept_, weights.shape[1:])
    return _Network([weights], [bias if estimator.fit_intercept else None], "identity", link)


def _norms(network: _Network, records: NDArray[np.float64], labels: NDArray[Any]) -> Norms:
    """Go forward, and backward, through the layers."""
    reached = [records]
    last = len(network.weights) - 1
    for place, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        values = reached[-1] @ weights + (0.0 if bias is None else bias)
        reached.append(_activated(values, network.activation) if place < last else values)
    delta = _residual(reached.pop(), labels, network.link)
    log_residual = _log_norms(delta)[0]
    rows = []
    for place in range(last, -1, -1):
        inside = reached[place]
        if network.biases[place] is not None:
            inside = np.column_stack([inside, np.ones(len(inside))])
        rows.append(_log_norms(inside) + _log_norms(delta))
        if place:
            delta = (delta @ network.weights[place].T) * _slope(reached[place], network.activation)
    log_l2, log_l1, log_max = np.stack(rows[::-1], axis=1)
    return Norms(log_l2, log_l1, log_max, log_residual)


def _activated(values: NDArray[Any], activation: str) -> NDArray[Any]:
    if activation == "relu":
        return np.asarray(np.maximum(values, 0))
    if activation == "tanh":
        return np.asarray(np.tanh(values))
    return np.asarray(special.expit(values)) if activation == "logistic" else values


def _slope(activated: NDArray[Any], activation: str) -> NDArray[Any]:
    """Give the derivative where an activation has reached its value."""
    if activation == "relu":
        return np.asarray(activated > 0, dtype=float)
    if activation == "tanh":
        return np.asarray(1 - activated**2)
    return (
        np.asarray(activated * (1 - activated))
        if activation == "logistic"
        else np.ones_like(activated)
    )


def _residual(outputs: NDArray[Any], labels: NDArray[Any], link: str) -> NDArray[Any]:
    """Give the gradient of the loss by the outputs, with full precision where it is nearly 0."""
    if link == "identity":
        if outputs.shape != labels.shape:
            raise LeakproError(
                f"the model predicts {outputs.shape[1]} values, but the targets have "
                f"{labels.shape[1]}"
            )
        return np.asarray(2 * (outputs - labels) / labels.shape[1])
    if outputs.shape[1] == 1:
        inside = labels[:, None] == 1
    else:
        inside = labels[:, None] == np.arange(outputs.shape[1])
    if link == "logistic":
        sign = np.where(inside, -1.0, 1.0)
        return np.asarray(sign * special.expit(sign * outputs))
    probabilities = special.softmax(outputs, axis=1)
    others = np.where(inside, 0.0, probabilities)
    return np.asarray(np.where(inside, -others.sum(axis=1, keepdims=True), others))


def _log_norms(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Give the logarithms of three norms of every row, shape (3, n): Euclidean, sum, maximum."""
    largest = np.abs(rows).max(axis=1)
    scaled = np.abs(rows) / np.where(largest > 0, largest, 1.0)[:, None]
    with np.errstate(divide="ignore"):
        size = np.log(largest)
        return np.stack(
            [np.log((scaled**2).sum(axis=1)) / 2 + size, np.log(scaled.sum(axis=1)) + size, size]
        )
