"""Near-duplicates: members that stand among the non-members too, all but for a detail.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.auditing.checks.sample import Sample

__all__ = ["CHANCE", "FEWEST_UNITS", "near_duplicates"]

CHANCE = 1e-4
"""The share of members that would count by chance, where non-members lie evenly around them."""

FEWEST_UNITS = 50

_NEIGHBOURS = 10
_FAR = 2 * _NEIGHBOURS
_CLOSEST = 0.1
_MOST_COLUMNS = 64
_TREE_COLUMNS = 8
_ROWS = 1024
_LARGEST_GAP = 4.0  # standard deviations from the mean, where a missing value is put


def near_duplicates(sample: Sample, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mark the member units of which a record has a near-duplicate among the non-members.

    A record has one where its nearest non-member is closer than t times its tenth nearest. In
    space of dimension d, evenly filled around the record, that happens by chance with probability
    9 t^d: t is such that this is one in ten thousand, and at most 0.1. The dimension is told from
    the distances to the tenth and the twentieth neighbour. Distances are between inputs with
    standardised columns; beyond 64 columns between random projections to 64.

    Parameters
    ----------
    sample : Sample
        With at least 50 non-members.
    rng : numpy.random.Generator
        For the projection.

    Returns
    -------
    ndarray of bool, shape (n_members,)

    References
    ----------
    Levina and Bickel (2004), Maximum likelihood estimation of intrinsic dimension, NeurIPS: the
    dimension from distances to neighbours; here with two of them.
    """
    # Loaded here, since only threads of libraries that are loaded already are held back below.
    from sklearn.neighbors import NearestNeighbors

    n_members = sample.sizes[0]
    rows = sample.units < n_members
    found = np.zeros(n_members, dtype=bool)
    points = _points(sample.inputs, rng)
    if points.shape[1]:
        tree = points.shape[1] <= _TREE_COLUMNS
        finder = NearestNeighbors(n_neighbors=_FAR, algorithm="kd_tree" if tree else "brute")
        with one_thread():
            found[sample.units[rows][_close(points[rows], points[~rows], finder)]] = True
    return found


def _points(columns: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    present = ~np.isnan(columns)
    counts = np.maximum(present.sum(axis=0), 1)
    means = np.where(present, columns, 0.0).sum(axis=0) / counts
    spread = np.sqrt((np.where(present, columns - means, 0.0) ** 2).sum(axis=0) / counts)
    useful = (spread > 0) | ~present.all(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    points = np.where(present, (columns - means) / spread, -_LARGEST_GAP)[:, useful]
    width = points.shape[1]
    if width <= _MOST_COLUMNS:
        return points
    projection = rng.normal(size=(width, _MOST_COLUMNS)) / np.sqrt(_MOST_COLUMNS)
    return np.asarray(points @ projection)


def _close(
    members: NDArray[np.float64], others: NDArray[np.float64], finder: Any
) -> NDArray[np.intp]:
    finder.fit(others)
    distances = np.concatenate(
        [
            finder.kneighbors(members[start : start + _ROWS])[0]
            for start in range(0, len(members), _ROWS)
        ]
    )
    nearest, tenth, twentieth = distances[:, [0, _NEIGHBOURS - 1, _FAR - 1]].T
    apart = np.flatnonzero(tenth > 0)  # else there are too many copies to tell what is near
    if not len(apart):
        return apart
    nearest, tenth, twentieth = nearest[apart], tenth[apart], twentieth[apart]
    with np.errstate(divide="ignore"):  # neighbours on a lattice, at one distance
        dimension = np.log(2) / np.log(twentieth / tenth)
    # The wary one: whose surroundings seem thinner than those of most is held to that.
    dimension = np.minimum(dimension, np.median(dimension))
    tolerance = np.minimum(_CLOSEST, (CHANCE / (_NEIGHBOURS - 1)) ** (1 / dimension))
    return np.asarray(apart[nearest < tolerance * tenth])
