"""Missing-value inference: a record that lacks several values is completed from the release.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.synthetic.base_attack import (
    GuessingAttack,
    UnattackableError,
    right_guesses,
)
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.stats.gower import MixedRows, nearest_rows

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.mixed_table import MixedTable
    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["MissingValues"]

_PATTERNS = 16
_FEWEST_COLUMNS = 3


@dataclass(frozen=True)
class MissingValues(GuessingAttack):
    """Complete records that lack several values by the nearest row of the release.

    Of every record some of the columns are hidden, one of 16 sets drawn at random. The attacker
    knows the others, takes the nearest row of the release by these, and fills in its values. A
    guess is right where all hidden values are.

    Parameters
    ----------
    attempts : int, optional
        How many records of the source, and of the control, to attack; see `GuessingAttack`.
    hidden : float
        The share of the columns that is hidden, in (0, 1): at least two columns, and one is left.
    tolerance : float
        How far off the guess of a number may be, as a share of the truth; at least 0.

    Notes
    -----
    Secrets that the user names are hidden first, and columns of `quasi_identifiers` never.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4.3, for one secret; here several at once.
    """

    name: ClassVar[str] = "missing_values"
    metrics: ClassVar[tuple[str, ...]] = ("missing_values",)
    rank: ClassVar[int] = 230
    hidden: float = 0.3
    tolerance: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.hidden, float) or not 0 < self.hidden < 1:
            raise LeakproError("hidden of the attack 'missing_values': a share in (0, 1)")
        if not isinstance(self.tolerance, (int, float)) or not 0 <= self.tolerance < 1:
            raise LeakproError(
                "tolerance of the attack 'missing_values': a share of at least 0 and below 1"
            )

    def run(
        self,
        view: ReleaseView,
        rng: np.random.Generator,
        column: Hashable | None = None,  # noqa: ARG002 - several columns at once
    ) -> Guesses:
        """Complete records of the source, and of the control; see `ReleaseAttack.run`."""
        patterns = self._patterns(view, rng)
        original, control = self.attacked(view, rng)
        tables = view.original.take(original), view.control.take(control)
        main, outside = self._n_completed(view, tables, patterns, rng)
        naive = self._n_blind(view, tables[0], patterns, rng)
        return Guesses(
            main=(main, len(original)),
            control=(outside, len(control)),
            naive=(naive, len(original)),
            name=self.name,
        )

    def _patterns(self, view: ReleaseView, rng: np.random.Generator) -> list[tuple[Hashable, ...]]:
        """Draw sets of columns to hide."""
        usable, given = view.roles.usable, view.roles.given
        known = given.quasi_identifiers or ()
        open_ = [name for name in usable if name not in known]
        if len(usable) < _FEWEST_COLUMNS or len(open_) < 2:
            raise UnattackableError(
                "it takes at least three columns, two of which the attacker does not know"
            )
        size = min(max(2, round(self.hidden * len(usable))), len(open_), len(usable) - 1)
        first = [name for name in given.secret or () if name in open_][:size]
        others = [name for name in open_ if name not in first]
        patterns = []
        for _ in range(_PATTERNS):
            more = rng.choice(len(others), size=size - len(first), replace=False)
            patterns.append((*first, *(others[place] for place in np.sort(more))))
        return list(dict.fromkeys(patterns))

    def _n_completed(
        self,
        view: ReleaseView,
        tables: tuple[MixedTable, MixedTable],
        patterns: list[tuple[Hashable, ...]],
        rng: np.random.Generator,
    ) -> tuple[int, int]:
        """Complete the records of both sides, which are looked for in the release together."""
        lots = [rng.integers(len(patterns), size=len(table)) for table in tables]
        completed = [0, 0]
        for place, hidden in enumerate(patterns):
            known = tuple(name for name in view.roles.usable if name not in hidden)
            parts = [
                table.take(np.flatnonzero(lot == place))
                for table, lot in zip(tables, lots, strict=True)
            ]
            asked = MixedRows.joined([part.rows(known) for part in parts])
            _, found = nearest_rows(asked, view.rows("synthetic", known), 1, threads=view.threads)
            nearest = np.split(found[:, 0], [len(parts[0])])
            for side, (part, rows) in enumerate(zip(parts, nearest, strict=True)):
                completed[side] += int(self._right(part, view.synthetic.take(rows), hidden).sum())
        return completed[0], completed[1]

    def _n_blind(
        self,
        view: ReleaseView,
        table: MixedTable,
        patterns: list[tuple[Hashable, ...]],
        rng: np.random.Generator,
    ) -> int:
        """Guess every hidden value by how common the values of its column are."""
        lots = rng.integers(len(patterns), size=len(table))
        right = np.ones(len(table), dtype=bool)
        for name in dict.fromkeys(column for hidden in patterns for column in hidden):
            drawn = view.synthetic.take(rng.integers(len(view.synthetic), size=len(table)))
            hides = np.array([name in hidden for hidden in patterns])[lots]
            right &= ~hides | right_guesses(table, drawn, name, self.tolerance)
        return int(right.sum())

    def _right(
        self, truth: MixedTable, guess: MixedTable, hidden: tuple[Hashable, ...]
    ) -> NDArray[np.bool_]:
        right = np.ones(len(truth), dtype=bool)
        for name in hidden:
            right &= right_guesses(truth, guess, name, self.tolerance)
        return right
