"""Names and numbers of people that a fitted object holds, such as in the vocabulary of an encoder.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.artefact.record_forms import numeric_table
from pytest_leakpro.attacks.artefact.record_search import Hit, beyond_chance
from pytest_leakpro.targets.containers import concatenate, is_frame, is_sparse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.artefact_leaves import Leaf
    from pytest_leakpro.targets.records import Records

__all__ = ["Identifiers", "read_identifiers", "search_identifiers"]

_DISTINCT = 0.9
_LEAST = 10
_SHORTEST = 3
_MOST_COLUMNS = 256
_LONGEST = 1000  # of a string that is read word by word
_WORDS = re.compile(r"[^\s,;:()<>\"'\[\]{}|]+")
_PLAIN_WORDS = re.compile(r"\w+")
_YEAR = re.compile(r"(19|20)\d\d")


@dataclass(frozen=True, repr=False, eq=False)
class Identifiers:
    """What tells single units of both sides apart, column by column.

    Attributes
    ----------
    texts : dict of str to dict
        Of each column, the records that a string in lower case stands for.
    numbers : dict of str to ndarray
        Of each column of whole numbers, one per record; NaN where there is none.
    words : frozenset of str
        All strings of the records in lower case: nothing that is shown may hold one.
    n_members : int
        How many records are members.
    n : int
        How many there are.
    """

    texts: dict[str, dict[str, list[int]]]
    numbers: dict[str, NDArray[np.float64]]
    words: frozenset[str]
    n_members: int
    n: int

    def __repr__(self) -> str:
        return f"Identifiers(texts={len(self.texts)}, numbers={len(self.numbers)})"


def read_identifiers(members: Records, nonmembers: Records) -> Identifiers:
    """Find the columns that tell nearly everybody apart.

    A column does where at least 90 % of the values of both sides are different. Of texts, words
    with an ``@`` or at least four digits count beside the whole, where only one unit has them.
    Person ids that were given as groups count as a column.
    """
    sides = (members, nonmembers)
    n = sum(map(len, sides))
    units = np.concatenate([members.units.codes, nonmembers.units.codes + len(members.units)])
    texts: dict[str, dict[str, list[int]]] = {}
    figures: dict[str, NDArray[np.float64]] = {}
    words: set[str] = set()
    together = concatenate([side.inputs for side in sides])
    for name, strings in _string_columns(together, sides):
        words.update(text.lower() for text in strings if text is not None)
        named = _of_one_unit(enumerate(strings), units)
        if _tells_apart(named, sum(text is not None for text in strings), units):
            texts[name] = named
        marked = _of_one_unit(_marked_words(strings), units)
        if marked:
            texts[f"words of {name}"] = marked
            words.update(marked)
    for name, column in _number_columns(together, sides):
        known = column[np.isfinite(column)]
        distinct = len(np.unique(known))
        whole = bool((known == np.floor(known)).all())
        if whole and distinct >= max(_LEAST, _DISTINCT * min(len(known), len(np.unique(units)))):
            figures[name] = column
    return Identifiers(texts, figures, frozenset(words), len(members), n)


def _string_columns(
    together: Any, sides: Sequence[Records]
) -> Iterator[tuple[str, list[str | None]]]:
    if is_frame(together):
        for place, kind in enumerate(together.dtypes):
            if getattr(kind, "kind", "O") == "O":
                name = f"the column {together.columns[place]!s}"
                yield name, _strings(together.iloc[:, place].astype(object).tolist())
    elif isinstance(together, list):
        if all(isinstance(item, str) for item in together):
            yield "the texts", _strings(together)
    elif isinstance(together, np.ndarray) and together.dtype.kind in "OU" and together.ndim <= 2:
        for place, column in enumerate(together.reshape(len(together), -1).T):
            yield f"the column {place}", _strings(column.tolist())
    ids = _person_ids(sides)
    if any(isinstance(value, str) for value in ids):
        yield "groups", _strings(ids)


def _strings(values: list[Any]) -> list[str | None]:
    return [value if isinstance(value, str) and value.strip() else None for value in values]


def _person_ids(sides: Sequence[Records]) -> list[Any]:
    return [
        value
        for side in sides
        if side.units.grouped
        for value in np.asarray(side.units.ids, dtype=object)[side.units.codes].tolist()
    ]


def _number_columns(
    together: Any, sides: Sequence[Records]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    table = None if is_sparse(together) else numeric_table(together)
    if table is not None and table.shape[1] <= _MOST_COLUMNS:
        names = (
            [
                str(name)
                for name, kind in zip(together.columns, together.dtypes, strict=True)
                if getattr(kind, "kind", "O") in "biuf"
            ]
            if is_frame(together)
            else list(map(str, range(table.shape[1])))
        )
        for name, column in zip(names, table.T, strict=True):
            yield f"the column {name}", np.asarray(column, dtype=np.float64)
    ids = _person_ids(sides)
    if ids and all(isinstance(value, int) for value in ids):
        yield "groups", np.array(ids, dtype=np.float64)


def _of_one_unit(
    named: Iterator[tuple[int, str | None]] | enumerate[str | None], units: NDArray[np.intp]
) -> dict[str, list[int]]:
    """Give the records of each string that but one unit has."""
    records: dict[str, list[int]] = {}
    for record, text in named:
        if text is not None and len(text) >= _SHORTEST:
            records.setdefault(text.strip().lower(), []).append(record)
    return {text: held for text, held in records.items() if len(set(units[held].tolist())) == 1}


def _tells_apart(named: dict[str, list[int]], n_given: int, units: NDArray[np.intp]) -> bool:
    return len(named) >= max(_LEAST, _DISTINCT * min(n_given, len(np.unique(units))))


def _marked_words(strings: Sequence[str | None]) -> Iterator[tuple[int, str]]:
    for record, text in enumerate(strings):
        # A string of one word is its own mark.
        if text is not None and len(text.split()) > 1:
            for word in {*_WORDS.findall(text), *_PLAIN_WORDS.findall(text)}:
                bare = word.strip(".!?")
                if "@" in bare[1:-1] or _many_digits(bare):
                    yield record, bare


def _many_digits(word: str) -> bool:
    return sum(map(str.isdigit, word)) >= 4 and not _YEAR.fullmatch(word)


def search_identifiers(known: Identifiers, leaves: Sequence[Leaf]) -> list[Hit]:
    """Look for identifiers in every array and list of a fitted object.

    A string counts wherever it stands. Whole numbers stand in many an array: they count where
    nearly all values of an array, or of a column of a table, are those of one side, and numbers
    drawn from the same range would not be.

    Parameters
    ----------
    known : Identifiers
        Of both sides.
    leaves : sequence of Leaf
        Of the artefact.

    Returns
    -------
    list of Hit
        With the column as the form.
    """
    hits: list[Hit] = []
    columns = [
        (name, values, _sides(values, known.n_members)) for name, values in known.numbers.items()
    ]
    for leaf in leaves:
        if leaf.is_text:
            hits += _strings_in(known, leaf)
        elif not is_sparse(leaf.values):
            for name, values, sides in columns:
                found = _numbers_in(values, sides, leaf.values)
                if found.any():
                    hits.append(Hit(leaf.place, f"by {name}", found))
    return hits


def _strings_in(known: Identifiers, leaf: Leaf) -> Iterator[Hit]:
    if not known.texts:
        return
    held = {text.strip().lower() for text in leaf.values.tolist()}
    for text in [text for text in held if len(text) <= _LONGEST and len(text.split()) > 1]:
        held.update(word.strip(".!?") for word in _WORDS.findall(text))
    for name, records in known.texts.items():
        fewer, more = (held, records) if len(held) < len(records) else (records, held)
        found = np.zeros(known.n, dtype=bool)
        for text in fewer:
            if text in more:
                found[records[text]] = True
        if found.any():
            yield Hit(leaf.place, f"by {name}", found)


def _sides(values: NDArray[np.float64], n_members: int) -> list[NDArray[np.float64]]:
    """Give the different numbers of each side, sorted."""
    sides = values[:n_members], values[n_members:]
    return [np.unique(side[np.isfinite(side)]) for side in sides]


def _numbers_in(
    values: NDArray[np.float64], sides: Sequence[NDArray[np.float64]], array: NDArray[Any]
) -> NDArray[np.bool_]:
    found = np.zeros(len(values), dtype=bool)
    if array.size < _LEAST:
        return found
    lists = [array.reshape(-1)] if array.ndim == 1 else []
    if array.ndim == 2 and array.shape[0] >= _LEAST and array.shape[1] <= _MOST_COLUMNS:
        lists = list(array.T)
    for side in sides:
        for column in lists:
            if len(side) >= _LEAST and _are_ids(column, side):
                found |= np.isin(values, column) & np.isin(values, side)
    return found


def _are_ids(column: NDArray[Any], known: NDArray[np.float64]) -> bool:
    """Tell whether the numbers of an array are ids of one side, and no others."""
    if np.isin(column[:16], known).mean() < 0.75:
        return False
    held = np.unique(column[np.isfinite(column)].astype(np.float64))
    hits = int(np.isin(held, known).sum())
    if hits < _LEAST or hits < 0.95 * len(held):
        return False
    low, high = held[0], held[-1]
    among = int(((known >= low) & (known <= high)).sum())
    return beyond_chance(hits, len(held), among / (high - low + 1))
