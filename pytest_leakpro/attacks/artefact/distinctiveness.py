"""How unlikely it is that numbers found somewhere equal a record's by chance.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.artefact.record_form import RecordForm

__all__ = ["Distinctiveness"]

_MOST_COLUMNS = 256
_MOST_PAIRED = 64
_SAMPLE = 20_000  # records of which values are counted
_SAMPLE_OF_PAIRS = 5000
_MOST_PAIRS = 1 << 20
_NEIGHBOURS = 4
_MOST_BITS = 18.0
_ENOUGH = 240.0  # bits, on average: no search asks for a third of that


@dataclass(frozen=True, repr=False, eq=False)
class Distinctiveness:
    """What each number of a record tells.

    Attributes
    ----------
    columns : ndarray of int, shape (c,)
        The columns that tell most, without those that follow from others.
    told : ndarray of float32, shape (n, c)
        Of each record and column minus log2 of the chance of the number that stands there, in bits.
    bits : ndarray of float64, shape (n,)
        The information of each record, in bits.
    """

    columns: NDArray[np.intp]
    told: NDArray[np.float32]
    bits: NDArray[np.float64]

    @property
    def entropy(self) -> NDArray[np.float64]:
        """The mean information of each column, in bits, shape (c,)."""
        return np.asarray(self.told.mean(axis=0, dtype=np.float64))

    @classmethod
    def of(cls, form: RecordForm, rng: np.random.Generator) -> Distinctiveness:
        """Count the values of both sides.

        A column of measurements tells no more than how finely numbers are compared, and no more
        than their spacing: at most 18 bits each.
        """
        if form.sparse:
            return _of_sparse(form)
        places = np.arange(form.width)
        if form.width > _MOST_COLUMNS:
            places = np.sort(rng.choice(form.width, _MOST_COLUMNS, replace=False))
        n = len(form)
        drawn = np.sort(rng.choice(n, _SAMPLE, replace=False)) if n > _SAMPLE else np.arange(n)
        sample = form.columns(places, drawn)
        kept = _independent(sample, rng)
        scales = [
            _Column(sample[:, column], form.tolerance, float(form.typical[places[column]]))
            for column in kept.tolist()
        ]
        means = np.array([scale.told(scale.sample).mean() for scale in scales])
        best = np.argsort(-means, kind="stable")
        best = best[: int(np.searchsorted(np.cumsum(means[best]), _ENOUGH)) + 1]
        told = np.empty((n, len(best)), dtype=np.float32)
        everyone = np.arange(n)
        for number, choice in enumerate(best.tolist()):
            values = form.columns(places[kept[[choice]]], everyone)[:, 0]
            told[:, number] = scales[choice].told(values)
        return cls(places[kept[best]].astype(np.intp), told, told.sum(axis=1, dtype=np.float64))


def _of_sparse(form: RecordForm) -> Distinctiveness:
    """Count only which columns a record has, not what stands in them."""
    n = len(form)
    share = np.maximum(np.bincount(form.table.indices, minlength=form.width), 1) / n
    bits = np.minimum(-np.log2(share), _MOST_BITS)
    columns = np.argsort(-share * bits, kind="stable")[:_MOST_COLUMNS].astype(np.intp)
    held = form.table[:, columns].toarray() != 0
    told = np.where(held, bits[columns], 0.0).astype(np.float32)
    total = np.asarray((form.table != 0) @ bits, dtype=np.float64)
    return Distinctiveness(columns, told, total)


class _Column:
    """What values of a column tell, from how many of a sample lie beside them."""

    def __init__(self, sample: NDArray[np.float64], tolerance: float, size: float) -> None:
        self.sample, self._tolerance, self._size = sample, tolerance, size
        known = sample[np.isfinite(sample)]
        self._ranked = np.sort(known)
        self._values, self._first, self._counts = np.unique(
            self._ranked, return_index=True, return_counts=True
        )
        gaps = np.diff(self._values)
        self._spacing = float(np.quantile(gaps, 0.05)) if len(gaps) else 0.0
        self._discrete = 2 * len(self._values) < len(known)
        self._missing = max(len(sample) - len(known), 1) / len(sample)
        # Never more than the tolerance allows, were the numbers spread evenly.
        self._most = min(_MOST_BITS, -np.log2(2 * tolerance))

    def told(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the information of each value in bits, shape (n,)."""
        n, last = len(self.sample), len(self._ranked) - 1
        if last < 0:
            return np.zeros(len(values))
        at = np.minimum(np.searchsorted(self._values, values), len(self._values) - 1)
        count = np.where(self._values[at] == values, self._counts[at], 0)
        grain = np.maximum(2 * self._tolerance * (np.abs(values) + self._size), self._spacing)
        below = self._ranked[np.clip(self._first[at] - _NEIGHBOURS, 0, last)]
        above = self._ranked[np.clip(self._first[at] + _NEIGHBOURS, 0, last)]
        with np.errstate(invalid="ignore", divide="ignore"):
            near = (2 * _NEIGHBOURS + 1) / n * grain / (above - below)
        near = np.where(np.isfinite(near), near, 0.0)
        # Of a measurement that comes up but once only its neighbours tell how rare it is.
        repeated = (count > 1) | self._discrete | (near == 0)
        share = np.maximum(near, np.where(repeated, np.maximum(count, 1) / n, 0.0))
        # Ends of a scale are numbers that stand everywhere.
        share = np.where(~repeated & np.isin(values, (-1.0, 0.0, 1.0)), 1.0, share)
        share = np.where(np.isfinite(values), share, self._missing)
        return np.asarray(np.clip(-np.log2(np.minimum(share, 1.0)), 0.0, self._most))


