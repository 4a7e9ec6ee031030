"""What a table of mixed columns looks like as a whole: moments, histograms, correlations.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.stats.gower import MixedRows

__all__ = ["Levels", "table_features"]

_BINS = 10
_MOST_LEVELS = 30
_MOST_DUMMIES = 10
_MOST_CORRELATED = 100


@dataclass(frozen=True, repr=False, eq=False)
class Levels:
    """Which codes are told apart, of each column of codes.

    Attributes
    ----------
    n_numbers : int
        Number of columns of numbers.
    codes : tuple of ndarray of int
        Of each column of codes the most frequent ones, the most frequent first; missing values
        count as a code.
    """

    n_numbers: int
    codes: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, rows: MixedRows) -> Levels:
        """Choose the levels by the rows of a table."""
        found = []
        for column in rows.codes.T:
            values, counts = np.unique(column, return_counts=True)
            found.append(values[np.argsort(-counts, kind="stable")][:_MOST_LEVELS])
        return cls(rows.numbers.shape[1], tuple(found))

    @property
    def families(self) -> dict[str, slice]:
        """Which features are naive, which histograms, which correlations."""
        naive = 4 * self.n_numbers + 3 * len(self.codes)
        histogram = _BINS * self.n_numbers + sum(map(len, self.codes))
        correlated = self._n_correlated
        ends = np.cumsum([0, naive, histogram, correlated * (correlated - 1) // 2]).tolist()
        names = "naive", "histogram", "correlations"
        return {
            name: slice(start, stop)
            for name, start, stop in zip(names, ends[:-1], ends[1:], strict=True)
        }

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.families["correlations"].stop)

    @property
    def _n_correlated(self) -> int:
        dummies = sum(min(len(codes), _MOST_DUMMIES) for codes in self.codes)
        return min(self.n_numbers + dummies, _MOST_CORRELATED)


def table_features(rows: MixedRows, levels: Levels) -> NDArray[np.float64]:
    """Read a table as a whole.

    Parameters
    ----------
    rows : MixedRows
        At least one row.
    levels : Levels
        The same for all tables that are compared.

    Returns
    -------
    ndarray of float64, shape (levels.width,)
        Finite. Naive: of numbers mean, median, variance, share missing; of codes how many there
        are, the most and the least frequent. Histogram: shares in ten equal bins, shares of levels.
        Correlations: of numbers and indicators of levels, 0 where one is constant.

    References
    ----------
    Stadler, Oprisanu and Troncoso (2022), Synthetic data - anonymisation groundhog day, USENIX
    Security, section 4.2.
    """
    parts = [
        *(_naive_of_numbers(column) for column in rows.numbers.T),
        *(_naive_of_codes(column) for column in rows.codes.T),
        *(_histogram(column) for column in rows.numbers.T),
        *(
            np.mean(column[:, None] == codes, axis=0)
            for column, codes in zip(rows.codes.T, levels.codes, strict=True)
        ),
        _correlations(rows, levels),
    ]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])


def _naive_of_numbers(column: NDArray[np.float64]) -> list[float]:
    present = column[~np.isnan(column)]
    missing = 1 - len(present) / len(column)
    if not len(present):
        return [0.0, 0.0, 0.0, missing]
    return [float(present.mean()), float(np.median(present)), float(present.var()), missing]


def _naive_of_codes(column: NDArray[np.int64]) -> list[float]:
    values, counts = np.unique(column, return_counts=True)
    return [len(values), float(values[counts.argmax()]), float(values[counts.argmin()])]


def _histogram(column: NDArray[np.float64]) -> NDArray[Any]:
    present = column[~np.isnan(column)]
    bins = np.minimum((present * _BINS).astype(np.intp), _BINS - 1)
    return np.bincount(bins, minlength=_BINS) / len(column)


def _correlations(rows: MixedRows, levels: Levels) -> NDArray[np.float64]:
    columns = [np.where(np.isnan(column), _mean(column), column) for column in rows.numbers.T]
    for column, codes in zip(rows.codes.T, levels.codes, strict=True):
        columns += [column == code for code in codes[:_MOST_DUMMIES]]
    columns = columns[:_MOST_CORRELATED]
    if not columns:
        return np.empty(0)
    values = np.array(columns, dtype=np.float64)
    values -= values.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(values, axis=1)
    varies = sizes > 1e-9 * np.sqrt(values.shape[1])
    values[varies] /= sizes[varies, None]
    values[~varies] = 0
    return np.asarray((values @ values.T)[np.triu_indices(len(values), 1)])


def _mean(column: NDArray[np.float64]) -> float:
    present = column[~np.isnan(column)]
    return float(present.mean()) if len(present) else 0.0
