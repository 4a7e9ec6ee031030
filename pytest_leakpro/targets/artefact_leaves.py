"""Numbers and strings in whatever container, as arrays.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import types
from array import array
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import as_numpy, is_frame, is_series, is_sparse, is_tensor

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.artefact_place import Place

__all__ = ["Leaf", "leaves_of"]

_NUMBERS = (int, float, np.number, np.bool_)
# As many rows make a table; fewer are looked at one by one.
_TABLE_ROWS = 10
_LARGEST_ROW = 10_000
_LARGEST_TABLE = 1 << 26
_LONGEST_TEXT = 1 << 20


@dataclass(frozen=True, repr=False, eq=False)
class Leaf:
    """One array, or one list of strings.

    Attributes
    ----------
    place : Place
        Where it stands.
    values : ndarray or sparse matrix
        Numbers of at least one axis, or strings of dtype object on one axis.
    own : bool
        Whether it was made here, of something that is no array.
    """

    place: Place
    values: Any
    own: bool = False

    def __repr__(self) -> str:
        return f"Leaf({self.place!r}, shape={self.values.shape})"

    @property
    def is_text(self) -> bool:
        """Whether it holds strings."""
        return getattr(getattr(self.values, "dtype", None), "kind", "") == "O"


Rest = list[tuple["Place", Any]]


def leaves_of(place: Place, thing: Any) -> tuple[list[Leaf], Rest]:
    """Take a container apart.

    Parameters
    ----------
    place : Place
        Where it stands.
    thing : container
        An array, tensor, frame, list, dictionary, string …

    Returns
    -------
    leaves : list of Leaf
        The numbers and strings in it.
    rest : list of tuple
        ``(place, object)`` for all else in it.
    """
    if is_frame(thing):
        return _frame(place, thing)
    if is_sparse(thing):
        return [Leaf(place, thing)] if len(thing.shape) == 2 and thing.nnz else [], []
    if is_tensor(thing):
        return _array(place, as_numpy(thing), own=False)
    if is_series(thing) or not isinstance(thing, _PLAIN):
        return _series(place, thing)
    if isinstance(thing, np.ndarray):
        return _array(place, np.asarray(thing), own=False)
    if isinstance(thing, str):
        return ([_texts(place, [thing])] if 0 < len(thing) < _LONGEST_TEXT else []), []
    if isinstance(thing, (bytes, bytearray)):
        return _memory(place, [bytes(thing)]), []
    if isinstance(thing, (dict, types.MappingProxyType)):
        return _mapping(place, thing)
    if isinstance(thing, (list, tuple, set, frozenset, deque)):
        return _sequence(place, _ordered(thing))
    return _array(place, np.asarray(thing), own=False)


_PLAIN = (
    str, bytes, bytearray, dict, list, tuple, set, frozenset, deque, np.ndarray, memoryview,
    array, types.MappingProxyType,
)  # fmt: skip


def _ordered(thing: Any) -> list[Any]:
    if isinstance(thing, (set, frozenset)):
        try:
            return sorted(thing)
        except TypeError:
            pass
    return list(thing)


def _texts(place: Place, values: Sequence[Any]) -> Leaf:
    texts = np.empty(len(values), dtype=object)
    texts[:] = [str(value) for value in values]
    return Leaf(place, texts, own=True)


def _array(place: Place, values: NDArray[Any], *, own: bool) -> tuple[list[Leaf], Rest]:
    """Give an array as arrays of real numbers, or of strings."""
    kind = values.dtype.kind
    if values.size == 0 or values.ndim == 0:
        return (_array(place, values.reshape(1), own=own)) if kind in "OUS" and values.size else (
            [], []
        )  # fmt: skip
    if kind == "O":
        return _objects(place, values)
    if kind == "V" and values.dtype.names:
        leaves: list[Leaf] = []
        for name in values.dtype.names:
            leaves += _array(place.entry(name), values[name], own=own)[0]
        return leaves, []
    if kind in "US":
        flat = values.ravel().tolist()
        plain = [text.decode(errors="replace") if kind == "S" else text for text in flat]
        return [_texts(place, plain)], []
    if kind == "c":
        return [Leaf(place, values.real, own), Leaf(place, values.imag, own)], []
    return [Leaf(place, values, own)] if kind in "biuf" else [], []


def _objects(place: Place, values: NDArray[Any]) -> tuple[list[Leaf], Rest]:
    if values.ndim == 2:
        table = _columns(place, values.tolist())
        if table is not None:
            return table, []
    return _sequence(place, values.ravel().tolist())


def _frame(place: Place, frame: Any) -> tuple[list[Leaf], Rest]:
    leaves: list[Leaf] = []
    rest: Rest = []
    numeric = [getattr(kind, "kind", "O") in "biuf" for kind in frame.dtypes]
    if any(numeric):
        part = frame.loc[:, numeric]
        plain = len({*part.dtypes}) == 1 and isinstance(part.dtypes.iloc[0], np.dtype)
        table = part.to_numpy() if plain else part.to_numpy(dtype=np.float64, na_value=np.nan)
        leaves += _array(place, table, own=True)[0]
    for number, is_number in enumerate(numeric):
        if not is_number:
            rest.append((place.entry(frame.columns[number]), frame.iloc[:, number]))
    for name in ("index", "columns"):
        labels = getattr(frame, name)
        if type(labels).__name__ != "RangeIndex":
            rest.append((place.attribute(name), labels))
    return leaves, rest


def _series(place: Place, thing: Any) -> tuple[list[Leaf], Rest]:
    """Read a series, an index, or the array in one."""
    rest: Rest = []
    kind = thing.dtype
    if hasattr(kind, "categories") and hasattr(kind, "ordered"):
        return [], [(place.attribute("categories"), kind.categories)]
    if getattr(kind, "kind", "O") in "Mm":
        return [], []
    index = getattr(thing, "index", None)
    if is_series(index) and type(index).__name__ != "RangeIndex":
        rest.append((place.attribute("index"), index))
    if type(thing).__name__ == "MultiIndex":
        return [], [(place.attribute("levels"), list(thing.levels))]
    number = getattr(kind, "kind", "O") in "biuf"
    if number and not isinstance(kind, np.dtype):
        values = np.asarray(thing.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        values = np.asarray(thing if number else thing.astype(object))
    leaves, more = _array(place, values, own=True)
    return leaves, more + rest


def _mapping(place: Place, thing: Any) -> tuple[list[Leaf], Rest]:
    keys, values = list(thing.keys()), list(thing.values())
    leaves, rest = _sequence(place.part(".keys()"), keys)
    held, inside = _sequence(place, values, names=keys)
    return leaves + held, rest + inside


def _sequence(
    place: Place, items: list[Any], names: list[Hashable] | None = None
) -> tuple[list[Leaf], Rest]:
    """Read the entries of a list, or under their names those of a dictionary."""
    if not items:
        return [], []
    kinds = set(map(type, items))
    whole = place if names is None else place.part(".values()")
    if all(issubclass(kind, (*_NUMBERS, type(None))) for kind in kinds):
        return [Leaf(whole, _numeric(items), own=True)] if kinds != {type(None)} else [], []
    if all(issubclass(kind, str) for kind in kinds):
        return [_texts(whole, items)], []
    if kinds == {bytes}:
        return _memory(whole, items), []
    table = _table(whole, items, kinds)
    if table is not None:
        return table, []
    return _mixed(place, whole, items, names)


def _numeric(items: Sequence[Any]) -> NDArray[Any]:
    if any(item is None for item in items):
        return np.array([np.nan if item is None else item for item in items], dtype=np.float64)
    try:
        values = np.array(items)
    except OverflowError:
        values = np.array([float(item) for item in items])
    return values if values.dtype.kind in "biuf" else values.astype(np.float64)


def _table(place: Place, items: list[Any], kinds: set[type]) -> list[Leaf] | None:
    """Read rows of one length as one table; None where they are none."""
    if kinds <= {list, tuple}:
        lengths = set(map(len, items))
        return _columns(place, items) if len(items) > 1 and len(lengths) == 1 else None
    if len(items) < _TABLE_ROWS or len(kinds) != 1:
        return None
    if is_tensor(items[0]):
        items = [as_numpy(item) for item in items]
    if not isinstance(items[0], np.ndarray):
        return None
    shapes = {(item.shape, item.dtype.kind in "biuf") for item in items}
    size = items[0].size
    if len(shapes) > 1 or not all(numeric for _, numeric in shapes) or size < 2:
        return None
    if size > _LARGEST_ROW or size * len(items) > _LARGEST_TABLE:
        return None
    return [Leaf(place, np.stack(items), own=True)]


def _columns(place: Place, rows: list[Any]) -> list[Leaf] | None:
    """Read rows of numbers and strings column by column; None where they hold anything else."""
    numbers: list[Any] = []
    leaves: list[Leaf] = []
    for column in zip(*rows, strict=True):
        kinds = set(map(type, column))
        if all(issubclass(kind, (*_NUMBERS, type(None))) for kind in kinds):
            numbers.append(_numeric(column).astype(np.float64))
        elif all(issubclass(kind, (str, type(None))) for kind in kinds):
            texts = [text for text in column if text is not None]
            leaves.append(_texts(place, texts))
        else:
            return None
    if numbers:
        leaves.append(Leaf(place, np.column_stack(numbers), own=True))
    return leaves


def _mixed(
    place: Place, whole: Place, items: list[Any], names: list[Hashable] | None
) -> tuple[list[Leaf], Rest]:
    leaves: list[Leaf] = []
    rest: Rest = []
    numbers = [item for item in items if isinstance(item, _NUMBERS)]
    texts = [item for item in items if isinstance(item, str)]
    if len(numbers) > 1:
        leaves.append(Leaf(whole, _numeric(numbers), own=True))
    if texts:
        leaves.append(_texts(whole, texts))
    others = [
        (number, item)
        for number, item in enumerate(items)
        if item is not None and not isinstance(item, (str, *_NUMBERS))
    ]
    # The name beside a step of a pipeline is no way of its own.
    alone = names is None and len(others) == 1 and len(items) <= 3 and bool(texts)
    for number, item in others:
        if alone:
            rest.append((place, item))
        else:
            rest.append((place.item(number) if names is None else place.entry(names[number]), item))
    return leaves, rest


def _memory(place: Place, items: Sequence[bytes]) -> list[Leaf]:
    """Read bytes as numbers of the types that records are kept in."""
    sizes = set(map(len, items))
    if len(sizes) > 1:
        return [leaf for item in items for leaf in _memory(place, [item])]
    size = sizes.pop()
    if size < 2 or size * len(items) > _LARGEST_TABLE * 8:
        return []
    joined = b"".join(items)
    return [
        Leaf(place, np.frombuffer(joined, dtype=kind).reshape(len(items), -1), own=True)
        for kind in (np.uint8, np.float32, np.float64)
        if size % np.dtype(kind).itemsize == 0 and size > np.dtype(kind).itemsize
    ]
