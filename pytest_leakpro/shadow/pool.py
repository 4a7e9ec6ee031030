"""The pool that shadow models are trained on, and where the scored records stand in it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import concatenate, take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["Pool", "pool_of", "units_and_places"]


@dataclass(frozen=True, repr=False, eq=False)
class Pool:
    """Members and non-members together.

    Attributes
    ----------
    X, y : container
        The records, in the containers that the user gave.
    codes : ndarray of int, shape (n_pool,)
        The unit of each record, from 0.
    n_units : int
        How many units there are.
    audited : tuple of Records
        The records whose signals are wanted, the population last.
    places : ndarray of int, shape (n_members + n_nonmembers,)
        Where the view's members and non-members stand in the pool.
    columns : ndarray of int, shape (n_scored,)
        Which of the signals of `audited` are those of the view's members, its non-members, and its
        population.
    marks : tuple of ndarray
        Tells this choice of records from another of the same pool.
    """

    X: Any
    y: Any
    codes: NDArray[np.intp]
    n_units: int
    audited: tuple[Records, ...]
    places: NDArray[np.intp]
    columns: NDArray[np.intp]
    marks: tuple[NDArray[Any], ...]

    @property
    def one_by_one(self) -> bool:
        """Whether each record is a unit of its own, in order."""
        return np.array_equal(self.codes, np.arange(self.n_units))


def pool_of(target: MembershipTarget, view: MembershipView) -> Pool:
    """Put the pool of a view together.

    Parameters
    ----------
    target : MembershipTarget
        Where a recipe drew its split from a pool, the order is the pool's: all splits of it then
        share their shadow models.
    view : MembershipView
        The records that are scored.
    """
    members, nonmembers = view.pool
    codes, places = units_and_places(view)
    scored = [view.records(side) for side in ("members", "nonmembers")]
    population = [view.records("population")] if view.has_population else []
    n_counted, n_population = len(places), sum(map(len, population))
    X = concatenate([members.inputs, nonmembers.inputs])
    y = concatenate([members.y, nonmembers.y])
    n_units = len(members.units) + len(nonmembers.units)
    if target.pool_positions is None:
        marks = (*(records.positions for records in scored), members.units.codes)
        return Pool(
            X,
            y,
            codes,
            n_units,
            (*scored, *population),
            places,
            np.arange(n_counted + n_population),
            (*marks, nonmembers.units.codes),
        )
    sides = zip(target.pool_positions, (members, nonmembers), strict=True)
    origin = np.concatenate([given[records.positions] for given, records in sides])
    order = np.argsort(origin)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    places = rank[places]
    chosen = np.sort(places)  # the scored records in the order of the pool
    codes = _by_first_appearance(codes[order])
    X, y = take(X, order), take(y, order)
    labels = np.concatenate([members.labels, nonmembers.labels])[order]
    together = replace(
        members,
        side="pool",
        inputs=take(X, chosen),
        labels=labels[chosen],
        y=take(y, chosen),
        positions=chosen,
    )
    columns = np.concatenate(
        [np.searchsorted(chosen, places), n_counted + np.arange(n_population)]
    ).astype(np.intp)
    marks = (origin[order], chosen, codes)
    return Pool(X, y, codes, n_units, (together, *population), places, columns, marks)


def units_and_places(view: MembershipView) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the units of a view's pool, and where in it the counted records stand.

    Returns
    -------
    tuple of ndarray of int
        The number of each record's unit, shape (n_pool,), members first; and the places of the
        view's members and then its non-members.
    """
    members, nonmembers = view.pool
    codes = np.concatenate([members.units.codes, len(members.units) + nonmembers.units.codes])
    places = [
        np.searchsorted(members.positions, view.records("members").positions),
        len(members) + np.searchsorted(nonmembers.positions, view.records("nonmembers").positions),
    ]
    return codes, np.concatenate(places)


def _by_first_appearance(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give units the numbers of the order in which their first records stand."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), dtype=np.intp)
    numbers[np.argsort(first)] = np.arange(len(first))
    return numbers[inverse]
