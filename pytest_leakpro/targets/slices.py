"""Slices of the records: subgroups that are measured one by one.

A subgroup of fewer than ten people on either side is never told apart: it stands together with
others of its kind, so that neither its name nor its size follows from what is shown.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.slice_figures import slice_name
from pytest_leakpro.targets.records import MINIMUM
from pytest_leakpro.targets.slice_values import label_codes, read_slicings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.units import Units

__all__ = ["REST", "Slice", "Slices", "require_agreement"]

REST = "(the rest)"
_SIDES = ("members", "nonmembers")


@dataclass(frozen=True, eq=False)
class Slice:
    """One subgroup of the units of a view.

    Attributes
    ----------
    slicing, label : str
        What is sliced by, and the value that its units share.
    members : ndarray of bool, shape (n_members,)
        Which of the member units belong to it.
    nonmembers : ndarray of bool, shape (n_nonmembers,)
        Which of the non-member units.
    """

    slicing: str
    label: str
    members: NDArray[np.bool_] = field(repr=False)
    nonmembers: NDArray[np.bool_] = field(repr=False)

    @property
    def name(self) -> str:
        """Slicing and value, as ``"sex=F"``."""
        return slice_name(self.slicing, self.label)

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of members and of non-members in it."""
        return int(self.members.sum()), int(self.nonmembers.sum())


@dataclass(frozen=True, repr=False, eq=False)
class Slices:
    """What each record's value is, by slicing.

    Attributes
    ----------
    labels : dict of str to tuple of str
        The values of each slicing.
    codes : dict of str to tuple of ndarray
        Per slicing the place of each record's value among the labels: members as the user gave
        them, then non-members.
    """

    labels: dict[str, tuple[str, ...]]
    codes: dict[str, tuple[NDArray[np.intp], ...]]

    def __repr__(self) -> str:
        return f"Slices({', '.join(self.labels)})"

    @classmethod
    def read(cls, given: Any, members: Records, nonmembers: Records) -> Slices | None:
        """Read what a user gave; None where that is None.

        Raises
        ------
        LeakproError
            As `read_slicings` and `label_codes`; or where records of one person disagree.
        """
        if given is None:
            return None
        sides = (members, nonmembers)
        values = read_slicings(given, [(side.side, side.inputs, len(side)) for side in sides])
        labels, codes = label_codes(values)
        taken = [name for name, of_slicing in labels.items() if REST in of_slicing]
        if taken:
            raise LeakproError(
                f"slices, {taken[0]}: the value {REST!r} is what slices that are not told apart "
                "are called: give it another name"
            )
        for name, both in codes.items():
            for side, of_side in zip(sides, both, strict=True):
                require_agreement(name, side.side, of_side, side.units)
        return cls(labels, codes)

    def of(self, view: MembershipView) -> tuple[tuple[Slice, ...], tuple[str, ...]]:
        """Slice the units that a view counts.

        Parameters
        ----------
        view : MembershipView
            Of the target that this belongs to.

        Returns
        -------
        tuple
            The slices, each of at least ten units on each side, and what is to be said of those
            that are not told apart.

        Raises
        ------
        LeakproError
            Where fewer than two slices of a slicing could be shown.
        """
        found: list[Slice] = []
        notes: list[str] = []
        noun = view.records("members").units.noun
        for name, labels in self.labels.items():
            of_units = tuple(
                _per_unit(codes, view.records(side))
                for side, codes in zip(_SIDES, self.codes[name], strict=True)
            )
            sizes = np.stack([np.bincount(codes, minlength=len(labels)) for codes in of_units])
            alone, pooled, n_small = _told_apart(sizes)
            if len(alone) + bool(pooled) < 2:
                raise LeakproError(
                    f"slices, {name}: there are no two slices with at least {MINIMUM} {noun} on "
                    "each side, so there is nothing to tell apart: join values into larger "
                    "groups, or leave this slicing out"
                )
            groups = [(labels[code], [code]) for code in alone]
            groups += [(REST, pooled)] if pooled else []
            found += [
                Slice(name, label, *(np.isin(codes, group) for codes in of_units))
                for label, group in groups
            ]
            if n_small:
                notes.append(
                    f"slices of {name}: {n_small:,} with fewer than {MINIMUM} {noun} on a side "
                    f"{'is' if n_small == 1 else 'are'} not told apart, but measured together "
                    f"with others as {slice_name(name, REST)}"
                )
        return tuple(found), tuple(notes)


def require_agreement(name: str, side: str, codes: NDArray[np.intp], units: Units) -> None:
    """Check that all records of one person have the same value.

    Raises
    ------
    LeakproError
    """
    first = np.empty(len(units), dtype=np.intp)
    first[units.codes] = codes
    n_split = int(units.any_of(codes != first[units.codes]).sum())
    if n_split:
        raise LeakproError(
            f"slices, {name}: of {n_split:,} of {len(units):,} {units.noun} of the {side} the "
            "records have different values (one that is missing counts as a value): give each "
            "person one value"
        )


def _per_unit(codes: NDArray[np.intp], records: Records) -> NDArray[np.intp]:
    of_units = np.empty(len(records.units), dtype=np.intp)
    of_units[records.units.codes] = codes[records.positions]
    return of_units


def _told_apart(sizes: NDArray[np.intp]) -> tuple[list[int], list[int], int]:
    """Choose which values stand alone, and which together.

    Parameters
    ----------
    sizes : ndarray of int, shape (2, n_values)
        Members and non-members per value.

    Returns
    -------
    tuple
        Those that stand alone; those that stand together, at least two with ten units on each
        side, or none; how many values have too few units to stand alone.

    Notes
    -----
    A single value that is left out would follow from the whole minus the others: so the smallest of
    the others always joins it.
    """
    present = [int(code) for code in np.flatnonzero(sizes.sum(axis=0))]
    least = sizes.min(axis=0)
    pooled = [code for code in present if least[code] < MINIMUM]
    n_small = len(pooled)
    others = sorted((code for code in present if code not in pooled), key=lambda c: least[c])
    while pooled and others and (len(pooled) < 2 or sizes[:, pooled].sum(axis=1).min() < MINIMUM):
        pooled.append(others.pop(0))
    if pooled and not others:
        return [], pooled, n_small
    return sorted(others), sorted(pooled), n_small
