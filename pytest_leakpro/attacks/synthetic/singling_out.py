"""Singling out: predicates that hold for exactly one record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.attempts import MOST_ATTEMPTS
from pytest_leakpro.attacks.synthetic.base_attack import (
    GuessingAttack,
    UnattackableError,
)
from pytest_leakpro.attacks.synthetic.predicates import (
    Predicates,
    RankedColumns,
    RankedTable,
    join_predicates,
    matches,
)
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["MultivariateSinglingOut", "SinglingOut", "UnivariateSinglingOut"]

_TRIES = 4  # rows to look at for each predicate that is wanted
_FEWEST = 10


@dataclass(frozen=True)
class SinglingOut(GuessingAttack):
    """Guess predicates that hold for exactly one record of the source.

    A predicate that holds for exactly one row of the release is the attacker's guess, one for each
    row at most. Half of them at most are on one column: a value that occurs once, the least and
    the greatest, the only missing one. The others are on several columns drawn at random, with the
    values of a row drawn at random: of numbers and dates at least that value where it lies above
    the median, at most where below; equality of all else. Each is evaluated once.

    A record counts once, however many predicates single it out: those that meet at one outlier do
    not succeed independently, as the bounds take them to do.

    Parameters
    ----------
    attempts : int, optional
        How many predicates, at least 10; by default as many as the source has rows, at most 5,000.
        Fewer are made where the release does not give so many.
    columns : int
        On how many columns those are that are on several, at least 2; on as many more as it takes
        to hold for one row only.

    Notes
    -----
    The control attack evaluates the same predicates on the control. Of a control with more rows
    than the source as many are drawn. One with fewer, m of n, is filled up with rows of the source:
    among n rows that hold it, each of its rows is singled out as often as one of the source would
    be by chance, so that the rate is n/m times that at which rows of the control are singled out.
    Where the row that spoils this is one of the source, its leakage may be to blame: such
    predicates count where the bound is from above only.

    References
    ----------
    Article 29 Data Protection Working Party (2014), Opinion 05/2014, section 2.2.1. Giomi et al.
    (2023), A unified framework for quantifying privacy risk in synthetic data, PoPETs, section
    4.1; there every predicate counts, and the control's rate is scaled by a fitted model.
    """

    name: ClassVar[str] = "singling_out"
    metrics: ClassVar[tuple[str, ...]] = ("singling_out",)
    rank: ClassVar[int] = 200
    univariate_share: ClassVar[float] = 0.5
    columns: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.columns, int) or isinstance(self.columns, bool) or self.columns < 2:
            raise LeakproError(
                f"columns of the attack {self.name!r}: give a whole number of at least 2"
            )

    def sizes(
        self,
        view: ReleaseView,
        column: Hashable | None = None,  # noqa: ARG002 - predicates are on all columns
    ) -> tuple[int, int]:
        """Give the number of predicates, which all are evaluated on both sides."""
        wanted = min(view.n_members, self.attempts or MOST_ATTEMPTS)
        return wanted, wanted

    def run(
        self,
        view: ReleaseView,
        rng: np.random.Generator,
        column: Hashable | None = None,  # noqa: ARG002 - predicates are on all columns
    ) -> Guesses:
        """Make predicates from the release, and evaluate them; see `ReleaseAttack.run`."""
        wanted = self.n_attempts("original", view.n_members)
        if not view.roles.usable:
            raise UnattackableError("there is no column to make predicates on")
        ranked = _ranked(view)
        predicates = self._guesses(ranked, wanted, rng)
        if len(predicates) < _FEWEST:
            raise UnattackableError(
                f"only {len(predicates)} predicates hold for exactly one row of the release: too "
                "few to single anybody out with"
            )
        naive = _n_singled_out(self._blind_guesses(ranked, len(predicates), rng), ranked)
        main = _n_singled_out(predicates, ranked)
        least, most, scale = _on_control(predicates, ranked, rng)
        size = len(predicates)
        return Guesses(
            main=(main, size),
            control=(least, size),
            naive=(naive, size),
            control_scale=scale,
            control_most=most,
            name=self.name,
        )

    def _guesses(self, ranked: RankedColumns, wanted: int, rng: np.random.Generator) -> Predicates:
        """Make predicates that hold for exactly one row of the release."""
        table = _distinct_rows(ranked)
        free = np.ones(len(table), dtype=bool)  # rows that no guess rests on yet
        width = max(1, min(self.columns, len(ranked.top)))
        share = wanted if width < 2 else int(self.univariate_share * wanted)
        parts = [_on_one_column(ranked, table, free, share, rng)]
        left = wanted - len(parts[0])
        if width >= 2 and self.univariate_share < 1:
            parts.append(_on_several(ranked, table, np.flatnonzero(free), width, left, rng))
        return join_predicates(parts)

    def _blind_guesses(
        self, ranked: RankedColumns, size: int, rng: np.random.Generator
    ) -> Predicates:
        """Make predicates of the same form with values that do not belong together."""
        width = min(self.columns, len(ranked.top))
        if self.univariate_share == 1 or width < 2:
            columns = np.repeat(_some_columns(len(ranked.top), 1, size, rng), max(width, 1), axis=1)
        else:
            columns = _some_columns(len(ranked.top), width, size, rng)
        ranks = ranked.tables["synthetic"].ranks
        values = ranks[columns, rng.integers(ranks.shape[1], size=columns.shape)].astype(np.int64)
        # All values lie above the one centre, or below the other.
        centres = rng.integers(2, size=columns.shape) * (ranked.top[columns] + 1)
        return _conditions(ranked, columns, values, centres)


@dataclass(frozen=True)
class UnivariateSinglingOut(SinglingOut):
    """Single out by one column only; see `SinglingOut`.

    References
    ----------
    Giomi et al. (2023), section 4.1, univariate predicates.
    """

    name: ClassVar[str] = "singling_out_univariate"
    rank: ClassVar[int] = 201
    default: ClassVar[bool] = False
    univariate_share: ClassVar[float] = 1.0


@dataclass(frozen=True)
class MultivariateSinglingOut(SinglingOut):
    """Single out by several columns only; see `SinglingOut`.

    References
    ----------
    Giomi et al. (2023), section 4.1, multivariate predicates.
    """

    name: ClassVar[str] = "singling_out_multivariate"
    rank: ClassVar[int] = 202
    default: ClassVar[bool] = False
    univariate_share: ClassVar[float] = 0.0


def _ranked(view: ReleaseView) -> RankedColumns:
    if "ranked columns" not in view.kept:
        tables = {
            "synthetic": view.synthetic,
            "original": view.original,
            "control": view.control,
        }
        view.kept["ranked columns"] = RankedColumns(tables, view.roles.usable)
    found: RankedColumns = view.kept["ranked columns"]
    return found


def _distinct_rows(ranked: RankedColumns) -> RankedTable:
    """Give the rows of the release that differ: one that is released twice is guessed from once."""
    import pandas as pd

    table = ranked.tables["synthetic"]
    twice = pd.DataFrame(table.ranks.T).duplicated().to_numpy()
    return table.take(np.flatnonzero(~twice)) if twice.any() else table


def _none(width: int) -> Predicates:
    nothing = np.empty((0, width), dtype=np.int64)
    return Predicates(nothing.astype(np.intp), nothing, nothing)


def _on_one_column(
    ranked: RankedColumns,
    table: RankedTable,
    free: NDArray[np.bool_],
    wanted: int,
    rng: np.random.Generator,
) -> Predicates:
    """Make conditions on one column that hold for exactly one row; takes their rows."""
    found, rows = [_none(1)], [np.empty(0, dtype=np.intp)]
    for column, (values, top) in enumerate(zip(table.ranks, ranked.top, strict=True)):
        counts = np.bincount(values, minlength=int(top) + 2)
        row_of = np.zeros(len(counts), dtype=np.intp)
        row_of[values] = np.arange(len(values))
        once = np.flatnonzero(counts == 1)
        low, high, at = [once], [once], [once]
        present = np.flatnonzero(counts[: int(top) + 1])
        if ranked.ordered[column] and len(present):
            ends = present[[0, -1]]
            unique = counts[ends] == 1
            low.append(np.array([0, ends[1]])[unique])
            high.append(np.array([ends[0], top])[unique])
            at.append(ends[unique])
        lows, highs = np.concatenate(low)[:, None], np.concatenate(high)[:, None]
        found.append(Predicates(np.full(lows.shape, column, dtype=np.intp), lows, highs))
        rows.append(row_of[np.concatenate(at)])
    # One for each row, of several a random one.
    at_rows = np.concatenate(rows)
    order = rng.permutation(len(at_rows))
    _, firsts = np.unique(at_rows[order], return_index=True)
    chosen = np.sort(rng.permutation(order[firsts])[:wanted])
    free[at_rows[chosen]] = False
    return join_predicates(found).take(chosen)


def _on_several(
    ranked: RankedColumns,
    table: RankedTable,
    rows: NDArray[np.intp],
    width: int,
    wanted: int,
    rng: np.random.Generator,
) -> Predicates:
    """Make predicates on several columns that hold for exactly one of these rows, one for each."""
    rows = rng.permutation(rows)[: _TRIES * wanted]
    n_columns = len(ranked.top)
    columns = np.argsort(rng.random((len(rows), n_columns)), axis=1)
    values = table.ranks[columns, rows[:, None]].astype(np.int64)
    every = _conditions(ranked, columns, values, _medians(ranked, table.ranks)[columns])
    widths = np.zeros(len(rows), dtype=np.intp)
    conditions = zip(columns.tolist(), every.low.tolist(), every.high.tolist(), strict=True)
    made = 0
    for place, (names, low, high) in enumerate(conditions):
        if made == wanted:
            break
        left = table.holding(names[:width], low[:width], high[:width])
        used = width
        while len(left) > 1 and used < n_columns:
            left = table.narrowed(left, names[used], low[used], high[used])
            used += 1
        if len(left) == 1:
            widths[place] = used
            made += 1
    done = np.flatnonzero(widths)
    return every.take(done).cut(widths[done])


def _some_columns(
    n_columns: int, width: int, size: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw columns without replacement, in ascending order."""
    order = np.argsort(rng.random((size, n_columns)), axis=1)[:, :width]
    return np.sort(order, axis=1)


