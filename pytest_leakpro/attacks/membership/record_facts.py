"""What is known of the counted records before any model is asked: classes, and whose they are.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["RecordFacts", "facts_of", "unknown_facts"]


@dataclass(frozen=True, repr=False, eq=False)
class RecordFacts:
    """Facts on n records.

    Attributes
    ----------
    classes : ndarray of shape (n,)
        Numbers of the classes; zeros where there are none.
    units : ndarray of int, shape (n,)
        Numbers of the units that they belong to.
    n_units : int
        How many units there are, also where some of the records were taken.
    regression : bool
        Whether signals on them are minus squared errors.
    """

    classes: NDArray[Any]
    units: NDArray[np.intp]
    n_units: int
    regression: bool = False

    def take(self, positions: NDArray[np.intp]) -> RecordFacts:
        """Take some of the records, by position; units keep their numbers."""
        return replace(self, classes=self.classes[positions], units=self.units[positions])


def facts_of(view: MembershipView, *, regression: bool) -> RecordFacts:
    """Gather the facts on a view's members, then its non-members; the model is not asked."""
    sides = [view.records(side) for side in ("members", "nonmembers")]
    units = [side.units.codes for side in sides]
    n_units = [len(side.units) for side in sides]
    classes = np.concatenate([np.asarray(side.labels) for side in sides])
    return RecordFacts(
        np.zeros(len(classes)) if regression else classes,
        np.concatenate([units[0], n_units[0] + units[1]]),
        sum(n_units),
        regression,
    )


def unknown_facts(n_records: int, *, regression: bool = False) -> RecordFacts:
    """Give the facts where nothing is known: one class, and each record a unit."""
    return RecordFacts(np.zeros(n_records), np.arange(n_records), n_records, regression)
