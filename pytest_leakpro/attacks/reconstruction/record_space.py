"""Where distances between records are measured: their numbers, on comparable scales.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_sparse, row_shape
from pytest_leakpro.targets.record_numbers import numbers, numeric_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["RecordSpace", "nearest_distances"]

_CHUNK = 2_000_000  # entries of a matrix of distances at once


@dataclass(frozen=True, repr=False, eq=False)
class RecordSpace:
    """The numbers of both sides' records.

    Attributes
    ----------
    columns : ndarray of int
        Where the numbers stand in a row, or in a flattened record.
    members, nonmembers : ndarray of float64, shape (n, d)
        As they are, NaN replaced by the mean of the non-members.
    scale : ndarray of float64, shape (d,)
        What one unit of distance is: of a table the standard deviation of each column among the
        non-members, of images 1.
    """

    columns: NDArray[np.intp]
    members: NDArray[np.float64]
    nonmembers: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, view: MembershipView) -> RecordSpace:
        """Read it off a view. Does not ask the model anything.

        Raises
        ------
        LeakproError
            Where records hold no numbers.
        """
        sides = [view.records(side).inputs for side in ("members", "nonmembers")]
        if is_sparse(sides[1]):
            raise LeakproError(
                "reconstruction: records are a sparse matrix, in which no distance is measured: "
                "give X as an array"
            )
        columns = numeric_columns(sides[1])
        if len(columns) == 0:
            raise LeakproError(
                "reconstruction: the records hold no numbers, so no distance between them is "
                "measured: give X with numeric columns"
            )
        members, nonmembers = (numbers(side, columns) for side in sides)
        with np.errstate(invalid="ignore"):
            mean = np.nanmean(nonmembers, axis=0, where=~np.isnan(nonmembers))
        mean = np.nan_to_num(mean)
        filled = [np.where(np.isnan(side), mean, side) for side in (members, nonmembers)]
        scale = np.ones(len(columns))
        if len(row_shape(sides[1]) or ()) == 1:
            spread = filled[1].std(axis=0)
            scale = np.where(spread > 0, spread, 1.0)
        return cls(columns, filled[0], filled[1], scale)

    def scaled(self, records: NDArray[Any]) -> NDArray[np.float64]:
        """Bring records of shape (n, d) to where distances are Euclidean."""
        return np.asarray(records, dtype=np.float64) / self.scale


def nearest_distances(
    points: NDArray[np.float64], among: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Give the distance of each point to the nearest of others, and which that is.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    among : ndarray of shape (m, d)

    Returns
    -------
    distances : ndarray of float64, shape (n,)
        Euclidean, worked out anew for the nearest one, so that those of copies are exactly 0.
    places : ndarray of int, shape (n,)
    """
    places = np.empty(len(points), dtype=np.intp)
    squares = (among**2).sum(axis=1)
    step = max(1, _CHUNK // max(1, len(among)))
    for start in range(0, len(points), step):
        part = points[start : start + step]
        places[start : start + step] = (squares - 2 * part @ among.T).argmin(axis=1)
    return np.linalg.norm(points - among[places], axis=1), places