def _medians(ranked: RankedColumns, ranks: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    medians = np.zeros(len(ranked.top), dtype=np.int64)
    for column in np.flatnonzero(ranked.ordered):
        present = ranks[column][ranks[column] <= ranked.top[column]]
        if len(present):
            medians[column] = int(np.sort(present)[len(present) // 2])
    return medians


def _conditions(
    ranked: RankedColumns,
    columns: NDArray[np.intp],
    values: NDArray[np.int64],
    centres: NDArray[np.int64],
) -> Predicates:
    """Turn values into conditions: at least where above the centre, at most where below."""
    top = ranked.top[columns]
    ordered = ranked.ordered[columns] & (values <= top)
    above = values > centres
    low = np.where(ordered & ~above, 0, values)
    high = np.where(ordered & above, top, values)
    return Predicates(columns, low, high)


def _n_singled_out(predicates: Predicates, ranked: RankedColumns) -> int:
    """Count the rows of the source that are singled out."""
    counts, rows = matches(predicates, ranked.tables["original"])
    return len(np.unique(rows[counts == 1]))


def _on_control(
    predicates: Predicates, ranked: RankedColumns, rng: np.random.Generator
) -> tuple[int, int, float]:
    """Count the rows of the control that are singled out: at least, at most, and the scale."""
    original, control = ranked.tables["original"], ranked.tables["control"]
    n, m = len(original), len(control)
    if m > n:
        control = control.take(np.sort(rng.choice(m, size=n, replace=False)))
        m = n
    counts, rows = matches(predicates, control)
    once = counts == 1
    if m == n:
        found = len(np.unique(rows[once]))
        return found, found, 1.0
    filling = original.take(np.sort(rng.choice(n, size=n - m, replace=False)))
    beside, _ = matches(predicates, filling)
    least = len(np.unique(rows[once & (beside == 0)]))
    most = len(np.unique(rows[once & (beside <= 1)]))
    return least, most, n / m
