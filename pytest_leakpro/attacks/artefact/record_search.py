"""Which records stand in a fitted object as they are.

Two things count: a record that is too distinctive to stand there by chance, wherever it stands; and
a table whose rows are records of one side, all of them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.artefact.cell_index import CellIndex
from pytest_leakpro.attacks.artefact.distinctiveness import Distinctiveness
from pytest_leakpro.targets.containers import is_sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.artefact.record_form import RecordForm
    from pytest_leakpro.targets.artefact_leaves import Leaf
    from pytest_leakpro.targets.artefact_place import Place

__all__ = ["Hit", "beyond_chance", "search_records"]

_SPARE_BITS = 20.0
_CHUNK = 1 << 16
_PAIRS = 1 << 22
_LEAST_ROWS = 10
_LEAST_SORTED = 5
# A table may hold some records that were not given, such as those dropped for standing on both
# sides.
_TABLE_SHARE = 0.95
_CHANCE = 1e-9
# The same of different rows alone, which repetitions do not make any rarer.
_CHANCE_OF_DIFFERENT = 0.1
_SHUFFLED = 2000
_WORTH_SAYING = 20_000_000


@dataclass(frozen=True, repr=False, eq=False)
class Hit:
    """Records that stand in one place.

    Attributes
    ----------
    place : Place
        Where.
    form : str
        What was done to them; empty for nothing.
    found : ndarray of bool, shape (n,)
        Which records, members first.
    """

    place: Place
    form: str
    found: NDArray[np.bool_]


def search_records(
    forms: Sequence[RecordForm],
    leaves: Sequence[Leaf],
    rng: np.random.Generator,
    say: Callable[[str], None],
) -> list[Hit]:
    """Look for the records of both sides in every array.

    Parameters
    ----------
    forms : sequence of RecordForm
        The same records in other forms.
    leaves : sequence of Leaf
        The arrays of numbers.
    rng : numpy.random.Generator
        For what is drawn; nothing that is found depends on it but by chances below 1e-9.
    say : callable
        ``say(text)``, for those who wait.

    Returns
    -------
    list of Hit
    """
    windows = 2 * len(forms) * sum(_size(leaf.values) for leaf in leaves)
    hits: list[Hit] = []
    most: NDArray[np.float64] | None = None
    whole = {id(leaf): _is_whole(leaf.values) for leaf in leaves}
    ranked = {id(leaf) for leaf in leaves if _is_ranked(leaf.values)}
    for number, form in enumerate(forms):
        told = Distinctiveness.of(form, rng)
        if form.complete:
            # Whatever is made of a record tells no more than the record itself.
            most = told.bits
            if len(told.columns) < 2:
                return hits
        if not len(told.columns):
            continue
        if windows > _WORTH_SAYING:
            say(f"records {form.name or 'as they are'}, form {number + 1} of {len(forms)}")
        finder = _Finder(form, told, most, windows, rng)
        for leaf in leaves:
            if form.inside is not None and not leaf.place.within(form.inside):
                continue
            found = finder.look(leaf.values, whole=whole[id(leaf)], ranked=id(leaf) in ranked)
            if found.any():
                hits.append(Hit(leaf.place, form.name, found))
    return hits


def _size(values: Any) -> int:
    return int(values.nnz if is_sparse(values) else values.size)


def _is_whole(values: Any) -> bool:
    if is_sparse(values):
        return False
    if values.dtype.kind != "f":
        return True
    flat = values.reshape(-1) if values.flags.c_contiguous else values.ravel(order="K")
    head = flat[:1000]
    with np.errstate(invalid="ignore"):
        if not (np.isnan(head) | (head == np.floor(head))).all():
            return False
        return all(
            bool((np.isnan(part) | (part == np.floor(part))).all())
            for part in np.array_split(flat, max(1, len(flat) // _CHUNK))
        )


def _is_ranked(values: Any) -> bool:
    """Tell whether all columns of a table, or all its rows, are sorted, each for itself.

    A record that has the same rank in each of them stands there as it is, and nothing tells so.
    """
    if is_sparse(values) or values.ndim != 2 or min(values.shape) < 2:
        return False
    for table in (values, values.T):
        head = table[:100]
        if len(table) >= _LEAST_SORTED and not (head[1:] < head[:-1]).any():
            rises = (table[1:] > table[:-1]).any(axis=1).mean() > 0.5
            return bool(rises) and not (table[1:] < table[:-1]).any()
    return False


class _Finder:
    """Looks for records in one form."""

    def __init__(
        self,
        form: RecordForm,
        told: Distinctiveness,
        most: NDArray[np.float64] | None,
        windows: int,
        rng: np.random.Generator,
    ) -> None:
        self._form, self._told, self._rng = form, told, rng
        self._needed = math.log2(max(windows, 2)) + math.log2(max(len(form), 2)) + _SPARE_BITS
        first = form.patterns.first
        bits = told.bits if most is None else np.minimum(told.bits, most)
        distinctive = np.flatnonzero((bits[first] > self._needed) & ~form.patterns.plain)
        self._alone: CellIndex | None = None
        if len(distinctive):
            self._alone = CellIndex(form, distinctive, told.columns, told.entropy, rng)
        self._tables: CellIndex | None = None

    def look(self, values: Any, *, whole: bool, ranked: bool) -> NDArray[np.bool_]:
        """Mark the records that stand in an array, shape (n,)."""
        patterns = self._form.patterns
        counts = np.zeros(len(patterns.first), dtype=np.intp)
        index = self._alone
        if index is not None and not ranked and (index.whole or not whole):
            for part in self._windows(index, values):
                np.maximum(counts, part, out=counts)
            if counts.any() and not self._form.sparse:
                counts[~self._rare_there(values, counts)] = 0
        found = patterns.marked(counts)
        # A single column is no record.
        if len(self._told.columns) > 1:
            for table in _tables(values, self._form.width):
                found |= self._table(table)
        return found

    def _rare_there(self, values: Any, counts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell which patterns are rare also by how often their numbers stand elsewhere in an array.

        An array of small whole numbers holds many a record of such numbers.
        """
        form, told = self._form, self._told
        rare = np.zeros(len(counts), dtype=bool)
        numbers = np.sort(values.data if is_sparse(values) else values, axis=None)
        found = np.flatnonzero(counts)
        step = max(1, _PAIRS // form.width)
        for start in range(0, len(found), step):
            of = found[start : start + step]
            rows = form.rows(form.patterns.first[of])
            bits = np.zeros(len(of))
            for number, column in enumerate(told.columns.tolist()):
                here = rows[:, column]
                margin = form.tolerance * (np.abs(here) + form.typical[column])
                there = np.searchsorted(numbers, here + margin, side="right")
                there -= np.searchsorted(numbers, here - margin)
                own = (np.abs(rows - here[:, None]) <= margin[:, None]).sum(axis=1) * counts[of]
                others = np.maximum(there - own, 0) / len(numbers)
                known = told.told[form.patterns.first[of], number]
                bits += np.minimum(known, -np.log2(np.maximum(others, 1e-300)))
            rare[of] = bits > self._needed
        return rare

    def _windows(self, index: CellIndex, values: Any) -> Iterator[NDArray[np.intp]]:
        """Count the patterns in an array, in either order of its numbers."""
        size = len(self._form.patterns.first)
        width = self._form.width
        if is_sparse(values):
            if values.shape[1] == width:
                found = index.in_rows(values.tocsr())[1]
                yield np.bincount(found, minlength=size)
            return
        if values.size < width:
            return
        for array in _orders(values):
            counts = np.zeros(size, dtype=np.intp)
            for run in _runs(array, width):
                found = index.in_run(run)[1]
                if len(found):
                    counts += np.bincount(found, minlength=size)
            yield counts

    def _table(self, table: Any) -> NDArray[np.bool_]:
        """Mark the records of a side whose records alone are the rows of a table."""
        form, patterns = self._form, self._form.patterns
        nothing = np.zeros(len(form), dtype=bool)
        rows = int(table.shape[0])
        if self._tables is None:
            self._tables = CellIndex(
                form,
                np.arange(len(patterns.first)),
                self._told.columns,
                self._told.entropy,
                self._rng,
                most=256,
            )
        some = np.unique(np.linspace(0, rows - 1, min(rows, 64)).astype(np.intp))
        if len(np.unique(self._tables.in_rows(table[some])[0])) < 0.75 * len(some):
            return nothing
        at, of = self._tables.in_rows(table)
        at, once = np.unique(at, return_index=True)
        of = of[once]
        counts = np.bincount(of, minlength=len(patterns.first))
        for side in (0, 1):
            held = np.minimum(counts, patterns.counts[side])
            n_held = int(held.sum())
            if n_held < max(_LEAST_ROWS, _TABLE_SHARE * rows):
                continue
            chance = max(self._shuffled(table, side), self._outside(side))
            if chance ** int((held > 0).sum()) > _CHANCE_OF_DIFFERENT:
                continue
            if not beyond_chance(n_held, rows, chance):
                continue
            marked = patterns.marked(np.where(counts > 0, held, 0))
            beginning = form.n_members if side else 0
            end = len(form) if side else form.n_members
            nothing[beginning:end] |= marked[beginning:end]
        return nothing

    def _shuffled(self, table: Any, side: int) -> float:
        """Give the share of rows that are a side's records where each column is shuffled."""
        rng, (rows, width) = self._rng, table.shape
        if is_sparse(table):
            from scipy.sparse import csr_array

            kept = table.tocoo()
            places = rng.integers(0, rows, kept.nnz), kept.coords[1]
            return self._share(csr_array((kept.data, places), shape=table.shape), side)
        mixed = np.empty((_SHUFFLED, width), dtype=table.dtype)
        for column in range(width):
            mixed[:, column] = table[rng.integers(0, rows, _SHUFFLED), column]
        return self._share(mixed, side)

    def _outside(self, side: int) -> float:
        """Give the share of the other side's records that are also this side's."""
        patterns = self._form.patterns
        other = patterns.counts[1 - side]
        return (int(other[patterns.counts[side] > 0].sum()) + 1) / (int(other.sum()) + 1)

    def _share(self, table: Any, side: int) -> float:
        assert self._tables is not None
        at, of = self._tables.in_rows(table)
        hits = np.unique(at[self._form.patterns.counts[side][of] > 0])
        return (len(hits) + 1) / (int(table.shape[0]) + 1)


def beyond_chance(found: int, of: int, chance: float) -> bool:
    """Tell whether so many hits are more than chance gives, at level 1e-9."""
    from scipy.stats import binom

    return chance < 1 and bool(binom.sf(found - 1, of, chance) <= _CHANCE)


def _tables(values: Any, width: int) -> Iterator[Any]:
    """Give the ways to read an array as rows of a record's width."""
    shape = values.shape
    if is_sparse(values):
        if shape[1] == width and shape[0] >= _LEAST_ROWS:
            yield values.tocsr()
        return
    if values.size < _LEAST_ROWS * width:
        return
    if shape[-1] == width or (len(shape) == 1 and values.size % width == 0):
        yield values.reshape(-1, width)
    if len(shape) == 2 and shape[0] == width:
        yield values.T


def _orders(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    yield values
    if values.ndim == 2 and min(values.shape) > 1:
        yield values.T


def _runs(values: NDArray[Any], width: int) -> Iterator[NDArray[np.float64]]:
    """Give an array's numbers one after the other, in parts that overlap by a record."""
    step = max(_CHUNK, 4 * width)
    if values.ndim == 1 or values.flags.c_contiguous:
        flat = values.reshape(-1)
        for start in range(0, len(flat) - width + 1, step):
            yield flat[start : start + step + width - 1].astype(np.float64)
        return
    # Rows by rows, so that no copy of the whole is made.
    inner = int(np.prod(values.shape[1:]))
    back = -(-(width - 1) // inner)
    rows = max(1, step // inner)
    for start in range(0, len(values), rows):
        part = np.ascontiguousarray(values[start : start + rows + back]).reshape(-1)
        part = part[: rows * inner + width - 1]
        if len(part) >= width:
            yield part.astype(np.float64)
