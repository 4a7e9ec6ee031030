"""The records that the checks look at: few enough that a check costs seconds.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.auditing.checks.bags_of_words import read_texts
from pytest_leakpro.auditing.checks.columns import (
    input_columns,
    label_columns,
    values_per_record,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["Sample", "draw_sample"]

_MOST_UNITS = 10_000
_MOST_VALUES = 50_000_000
_FEWEST_UNITS = 500


@dataclass(frozen=True, repr=False, eq=False)
class Sample:
    """Some units of both sides, read as numbers.

    Attributes
    ----------
    inputs, labels : ndarray of shape (n_records, d)
        Members, then non-members; NaN where a value is missing.
    units : ndarray of int, shape (n_records,)
        The unit of each record: members from 0, then the non-members.
    drawn : tuple of ndarray of int
        Which units of each side these are.
    noun : str
        What a unit is called.
    texts : tuple of str or None
        The inputs themselves, where they are texts.
    """

    inputs: NDArray[np.float64]
    labels: NDArray[np.float64]
    units: NDArray[np.intp]
    drawn: tuple[NDArray[np.intp], NDArray[np.intp]]
    noun: str
    texts: tuple[str, ...] | None = None

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of member and of non-member units."""
        return len(self.drawn[0]), len(self.drawn[1])


def draw_sample(view: MembershipView | ReleaseView, rng: np.random.Generator) -> Sample:
    """Draw at most 10,000 units of each side, fewer where records are large, and read them.

    Parameters
    ----------
    view : MembershipView
        The model is not asked.
    rng : numpy.random.Generator
        Draws units where there are more.

    Raises
    ------
    UnreadableError
        Where records are nothing that could be read as numbers.
    """
    sides = [view.records("members"), view.records("nonmembers")]
    per_record = max(1, values_per_record(sides[0]))
    most = min(_MOST_UNITS, max(_FEWEST_UNITS, _MOST_VALUES // per_record))
    positions: list[NDArray[np.intp]] = []
    units: list[NDArray[np.intp]] = []
    drawn: list[NDArray[np.intp]] = []
    for records in sides:
        chosen = np.arange(len(records.units))
        if len(chosen) > most:
            chosen = np.sort(rng.choice(len(chosen), size=most, replace=False))
        where, codes = _records_of(records, chosen, max(1, 2 * most // len(chosen)))
        positions.append(where)
        units.append(codes + sum(len(earlier) for earlier in drawn))
        drawn.append(chosen)
    return Sample(
        input_columns(sides, positions),
        label_columns(sides, positions),
        np.concatenate(units),
        (drawn[0], drawn[1]),
        sides[0].units.noun,
        read_texts(sides, positions),
    )


def _records_of(
    records: Records, chosen: NDArray[np.intp], most: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the first records of each chosen unit, and the unit of each as an index into those."""
    index = np.full(len(records.units), -1, dtype=np.intp)
    index[chosen] = np.arange(len(chosen))
    codes = index[records.units.codes]
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    starts = np.searchsorted(codes[order], np.arange(len(chosen)))
    place = np.arange(len(order)) - starts[codes[order]]
    where = np.sort(order[place < most])
    return where, codes[where]
