"""Synthetic people with differential privacy: counts with noise, and nothing else of the people."""

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

EPSILON, DELTA = 1.0, 1e-5
HUB = "age"
GAPS = ("chapter", "creatinine")
# Known without a look at the people: between what the numbers of a cell lie, and their decimals.
ENDS = {
    "age": np.linspace(50, 105, 12),
    "creatinine": np.array([0.4, 0.7, 0.9, 1.0, 1.1, 1.3, 1.6, 3.0]),
    "kappa": np.array([0.0, 0.5, 0.8, 1.1, 1.4, 1.8, 2.5, 4.0, 8.0]),
    "lambda": np.array([0.0, 0.5, 0.8, 1.1, 1.4, 1.8, 2.5, 4.0, 8.0]),
}
DECIMALS = {"age": 0, "creatinine": 1, "kappa": 2, "lambda": 2}


def noisy_marginals(people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw from tables of age by each other column, to whose counts Gaussian noise was added.

    (1, 1e-5)-differentially private where one person is added or left out; how many there are,
    which categories, and what may be missing, counts as known. A person stands in one cell of each
    of k tables, so that the sensitivity is the root of k. How much noise that takes: Bun and
    Steinke (2016), Concentrated differential privacy, TCC, propositions 1.3 and 1.6.
    """
    rng = np.random.default_rng(seed)
    others = [name for name in people if name != HUB]
    logarithm = np.log(1 / DELTA)
    rho = (np.sqrt(logarithm + EPSILON) - np.sqrt(logarithm)) ** 2
    noise = np.sqrt(len(others) / (2 * rho))
    cells = {name: _cells(people[name]) for name in people}
    tables = {}
    for name in others:
        table = np.zeros((_width(people[HUB]), _width(people[name])))
        np.add.at(table, (cells[HUB], cells[name]), 1)
        table += noise * rng.normal(size=table.shape)
        # What noise alone would explain is left out: it would add up over many cells.
        table = np.where(table < 2 * noise, 1e-9, table)
        table[-1] = 0
        if name not in GAPS:
            table[:, -1] = 0
        tables[name] = table
    ages = sum(table.sum(axis=1) for table in tables.values())
    hub = rng.choice(len(ages), size=len(people), p=ages / ages.sum())
    drawn = {}
    for name in people:
        places = hub
        if name != HUB:
            shares = tables[name][hub] / tables[name][hub].sum(axis=1, keepdims=True)
            ranks = rng.random((len(people), 1))
            places = (shares.cumsum(axis=1)[:, :-1] < ranks).sum(axis=1)
        drawn[name] = _values(people[name], places, rng)
    return pd.DataFrame(drawn)


def _width(column: pd.Series) -> int:
    """Tell how many cells a column has; the last one is for what is missing."""
    if is_numeric_dtype(column):
        return len(ENDS[column.name])
    return len(column.cat.categories) + 1


def _cells(column: pd.Series) -> np.ndarray:
    if is_numeric_dtype(column):
        places = np.digitize(column, ENDS[column.name][1:-1])
    else:
        places = column.cat.codes.to_numpy()
    return np.where(column.isna(), _width(column) - 1, places)


def _values(column: pd.Series, places: np.ndarray, rng: np.random.Generator) -> pd.Series:
    """Draw evenly between the ends of cells, or give the categories that they are."""
    missing = places == _width(column) - 1
    if is_numeric_dtype(column):
        ends = np.append(ENDS[column.name], np.nan)
        low, high = ends[places], ends[places + 1]
        values = (low + rng.random(len(places)) * (high - low)).round(DECIMALS[column.name])
        return pd.Series(values, dtype=column.dtype)
    codes = np.where(missing, -1, places)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=column.dtype))
