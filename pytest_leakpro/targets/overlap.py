"""Units that stand on more than one side.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.row_keys import row_keys

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.records import Records

__all__ = ["Identities"]


class Identities:
    """Who stands on which side: the keys of the records and the ids of the persons.

    Parameters
    ----------
    sides : sequence of Records
        Sides of the same target, with different names.
    """

    def __init__(self, sides: Sequence[Records]) -> None:
        keys = row_keys([records.inputs for records in sides])
        self._keys = {records.side: found for records, found in zip(sides, keys, strict=True)}
        self._sides = {records.side: records for records in sides}

    def __repr__(self) -> str:
        return f"Identities({', '.join(self._sides)})"

    def also_in(self, side: str, *others: str) -> NDArray[np.bool_]:
        """Mark the units of a side that stand on another as well.

        A unit does when any of its records is equal to one of the other side (labels ignored), or
        when it is a person whose id is found there.

        Returns
        -------
        ndarray of bool, shape (n_units,)
        """
        units = self._sides[side].units
        foreign: set[Hashable] = set().union(*(self._keys[other] for other in others))
        records = np.fromiter((key in foreign for key in self._keys[side]), dtype=bool)
        mask = units.any_of(records)
        grouped = [self._sides[other].units for other in others]
        persons: set[Any] = set().union(*(u.ids.tolist() for u in grouped if u.grouped))
        if units.grouped and persons:
            mask |= np.fromiter((person in persons for person in units.ids.tolist()), dtype=bool)
        return mask
