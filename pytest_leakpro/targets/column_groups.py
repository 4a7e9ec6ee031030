"""Which columns of a numeric table belong together: one-hot groups, and numbers by themselves.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ColumnGroups", "read_tolerance"]

_DEVIATIONS = 0.319  # as Vero et al. (2023), TabLeak, section 3, count a number as right


@dataclass(frozen=True)
class ColumnGroups:
    """The columns of a table as a model sees it.

    Attributes
    ----------
    numbers : tuple of int
        Positions of columns that hold a number each.
    categories : tuple of tuple of int
        Positions of the columns of each one-hot group.
    """

    numbers: tuple[int, ...]
    categories: tuple[tuple[int, ...], ...]

    @classmethod
    def read(cls, given: Any, width: int) -> ColumnGroups:
        """Check what a user gave.

        Parameters
        ----------
        given : mapping of str to sequence of int, or None
            Per categorical column the positions of its one-hot columns; all others are numbers.
        width : int
            Number of columns.

        Raises
        ------
        LeakproError
            Where a position is none, or stands twice.
        """
        if given is None:
            return cls(tuple(range(width)), ())
        if not isinstance(given, Mapping):
            raise LeakproError(
                f"columns is a {type(given).__name__}: give the one-hot columns of each "
                "categorical column, as {'job': [3, 4, 5]}; all others are numbers"
            )
        groups = []
        taken: set[int] = set()
        for name, positions in given.items():
            try:
                group = tuple(operator.index(place) for place in positions)
            except TypeError:
                group = ()
            if len(group) < 2 or any(not 0 <= place < width for place in group):
                raise LeakproError(
                    f"columns: {quoted(name)}: give the positions of its one-hot columns, at least "
                    f"two, from 0 to {width - 1}"
                )
            if len(set(group)) < len(group) or taken & set(group):
                raise LeakproError(f"columns: {quoted(name)}: a position stands twice")
            taken |= set(group)
            groups.append(group)
        return cls(tuple(place for place in range(width) if place not in taken), tuple(groups))

    @property
    def n_columns(self) -> int:
        """Number of columns, a one-hot group being one."""
        return len(self.numbers) + len(self.categories)

    def right(
        self, truth: NDArray[Any], rebuilt: NDArray[Any], tolerance: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Give the share of the columns that are right, for each pair of rows.

        Parameters
        ----------
        truth : ndarray of shape (n, width)
        rebuilt : ndarray of shape (m, width)
        tolerance : ndarray of shape (width,)
            By how much a number may be off.

        Returns
        -------
        ndarray of shape (n, m)
        """
        count = np.zeros((len(truth), len(rebuilt)))
        numbers = list(self.numbers)
        if numbers:
            off = np.abs(truth[:, None, numbers] - rebuilt[None, :, numbers])
            count += (off <= tolerance[numbers]).sum(-1)
        for group in self.categories:
            mine, theirs = (rows[:, list(group)].argmax(1) for rows in (truth, rebuilt))
            count += mine[:, None] == theirs[None, :]
        return count / self.n_columns


def read_tolerance(given: Any, width: int, population: NDArray[Any] | None) -> NDArray[np.float64]:
    """Give by how much each number may be off and still count as right.

    Parameters
    ----------
    given : float or array_like of shape (width,), or None
        By default 0.319 standard deviations of the population's column, of which there is one
        without a population.
    width : int
        Number of columns.
    population : ndarray of shape (n, width) or None

    Raises
    ------
    LeakproError
        Where it is negative or no number.
    """
    if given is None:
        deviations = np.ones(width) if population is None else population.std(axis=0)
        return np.asarray(_DEVIATIONS * deviations, dtype=float)
    try:
        wide = np.broadcast_to(np.asarray(given, dtype=float), (width,)).copy()
    except (TypeError, ValueError):
        wide = np.full(width, np.nan)
    if not (np.isfinite(wide) & (wide >= 0)).all():
        raise LeakproError(
            f"tolerance: give a number of at least 0, or one for each of the {width} columns"
        )
    return wide
