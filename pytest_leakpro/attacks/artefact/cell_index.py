"""Finding records in long runs of numbers without comparing each with each.

Two weighted sums of some of a record's numbers are rounded down to cells: a place in an array is
looked at more closely only where its sums fall into a record's cells.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.artefact.record_form import dense_rows
from pytest_leakpro.targets.containers import is_sparse

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.artefact.record_form import RecordForm

__all__ = ["CellIndex"]

_FILTER_BITS = 10, 22
_WIDTH = 16  # of a cell, in tolerances
_MOST_CELLS = 16  # on one axis, of one record
_ENOUGH_BITS = 44.0
_PAIRS = 1 << 22
_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
# What stands for missing and infinite numbers in sums; they are compared as what they are.
_STAND_INS = (0.5772156649, 0.9159655942, -0.9159655942)


class CellIndex:
    """Finds some patterns of records in arrays.

    Parameters
    ----------
    form : RecordForm
        The records.
    patterns : ndarray of int
        Which patterns to find.
    columns : ndarray of int, shape (c,)
        Columns to sum up, at least one.
    entropy : ndarray of float64, shape (c,)
        How much each tells, in bits.
    rng : numpy.random.Generator
        For the weights.
    most : int
        At most so many columns are summed up.

    Attributes
    ----------
    whole : bool
        Whether some pattern has whole numbers only, as far as the summed columns tell.
    """

    def __init__(
        self,
        form: RecordForm,
        patterns: NDArray[np.intp],
        columns: NDArray[np.intp],
        entropy: NDArray[np.float64],
        rng: np.random.Generator,
        most: int = 16,
    ) -> None:
        self._form = form
        best = np.argsort(-entropy, kind="stable")
        enough = int(np.searchsorted(np.cumsum(entropy[best]), _ENOUGH_BITS)) + 1
        self._places = columns[best[: min(max(enough, 2), most)]]
        values = form.columns(self._places, form.patterns.first[patterns])
        self.whole = bool((np.isnan(values) | (values == np.floor(values))).all(axis=1).any())
        typical = form.typical[self._places]
        summed = _finite(values)
        margin = form.tolerance * (np.abs(summed) + typical)
        few = summed[:: max(1, len(summed) // 2000)]
        spread = np.median(np.abs(few - np.median(few, axis=0)), axis=0)
        spread = np.where(spread > 0, spread, summed.std(axis=0))
        spread = np.where((spread > 0) & np.isfinite(spread), spread, 1.0)
        weights = rng.uniform(0.5, 1.5, len(spread)) * rng.choice([-1.0, 1.0], len(spread)) / spread
        halves = [np.arange(start, len(spread), 2) for start in (0, 1)]
        self._halves = [half if len(half) else np.arange(1) for half in halves]
        self._weights = weights
        self._cells = np.ones(2)
        marked: list[tuple[NDArray[Any], NDArray[Any]]] = []
        for axis, half in enumerate(self._halves):
            sums = self._sum(half, lambda k: summed[:, k])
            slack = np.abs(margin[:, half] * weights[half]).sum(axis=1)
            width = float(np.quantile(slack, 0.9)) * _WIDTH
            self._cells[axis] = width if width > 0 else 1e-9
            low = np.floor((sums - slack) / self._cells[axis])
            high = np.floor((sums + slack) / self._cells[axis])
            # Of numbers far out only the cells around the record itself.
            middle = np.floor(sums / self._cells[axis])
            low = np.maximum(low, middle - _MOST_CELLS // 2)
            high = np.minimum(high, middle + _MOST_CELLS // 2)
            marked.append((low, high))
        self._mark(marked, patterns)

    def _mark(
        self, marked: list[tuple[NDArray[Any], NDArray[Any]]], patterns: NDArray[np.intp]
    ) -> None:
        keys: list[NDArray[np.uint64]] = []
        owners: list[NDArray[np.intp]] = []
        (low, high), (left, right) = marked
        for down in range(int((high - low).max()) + 1):
            for across in range(int((right - left).max()) + 1):
                inside = (low + down <= high) & (left + across <= right)
                keys.append(_key(low[inside] + down, left[inside] + across))
                owners.append(patterns[inside])
        joined, owned = np.concatenate(keys), np.concatenate(owners)
        order = np.argsort(joined, kind="stable")
        self._owners = owned[order]
        self._keys, self._starts = np.unique(joined[order], return_index=True)
        self._counts = np.diff(np.concatenate([self._starts, [len(joined)]]))
        # One in sixteen places passes each of the two filters.
        self._bits = int(np.clip(len(self._keys).bit_length() + 4, *_FILTER_BITS))
        self._filters = np.zeros((2, 1 << self._bits), dtype=bool)
        self._filters[0][self._upper(self._keys)] = True
        self._filters[1][self._lower(self._keys)] = True

    def _upper(self, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
        return (keys >> np.uint64(64 - self._bits)).view(np.intp)

    def _lower(self, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
        return (keys & np.uint64((1 << self._bits) - 1)).view(np.intp)

    def _sum(
        self, half: NDArray[np.intp], column: Callable[[int], NDArray[Any]]
    ) -> NDArray[np.float64]:
        total: NDArray[np.float64] | None = None
        for k in half.tolist():
            part = column(k) * self._weights[k]
            total = part if total is None else np.add(total, part, out=total)
        assert total is not None
        return total

    def _candidates(
        self, column: Callable[[int], NDArray[Any]]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Give places and the patterns that may stand there, place by place."""
        axes = [
            np.floor(self._sum(half, column) / self._cells[axis])
            for axis, half in enumerate(self._halves)
        ]
        keys = _key(*axes)
        places = np.flatnonzero(self._filters[0][self._upper(keys)])
        places = places[self._filters[1][self._lower(keys[places])]]
        at = np.searchsorted(self._keys, keys[places])
        known = at < len(self._keys)
        known[known] = self._keys[at[known]] == keys[places[known]]
        places, at = places[known], at[known]
        counts = self._counts[at]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(places, counts), self._owners[np.repeat(self._starts[at], counts) + within]

    def in_run(self, run: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find patterns in a run of numbers, at whatever place they begin.

        Parameters
        ----------
        run : ndarray of float64, shape (length,)
            At least as long as a record.

        Returns
        -------
        places, patterns : ndarray of int
            Where which pattern begins, in the order of the places.
        """
        width = self._form.width
        count = len(run) - width + 1
        summed = _finite(run)
        starts = self._places.tolist()
        places, patterns = self._candidates(lambda k: summed[starts[k] : starts[k] + count])
        windows = np.lib.stride_tricks.sliding_window_view(run, width)
        return self._confirmed(
            places, patterns, lambda at: windows[at], lambda at, columns: run[at[:, None] + columns]
        )

    def in_rows(self, table: Any) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find patterns among the rows of a table.

        Parameters
        ----------
        table : ndarray or sparse matrix in rows, shape (m, d)

        Returns
        -------
        rows, patterns : ndarray of int
            Which row holds which pattern, in the order of the rows.
        """
        picked = table[:, self._places]
        picked = np.asarray(picked.toarray() if is_sparse(picked) else picked, dtype=np.float64)
        summed = _finite(picked)
        places, patterns = self._candidates(lambda k: summed[:, k])
        chosen = self._places
        return self._confirmed(
            places,
            patterns,
            lambda at: dense_rows(table, at),
            lambda at, columns: (
                picked[at] if columns is chosen else dense_rows(table[:, columns], at)
            ),
        )

    def _confirmed(
        self,
        places: NDArray[np.intp],
        patterns: NDArray[np.intp],
        whole: Callable[[NDArray[np.intp]], NDArray[Any]],
        part: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[Any]],
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Compare number by number, first those that were summed up."""
        form, first = self._form, self._form.patterns.first
        found: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
        step = max(1, _PAIRS // form.width)
        for start in range(0, len(places), step):
            at, of = places[start : start + step], patterns[start : start + step]
            chosen = self._places
            same = self._same(part(at, chosen), form.columns(chosen, first[of]), chosen)
            at, of = at[same], of[same]
            if len(at):
                same = self._same(whole(at), form.rows(first[of]), slice(None))
                found.append((at[same], of[same]))
        if not found:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        at, of = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return at, of

    def _same(
        self, there: NDArray[Any], here: NDArray[np.float64], columns: Any
    ) -> NDArray[np.bool_]:
        form = self._form
        with np.errstate(invalid="ignore"):
            margin = form.tolerance * (np.abs(here) + form.typical[columns])
            equal = (np.abs(there - here) <= margin) | (there == here)
        equal |= np.isnan(there) & np.isnan(here)
        return np.asarray(equal.all(axis=1))


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give numbers to sum up."""
    if np.isfinite(values).all():
        return values
    missing, above, below = _STAND_INS
    return np.asarray(np.nan_to_num(values, nan=missing, posinf=above, neginf=below))


def _key(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Mix two cell numbers into one of 64 bits."""
    with np.errstate(invalid="ignore", over="ignore"):
        one, two = (axis.astype(np.int64).view(np.uint64) for axis in (first, second))
        mixed = one * _MULTIPLIERS[0] + two * _MULTIPLIERS[1]
        # The upper bits, which are looked at first, must depend on all others.
        return np.asarray((mixed ^ (mixed >> np.uint64(29))) * _MULTIPLIERS[0])
