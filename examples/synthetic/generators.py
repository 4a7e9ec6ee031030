"""Four ways to make synthetic people, from the most careful to the most careless.

Each is a function `(people, seed) -> synthetic people`, as many as there are real ones, with the
same columns of the same types.
"""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

NEIGHBOURS = 10


def independent_marginals(people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw every column by itself, as if no column had to do with any other."""
    rng = np.random.default_rng(seed)
    drawn = {name: _quantiles(people[name], rng.random(len(people))) for name in people}
    missing = {name: rng.random(len(people)) < people[name].isna().mean() for name in _gaps(people)}
    return _with_gaps(pd.DataFrame(drawn), missing)


def gaussian_copula(people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw all columns together, so that their ranks are correlated as those of the people.

    Categories have the order of their codes; that a value is missing is a column of its own.
    """
    scores = pd.DataFrame({name: _normal_scores(people[name]) for name in people})
    for name in _gaps(people):
        scores[f"{name} is missing"] = _normal_scores(people[name].isna())
    # Of a value and whether it is missing no correlation can be observed.
    correlation = scores.corr().fillna(0).to_numpy()
    values, vectors = np.linalg.eigh(correlation)
    factors = vectors * np.sqrt(np.maximum(values, 0))
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    draws = np.random.default_rng(seed).normal(size=(len(people), len(factors)))
    ranks = pd.DataFrame(norm.cdf(draws @ factors.T), columns=scores.columns)
    drawn = {name: _quantiles(people[name], ranks[name].to_numpy()) for name in people}
    missing = {
        name: _quantiles(people[name].isna(), ranks[f"{name} is missing"].to_numpy())
        for name in _gaps(people)
    }
    return _with_gaps(pd.DataFrame(drawn), missing)


def forest(people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw from adversarial random forests (Watson et al. 2023); needs `arfpy`."""
    from arfpy import arf

    known = people.copy()
    for name in _gaps(people):
        if _is_number(people[name]):
            known[f"{name} is missing"] = people[name].isna().astype(str)
            known[name] = people[name].fillna(people[name].median())
    # arfpy draws from numpy's global generator.
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hundreds, of what newer libraries leave out
            model = arf.arf(known, verbose=False, random_state=seed, n_jobs=2)
            model.forde()
            drawn = model.forge(n=len(people))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    missing = {}
    for name in people:
        if _is_number(people[name]):
            # Within a leaf numbers are drawn from a normal distribution, which has no end.
            averages = _averages(people[name])
            values = drawn[name].to_numpy(dtype=float).clip(averages[0], averages[-1])
            if f"{name} is missing" in drawn:
                missing[name] = drawn[f"{name} is missing"] == "True"
            drawn[name] = _as_written(people[name], values)
    return _with_gaps(drawn[list(people)], missing)


def memorising(people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give the people themselves, with some numbers a little off: no row is the copy of one."""
    rng = np.random.default_rng(seed)
    copies = people.sample(len(people), replace=True, random_state=seed, ignore_index=True)
    numbers = [name for name in people if _is_number(people[name]) and name not in _gaps(people)]
    # One number of every row for certain, each of the others once in five.
    moved = rng.random((len(people), len(numbers))) < 0.2
    moved[np.arange(len(people)), rng.integers(len(numbers), size=len(people))] = True
    for name, off in zip(numbers, moved.T, strict=True):
        step = np.maximum(10.0 ** -_decimals(people[name]), 0.02 * copies[name].abs())
        values = copies[name] + off * step * rng.choice([-1, 1], size=len(people))
        copies[name] = _as_written(people[name], values.to_numpy())
    return copies


def _quantiles(column: pd.Series, ranks: np.ndarray) -> pd.Series:
    """Turn ranks between 0 and 1 into values of a column, as common as they are there."""
    if _is_number(column):
        averages = _averages(column)
        values = np.interp(ranks, np.linspace(0, 1, len(averages)), averages)
        return _as_written(column, values)
    shares = column.value_counts(normalize=True, sort=False).sort_index()
    shares = shares[shares > 0]
    places = np.searchsorted(shares.cumsum().to_numpy()[:-1], ranks, side="right")
    return pd.Series(shares.index.to_numpy()[places]).astype(column.dtype)


def _averages(column: pd.Series) -> np.ndarray:
    """Average the numbers of every ten neighbours: nobody's own extreme is among them."""
    ordered = np.sort(column.dropna().to_numpy(dtype=float))
    groups = np.array_split(ordered, max(2, len(ordered) // NEIGHBOURS))
    return np.array([group.mean() for group in groups])


def _normal_scores(column: pd.Series) -> np.ndarray:
    """Turn values into normal scores of their ranks; NaN where missing."""
    missing = column.isna().to_numpy()
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.codes
    scores = np.full(len(column), np.nan)
    present = column.to_numpy()[~missing]
    scores[~missing] = norm.ppf((rankdata(present) - 0.5) / len(present))
    return scores


def _with_gaps(people: pd.DataFrame, missing: dict[str, np.ndarray]) -> pd.DataFrame:
    return people.assign(**{name: people[name].mask(rows) for name, rows in missing.items()})


def _gaps(people: pd.DataFrame) -> list[str]:
    return [name for name in people if people[name].isna().any()]


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _decimals(column: pd.Series) -> int:
    """Tell to how many decimals a column was written down."""
    values = column.dropna().to_numpy(dtype=float)
    return next((d for d in range(6) if np.allclose(values, values.round(d), atol=1e-9)), 6)


def _as_written(column: pd.Series, values: np.ndarray) -> pd.Series:
    """Round values to the decimals of a column, and give them its type."""
    return pd.Series(values.round(_decimals(column))).astype(column.dtype)
