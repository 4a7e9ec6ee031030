"""The values among which a secret is guessed: those that the population holds.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import quoted
from pytest_leakpro.targets.column_cells import cells_of, with_cell
from pytest_leakpro.targets.secret_columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

__all__ = ["Candidates"]

MOST_VALUES = 20
_GROUPS = 10


@dataclass(frozen=True, repr=False, eq=False)
class Candidates:
    """The values of one column that are tried.

    Up to 20 different values are candidates as they are. Of a column of numbers or times with more
    the candidates are the medians of ten groups between quantiles of the population, and a guess is
    right where the truth lies in its group; of any other column the 20 commonest values. What is
    missing is a value of its own, if the population has it. A truth that is none of them is guessed
    wrongly.

    Attributes
    ----------
    column : hashable
        Its name or position.
    place : int
        Where it stands in a record.
    inputs : container
        The population's.
    positions : ndarray of int, shape (k,)
        Of each candidate a record of the population that holds it.
    n_left_out : int
        How many values of the population are no candidates.
    """

    column: Hashable
    place: int
    inputs: Any
    positions: NDArray[np.intp]
    n_left_out: int
    _codes: dict[Any, int]
    _edges: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def of(cls, inputs: Any, place: int) -> Candidates:
        """Read the values off a population.

        Raises
        ------
        LeakproError
            Where there are fewer than two of them.
        """
        column = columns_of(inputs)[place]
        cells = cells_of(inputs, place)
        counts = Counter(cells)
        if len(counts) < 2:
            raise LeakproError(
                f"attribute_inference[{column}]: {quoted(column)} has the same value in all "
                f"{len(cells):,} records that the attacker knows, so there is nothing to guess: "
                "leave it out of secret="
            )
        numbers = _numbers(cells)
        if len(counts) > MOST_VALUES and numbers is not None:
            edges = np.unique(np.nanquantile(numbers, np.arange(1, _GROUPS) / _GROUPS))
            groups = np.searchsorted(edges, numbers, side="right")
            groups[np.isnan(numbers)] = -1
            found = [np.flatnonzero(groups == group) for group in np.unique(groups)]
            middle = [rows[np.argsort(numbers[rows])[(len(rows) - 1) // 2]] for rows in found]
            codes = {int(groups[position]): code for code, position in enumerate(middle)}
            return cls(column, place, inputs, np.array(middle, dtype=np.intp), 0, codes, edges)
        kept = [value for value, _ in counts.most_common(MOST_VALUES)]
        first = np.array([cells.index(value) for value in kept], dtype=np.intp)
        codes = {value: code for code, value in enumerate(kept)}
        return cls(column, place, inputs, first, len(counts) - len(kept), codes, None)

    def codes_of(self, inputs: Any) -> NDArray[np.intp]:
        """Tell which candidate each record holds, shape (n,); -1 where it is none of them."""
        cells: Sequence[Any] = cells_of(inputs, self.place)
        if self._edges is not None:
            numbers = _numbers(cells)
            if numbers is None:
                return np.full(len(cells), -1, dtype=np.intp)
            groups = np.searchsorted(self._edges, numbers, side="right")
            groups[np.isnan(numbers)] = -1
            cells = groups.tolist()
        return np.array([self._codes.get(cell, -1) for cell in cells], dtype=np.intp)

    def put(self, inputs: Any, candidate: int) -> Any:
        """Give a copy of records in which all have a candidate in the column."""
        return with_cell(inputs, self.place, self.inputs, int(self.positions[candidate]))


def _numbers(cells: Sequence[Any]) -> NDArray[np.float64] | None:
    """Give numbers, and times in seconds, with NaN where missing; None where there is another."""
    found = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if hasattr(cell, "timestamp"):
            found[row] = cell.timestamp()
        elif isinstance(cell, (int, float, np.number)) and not isinstance(cell, bool):
            found[row] = float(cell)
        elif cell is not None:
            return None
    return found
