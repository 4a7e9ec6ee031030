"""How releases are read: beside each record, and as a whole.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.stats.gower import fold_distances, nearest_rows
from pytest_leakpro.stats.kernel_density import choose_bandwidth, log_density
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.stats.table_features import Levels, table_features
from pytest_leakpro.targets.mixed_table import MixedColumns

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.stats.gower import MixedRows

__all__ = ["N_READINGS", "TableReader"]

N_READINGS = 5
_NEIGHBOURS = 5
_NARROWER = 0.25
_MOST_SCALED = 1000
_FLOOR_SHARE = 0.05


class TableReader:
    """Reads every release alike, by what the pool of records holds and nothing else.

    Parameters
    ----------
    pool : DataFrame
        All records that generators are trained on, beside which releases are read.
    usable : sequence of hashable
        The columns that are read.
    seed : int
        At least 0; draws the records by which scales are chosen, where there are many.

    Attributes
    ----------
    usable
        As given.
    rows : MixedRows
        The pool.
    example : DataFrame
        A row of it, for the types of its columns.

    Notes
    -----
    Neither scales nor codes depend on the release that is attacked: else it would be the one that
    never exceeds them.
    """

    def __init__(self, pool: Any, usable: Sequence[Hashable], seed: int) -> None:
        self.usable = tuple(usable)
        self._columns = MixedColumns({"the pool": pool[list(usable)]})
        self.example = _example(pool[list(usable)])
        self.rows = self._rows(pool)
        rng = derive_rng(seed, "table-reader")
        bandwidth = choose_bandwidth(self.rows, rng)
        self.bandwidths = bandwidth * _NARROWER, bandwidth
        self.radius = _typical_gap(self.rows, rng)
        self.levels = Levels.of(self.rows)

    def __repr__(self) -> str:
        return f"TableReader({len(self.rows)} records, {len(self.usable)} columns)"

    @property
    def width(self) -> int:
        """How many numbers are read of a release."""
        return N_READINGS * len(self.rows) + self.levels.width

    def read(self, release: Any) -> NDArray[np.float64]:
        """Read a release.

        Parameters
        ----------
        release : DataFrame
            With the usable columns, at least one row.

        Returns
        -------
        ndarray of float64, shape (width,)
            The readings beside each record, one after the other, then those of the whole.
        """
        rows = self._rows(release)
        return np.concatenate([self._beside(rows).ravel(), table_features(rows, self.levels)])

    def _rows(self, frame: Any) -> MixedRows:
        return self._columns.encode(frame).rows(self.usable)

    def _beside(self, release: MixedRows) -> NDArray[np.float64]:
        """Read what lies beside each record: larger where more does, shape (5, n)."""
        nearest, _ = nearest_rows(self.rows, release, _NEIGHBOURS)
        # Copies have no logarithm, and what is much nearer than neighbours are is as good as one.
        floor = _FLOOR_SHARE * self.radius
        closeness = -np.log(nearest[:, [0, -1]] + floor).T
        within = np.zeros(len(self.rows))

        def count(query: slice, row: slice, distances: NDArray[np.float32]) -> None:  # noqa: ARG001
            within[query] += np.count_nonzero(distances <= self.radius, axis=1)

        fold_distances(self.rows, release, count)
        densities = log_density(self.rows, release, self.bandwidths)
        return np.concatenate([closeness, densities, np.log1p(within)[None]])


def _example(pool: Any) -> Any:
    """Give a row with the types of the pool, missing nothing that some record has."""
    import pandas as pd

    firsts = {}
    for name in pool.columns:
        present = pool[name].dropna()
        firsts[name] = (present if len(present) else pool[name]).iloc[:1].reset_index(drop=True)
    return pd.DataFrame(firsts)


def _typical_gap(rows: MixedRows, rng: np.random.Generator) -> float:
    """Give the median distance of records to their nearest other one, as far as these differ."""
    some = np.arange(len(rows))
    if len(some) > _MOST_SCALED:
        some = np.sort(rng.choice(some, size=_MOST_SCALED, replace=False))
    nearest, _ = nearest_rows(rows.take(some), rows, 2)
    gaps = nearest[:, -1]
    apart = gaps[gaps > 0]
    return float(np.median(apart)) if len(apart) else 1.0 / max(1, rows.n_columns)
