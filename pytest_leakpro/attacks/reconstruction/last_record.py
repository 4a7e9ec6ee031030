"""What a fitted estimator tells of one training record to who knows all the others.

An optimum is where the gradients of all records and the penalty add up to nothing, and a mean is a
sum over a count: either way what is missing from the sum is the last record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Gradients", "Means", "final_estimator", "gradients_of", "means_of"]

_SQUARED = ("LinearRegression", "Ridge", "RidgeCV")
_LINKED = ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")


@dataclass(frozen=True, repr=False, eq=False)
class Gradients:
    """Per-record gradients of a generalised linear model's objective, at its optimum.

    Attributes
    ----------
    errors : ndarray of shape (n, k)
        Derivative of each record's loss by each of its k linear predictors.
    missing_weights : ndarray of shape (k, d)
        What all records' ``errors.T @ X`` and the penalty add up to: nothing at the optimum.
    missing_bias : ndarray of shape (k,) or None
        Likewise of the errors alone; None without an intercept.
    weights : ndarray of shape (k, d)
        The model's.
    targets : ndarray of shape (n, k) or None
        What a squared error is taken from, where there is no intercept.
    """

    errors: NDArray[np.float64]
    missing_weights: NDArray[np.float64]
    missing_bias: NDArray[np.float64] | None
    weights: NDArray[np.float64]
    targets: NDArray[np.float64] | None = None

    @property
    def residual(self) -> float:
        """How far from an optimum all records are, in gradients of one record."""
        own = np.sqrt((self.errors**2).sum(axis=1)).mean()
        bias = self.missing_bias
        if bias is None:
            return 0.0
        return float(np.linalg.norm(bias) / own) if own > 0 else 0.0

    def rebuild(self, X: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Rebuild records, each from the gradients of all others.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            All records; of each rebuilt one only the sum of the others is used.
        rows : ndarray of int
            Which to rebuild.

        Returns
        -------
        ndarray of shape (len(rows), d)
        """
        found = np.empty((len(rows), X.shape[1]))
        for place, row in enumerate(rows):
            # The sum of the others' gradients is that of all less its own.
            others = self.missing_weights - np.outer(self.errors[row], X[row])
            by_weight = -others
            if self.missing_bias is not None:
                by_bias = -(self.missing_bias - self.errors[row])
                strongest = int(np.abs(by_bias).argmax())
                scale = by_bias[strongest]
                scale = scale if scale != 0 else np.finfo(float).tiny
                found[place] = by_weight[strongest] / scale
            else:
                found[place] = self._without_intercept(by_weight, row, X)
        return found

    def _without_intercept(
        self, by_weight: NDArray[np.float64], row: np.intp, X: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give the record along the gradient, of a squared error whose label is known.

        The gradient g is the record times its error r, and r = w g / r - y: of the two roots the
        one whose record is as large as others are.
        """
        assert self.targets is not None
        column = int(np.abs(by_weight).max(axis=1).argmax())
        gradient, target = by_weight[column], self.targets[row, column]
        known = float(self.weights[column] @ gradient)
        room = np.sqrt(max(target**2 + 4 * known, 0.0))
        roots = [(-target + sign * room) / 2 for sign in (1, -1)]
        guesses = [gradient / root for root in roots if root != 0]
        usual = np.log(np.median(np.linalg.norm(np.delete(X, row, axis=0), axis=1)) or 1.0)
        return min(
            guesses or [np.zeros(X.shape[1])],
            key=lambda guess: abs(float(np.log(np.linalg.norm(guess) or 1e-300) - usual)),
        )


@dataclass(frozen=True, repr=False, eq=False)
class Means:
    """Means over groups of training records, such as the classes.

    Attributes
    ----------
    means : ndarray of shape (k, d)
    groups : ndarray of int, shape (n,)
        Which group each record is of.
    """

    means: NDArray[np.float64]
    groups: NDArray[np.intp]

    @property
    def residual(self) -> float:
        """Nothing was optimised."""
        return 0.0

    def rebuild(self, X: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Rebuild records, each from the others of its group; see `Gradients.rebuild`."""
        counts = np.bincount(self.groups, minlength=len(self.means))
        sums = np.zeros_like(self.means)
        np.add.at(sums, self.groups, X)
        of = self.groups[rows]
        others = sums[of] - X[rows]
        return np.asarray(self.means[of] * counts[of][:, None] - others, dtype=np.float64)


def gradients_of(model: Any, X: NDArray[np.float64], y: NDArray[Any]) -> Gradients | None:
    """Read the gradients of a linear model of scikit-learn; None for another estimator.

    Without an intercept only of squared errors.

    Parameters
    ----------
    model : estimator
        Fitted, without a pipeline around it.
    X : ndarray of shape (n, d)
        All training records, as the model gets them.
    y : ndarray of shape (n,) or (n, k)
        Their labels: column indices of a classifier, numbers of a regressor.
    """
    name = type(model).__name__
    if not type(model).__module__.startswith("sklearn."):
        return None
    if name in _SQUARED:
        return _squared(model, X, _columns(y))
    if name in ("RidgeClassifier", "RidgeClassifierCV"):
        signs = np.where(np.eye(max(2, len(model.classes_)))[y] > 0, 1.0, -1.0)
        return _squared(model, X, signs[:, 1:] if signs.shape[1] == 2 else signs)
    if not getattr(model, "fit_intercept", False):
        return None
    if name in _LINKED:
        return _linked(model, X, y.reshape(len(X), -1)[:, 0])
    if name in ("LogisticRegression", "LogisticRegressionCV"):
        return _logistic(model, X, y)
    return None


def means_of(model: Any, X: NDArray[np.float64], y: NDArray[Any]) -> Means | None:
    """Read means over training records that an estimator holds; None where it has none.

    Parameters
    ----------
    model, X, y
        As for `gradients_of`.
    """
    if not type(model).__module__.startswith("sklearn."):
        return None
    name = type(model).__name__
    everybody = np.zeros(len(X), dtype=np.intp)
    if name in ("StandardScaler", "PCA") and getattr(model, "mean_", None) is not None:
        return Means(np.atleast_2d(model.mean_), everybody)
    held = {
        "GaussianNB": "theta_",
        "LinearDiscriminantAnalysis": "means_",
        "QuadraticDiscriminantAnalysis": "means_",
        "NearestCentroid": "centroids_",
    }
    if name not in held or (name == "NearestCentroid" and model.metric != "euclidean"):
        return None
    return Means(np.asarray(getattr(model, held[name]), dtype=np.float64), y.astype(np.intp))


def _linear(model: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weights = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    return weights, np.broadcast_to(np.ravel(model.intercept_), (len(weights),)).astype(np.float64)


def _squared(model: Any, X: NDArray[np.float64], targets: NDArray[np.float64]) -> Gradients:
    weights, bias = _linear(model)
    found = _gathered(model, X, X @ weights.T + bias - targets, _ridge(model))
    return replace(found, targets=targets)


def _columns(y: NDArray[Any]) -> NDArray[np.float64]:
    return y.reshape(len(y), -1).astype(np.float64)


def _ridge(model: Any) -> NDArray[np.float64]:
    alpha = getattr(model, "alpha_", getattr(model, "alpha", 0.0))
    return np.atleast_1d(np.asarray(alpha, dtype=np.float64))


def _gathered(
    model: Any,
    X: NDArray[np.float64],
    errors: NDArray[np.float64],
    penalty: NDArray[np.float64],
) -> Gradients:
    weights, _ = _linear(model)
    missing = errors.T @ X + penalty[:, None] * weights
    bias = errors.sum(axis=0) if model.fit_intercept else None
    return Gradients(errors, missing, bias, weights)


def _logistic(model: Any, X: NDArray[np.float64], y: NDArray[Any]) -> Gradients | None:
    if model.class_weight is not None or _share_of_l1(model):
        return None
    strength = float(np.ravel(getattr(model, "C_", model.C))[0])
    penalty = 0.0 if _unpenalised(model) else 1.0 / strength
    weights, _ = _linear(model)
    chances = np.asarray(model.predict_proba(X), dtype=np.float64)
    truth = np.eye(chances.shape[1])[y]
    errors = chances - truth
    errors = errors[:, 1:] if len(weights) == 1 else errors
    return _gathered(model, X, errors, np.full(1, penalty))


def _share_of_l1(model: Any) -> bool:
    if getattr(model, "penalty", None) in ("l1", "elasticnet"):
        return True
    share = np.ravel(getattr(model, "l1_ratio_", getattr(model, "l1_ratio", None) or 0.0))
    return bool(len(share) and share[0] not in (0, None) and share[0] > 0)


def _unpenalised(model: Any) -> bool:
    return getattr(model, "penalty", "l2") is None or bool(np.isinf(np.ravel(model.C)[0]))


def _linked(model: Any, X: NDArray[np.float64], y: NDArray[Any]) -> Gradients | None:
    power = {"PoissonRegressor": 1.0, "GammaRegressor": 2.0}.get(
        type(model).__name__, getattr(model, "power", 0.0)
    )
    mean = np.asarray(model.predict(X), dtype=np.float64)
    link = getattr(model, "link", "log")
    identity = link == "identity" or (link == "auto" and power <= 0)
    # Half the deviance by the mean, times the mean's derivative by the predictor.
    slope: Callable[[NDArray[Any]], NDArray[Any]] = np.ones_like if identity else np.asarray
    errors = (mean - y) * mean ** (-power) * slope(mean)
    # Its loss is a mean over records.
    return _gathered(model, X, errors[:, None], np.full(1, model.alpha * len(X)))


def final_estimator(model: Any) -> tuple[list[tuple[str, Any]], Any]:
    """Take a pipeline apart into its steps before the last, and the last.

    Parameters
    ----------
    model : estimator
        A search stands for the best that it found.
    """
    pipeline = sys.modules.get("sklearn.pipeline")
    steps: list[tuple[str, Any]] = []
    while True:
        if hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        elif pipeline is not None and isinstance(model, pipeline.Pipeline):
            steps += [step for step in model.steps[:-1] if step[1] not in (None, "passthrough")]
            model = model.steps[-1][1]
        else:
            return steps, model
