"""The law of a model's signal on records that it has not seen, given the record: boosted trees.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    Law: TypeAlias = Callable[[NDArray[Any]], tuple[NDArray[np.float64], NDArray[np.float64]]]

__all__ = ["fit_boosting"]

_MEAN = {
    "learning_rate": 0.05,
    "max_iter": 100,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}
_SPREAD = _MEAN | {"min_samples_leaf": 50}
_FOLDS = 5
_MOST_CATEGORIES = 255  # the library's limit
_ROWS = 1 << 15  # predicted at a time, as the library copies them


def fit_boosting(
    features: NDArray[Any],
    signals: NDArray[Any],
    units: NDArray[np.intp],
    n_classes: int,
    floor: float,
) -> Law:
    """Fit mean and spread of signals by gradient-boosted trees.

    The mean by squared loss; the logarithm of the variance by the squared residuals of models that
    did not see the record, as those of the fit itself are too small.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        Missing values are NaN. The last column is the class, where there are classes.
    signals : ndarray of shape (n,)
        Finite, not all equal.
    units : ndarray of int, shape (n,)
        Whom the records belong to; those of one unit are left out together.
    n_classes : int
        0 where there are none.
    floor : float
        Positive: added to every variance, in shares of the residuals' mean square. No record shall
        stand far out by the smallest of differences, where the population happens to lie close to
        what is predicted.

    Returns
    -------
    callable
        From features of shape (m, d) to mean and standard deviation, each of shape (m,).
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    categorical = [features.shape[1] - 1] if 0 < n_classes <= _MOST_CATEGORIES else None

    def fitted(parameters: dict[str, Any], rows: Any, wanted: NDArray[Any]) -> Any:
        model = HistGradientBoostingRegressor(**parameters, categorical_features=categorical)
        columns = features[rows]
        unknown = np.isnan(columns).all(axis=0)
        if unknown.any():  # the library cannot bin a column without a value
            columns = np.where(unknown, 0.0, columns)
        return model.fit(columns, wanted[rows])

    everything = slice(None)
    with one_thread():  # others would wait for each other longer than they work
        mean = fitted(_MEAN, everything, signals)
        squares = np.empty(len(signals))
        numbers = np.unique(units, return_inverse=True)[1]
        folds = numbers % min(_FOLDS, int(numbers.max()) + 1)
        for fold in np.unique(folds):
            out = folds == fold
            seen = everything if out.all() else ~out
            squares[out] = (signals[out] - fitted(_MEAN, seen, signals).predict(features[out])) ** 2
        least = floor * float(squares.mean()) or 1.0
        spread = fitted(_SPREAD, everything, np.log(squares + least))

    def law(columns: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = np.empty((2, len(columns)))
        with one_thread():
            for start in range(0, len(columns), _ROWS):
                rows = slice(start, start + _ROWS)
                found[0, rows] = mean.predict(columns[rows])
                found[1, rows] = np.exp(spread.predict(columns[rows]) / 2)
        return found[0], found[1]

    return law