def _independent(table: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Leave out columns whose values follow from another's, shape (c,).

    That is where both have the same order, where codes stand for codes, and but one of indicators
    of which a record has at most one.
    """
    known: set[bytes] = set()
    kept: list[int] = []
    codes: dict[int, NDArray[np.intp]] = {}
    n = len(table)
    for column in range(table.shape[1]):
        distinct, ranks = np.unique(table[:, column], return_inverse=True)
        if len(distinct) < 2:
            continue
        signs = {_digest(ranks), _digest(len(distinct) - 1 - ranks)}
        discrete = 2 * len(distinct) < n
        if discrete:
            signs.add(_digest(_by_appearance(ranks)))
        if known & signs:
            continue
        known |= signs
        kept.append(column)
        if discrete:
            codes[column] = ranks
    dropped = _determined(codes, rng) | _exclusive(codes)
    return np.array([column for column in kept if column not in dropped], dtype=np.intp)


def _digest(ranks: NDArray[np.intp]) -> bytes:
    return blake2b(np.ascontiguousarray(ranks).tobytes(), digest_size=16).digest()


def _by_appearance(ranks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give values numbers in the order in which they come up."""
    _, first, inverse = np.unique(ranks, return_index=True, return_inverse=True)
    turn = np.empty(len(first), dtype=np.intp)
    turn[np.argsort(first)] = np.arange(len(first))
    return turn[inverse]


def _determined(codes: dict[int, NDArray[np.intp]], rng: np.random.Generator) -> set[int]:
    """Give the columns of few values that are a function of one other column of few values."""
    finer = sorted(codes, key=lambda column: -int(codes[column].max()))[:_MOST_PAIRED]
    if not finer:
        return set()
    n = len(codes[finer[0]])
    few = n > _SAMPLE_OF_PAIRS
    sample = rng.choice(n, _SAMPLE_OF_PAIRS, replace=False) if few else np.arange(n)
    drawn = [codes[column][sample] for column in finer]
    sizes = [int(values.max()) + 1 for values in drawn]
    held = [np.count_nonzero(np.bincount(values)) for values in drawn]
    dropped: set[int] = set()
    for place, column in enumerate(finer):
        for other in range(place):
            if finer[other] in dropped or sizes[other] * sizes[place] > _MOST_PAIRS:
                continue
            both = drawn[other] * sizes[place] + drawn[place]
            pairs = np.count_nonzero(np.bincount(both))
            if pairs == held[other] and 2 * held[other] < len(sample):
                dropped.add(column)
                break
    return dropped


def _exclusive(codes: dict[int, NDArray[np.intp]]) -> set[int]:
    """Of indicators of which a record has at most one keep all but one, which follows from them."""
    groups: list[NDArray[np.bool_]] = []
    last: list[tuple[int, int]] = []
    for column, values in codes.items():
        if values.max() != 1:
            continue
        rare = values == (0 if values.mean() > 0.5 else 1)
        for number, taken in enumerate(groups):
            if not (taken & rare).any():
                groups[number] = taken | rare
                last[number] = (column, last[number][1] + 1)
                break
        else:
            groups.append(rare)
            last.append((column, 1))
    return {column for column, size in last if size > 1}
