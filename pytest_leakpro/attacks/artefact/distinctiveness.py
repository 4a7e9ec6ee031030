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
_SAMPLE = 5000
_NEIGHBOURS = 4


@dataclass(frozen=True, repr=False, eq=False)
class Distinctiveness:
    """What each number of a record tells.

    Attributes
    ----------
    columns : ndarray of int, shape (c,)
        Columns that count: those that follow from others are left out, and of very many a part.
    bits : ndarray of float64, shape (n,)
        The information of each record, minus log2 of the chance of its numbers, in bits.
    entropy : ndarray of float64, shape (c,)
        The mean of that over the records, column by column.
    """

    columns: NDArray[np.intp]
    bits: NDArray[np.float64]
    entropy: NDArray[np.float64]

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
        everyone = np.arange(len(form))
        table = form.columns(places, everyone)
        # Never more than the tolerance allows, were the numbers spread evenly.
        most = min(18.0, -np.log2(2 * form.tolerance))
        kept = _independent(table, rng)
        bits, entropy = np.zeros(len(form)), np.zeros(len(kept))
        for number, column in enumerate(kept):
            size = form.typical[places[column]]
            told = np.minimum(_column_bits(table[:, column], form.tolerance, size), most)
            bits += told
            entropy[number] = told.mean()
        return cls(places[kept].astype(np.intp), bits, entropy)


def _of_sparse(form: RecordForm) -> Distinctiveness:
    """Count only which columns a record has, not what stands in them."""
    n = len(form)
    share = np.maximum(np.bincount(form.table.indices, minlength=form.width), 1) / n
    told = np.minimum(-np.log2(share), 18.0)
    bits = np.zeros(n)
    np.add.at(bits, np.repeat(np.arange(n), np.diff(form.table.indptr)), told[form.table.indices])
    columns = np.argsort(-share * told)[:_MOST_COLUMNS].astype(np.intp)
    return Distinctiveness(columns, bits, (share * told)[columns])


def _column_bits(values: NDArray[np.float64], tolerance: float, size: float) -> NDArray[np.float64]:
    """Give the information of each value, from how many lie beside it, shape (n,)."""
    n = len(values)
    order = np.argsort(values, kind="stable")  # missing ones last, as one value
    ranked = values[order]
    ranked = np.where(np.isfinite(ranked), ranked, np.nan)
    steps = np.diff(ranked)
    starts = np.concatenate(
        [[True], (steps != 0) & ~(np.isnan(ranked[1:]) & np.isnan(ranked[:-1]))]
    )
    group = np.cumsum(starts) - 1
    count = np.bincount(group)[group]
    gaps = steps[steps > 0]
    spacing = float(np.quantile(gaps, 0.05)) if len(gaps) else 0.0
    grain = np.maximum(2 * tolerance * (np.abs(ranked) + size), spacing)
    below = ranked[np.maximum(np.arange(n) - _NEIGHBOURS, 0)]
    above = ranked[np.minimum(np.arange(n) + _NEIGHBOURS, n - 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        near = (2 * _NEIGHBOURS + 1) / n * grain / (above - below)
    near = np.where(np.isfinite(near), near, 0.0)
    repeated = (count > 1) | (2 * int(starts.sum()) < n)
    share = np.maximum(np.where(repeated, count / n, 0.0), near)
    share = np.where((share == 0) | np.isnan(ranked), count / n, share)
    told = np.empty(n)
    told[order] = -np.log2(np.minimum(share, 1.0))
    return told


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
    sample = rng.choice(n, _SAMPLE, replace=False) if n > _SAMPLE else np.arange(n)
    drawn = [codes[column][sample] for column in finer]
    dropped: set[int] = set()
    for place, column in enumerate(finer):
        for other in range(place):
            if finer[other] in dropped:
                continue
            values = len(np.unique(drawn[other]))
            pairs = len(np.unique(drawn[other] * (int(drawn[place].max()) + 1) + drawn[place]))
            if pairs == values and 2 * values < len(sample):
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
