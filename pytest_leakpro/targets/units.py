"""The units that are counted: records, or persons where `groups` says who they belong to.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.labels import label_values

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

__all__ = ["Units", "group_units", "record_units"]


@dataclass(frozen=True, repr=False, eq=False)
class Units:
    """Which unit each record belongs to.

    Attributes
    ----------
    ids : ndarray, shape (n_units,)
        Who the units are: the positions of the records as the user gave them, or person ids.
    codes : ndarray of int, shape (n_records,)
        The unit of each record, an index into `ids`.
    grouped : bool
        Whether the units are persons.
    """

    ids: NDArray[Any]
    codes: NDArray[np.intp]
    grouped: bool

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Units({len(self.ids)}, records={len(self.codes)}, grouped={self.grouped})"

    @property
    def noun(self) -> str:
        """What a unit is called in messages."""
        return "persons" if self.grouped else "records"

    def keep(self, mask: NDArray[np.bool_]) -> tuple[Units, NDArray[np.intp]]:
        """Keep some of the units.

        Parameters
        ----------
        mask : ndarray of bool, shape (n_units,)
            Which to keep.

        Returns
        -------
        tuple
            The units kept, and the positions of their records.
        """
        positions = np.flatnonzero(mask[self.codes])
        codes = (np.cumsum(mask) - 1)[self.codes[positions]]
        return Units(self.ids[mask], codes.astype(np.intp), self.grouped), positions

    def any_of(self, records: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell per unit whether any of its records is marked."""
        mask = np.zeros(len(self), dtype=bool)
        mask[self.codes[records]] = True
        return mask

    def mean(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average the scores, shape (n_records,), over the records of each unit."""
        if not self.grouped:
            return scores
        counts = np.bincount(self.codes, minlength=len(self))
        sums = np.bincount(self.codes, weights=scores, minlength=len(self))
        return np.asarray(sums / counts, dtype=np.float64)


def record_units(n_records: int) -> Units:
    """Make every record a unit of its own."""
    positions = np.arange(n_records, dtype=np.intp)
    return Units(positions, positions, grouped=False)


def group_units(ids: Any, n_records: int, side: str) -> Units:
    """Make the records that share an id one unit, in the order of first appearance.

    Parameters
    ----------
    ids : array, Series, tensor or list
        One id per record.
    n_records : int
        How many records there are.
    side : str
        What the records' argument is called, for the errors.

    Raises
    ------
    LeakproError
        If the ids are missing, not hashable, or not one per record.
    """
    where = f"groups, ids of the {side}"
    if isinstance(ids, (str, bytes)) or not hasattr(ids, "__len__"):
        raise LeakproError(f"{where}: a {type(ids).__name__}: give one person id per record")
    values = label_values(list(ids) if isinstance(ids, tuple) else ids, where, "ids")
    if len(values) != n_records:
        raise LeakproError(
            f"{where}: {len(values):,} ids for {n_records:,} records: give one id per record"
        )
    order: dict[Hashable, int] = {}
    try:
        codes = [order.setdefault(value, len(order)) for value in values]
    except TypeError as exc:
        raise LeakproError(
            f"{where}: an id is of a type that cannot be compared: give numbers or strings"
        ) from exc
    return Units(_pack(list(order)), np.asarray(codes, dtype=np.intp), grouped=True)


def _pack(ids: list[Any]) -> NDArray[Any]:
    types = {type(value) for value in ids}
    if types <= {int} or types <= {str}:
        packed = np.asarray(ids)
        if packed.dtype.kind in "iU":
            return packed
    # numpy would turn a mixture into text, and tuples into a second dimension.
    objects = np.empty(len(ids), dtype=object)
    objects[:] = ids
    return objects
