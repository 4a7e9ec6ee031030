"""Pairs of neighbouring data sets: what they are, whether they are, and how they are written.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.targets.value_keys import value_key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pair", "Relation", "as_pair", "checked_relation", "content_key", "shape_of", "written"]

Relation = Literal["add/remove", "replace"]
_MOST_SHOWN = 1500


class Pair(tuple[Any, Any]):
    """Two data sets, with the relation that is promised between them."""

    relation: Relation | None = None

    def __new__(cls, data: Any, neighbour: Any, relation: Relation | None = None) -> Pair:
        """Join two data sets."""
        pair = super().__new__(cls, (data, neighbour))
        pair.relation = relation
        return pair


def checked_relation(relation: Any) -> Relation:
    """Give the relation back if it is one.

    Raises
    ------
    LeakproError
        If it is not.
    """
    if relation not in get_args(Relation):
        raise LeakproError(
            f"relation is {printable(repr(relation), 60)}; known are 'add/remove' (one data set "
            "has one record more) and 'replace' (one record is another)"
        )
    return cast("Relation", relation)


def as_pair(drawn: Any, relation: Relation | Callable[[Any, Any], bool] | None) -> tuple[Any, Any]:
    """Check that what was drawn is a pair of neighbours, as far as it can be told.

    Parameters
    ----------
    drawn : Any
        What `neighbours` gave.
    relation : {"add/remove", "replace"}, callable or None
        What is to hold between the two, beside what the pair itself promises.

    Raises
    ------
    LeakproError
        If it is no pair, or if the relation does not hold.
    """
    if not isinstance(drawn, tuple) or len(drawn) != 2:
        raise LeakproError(
            f"neighbours gave a {type(drawn).__name__}; give pairs (data, neighbour), as the "
            "strategies tables and arrays of pytest_leakpro.strategies do"
        )
    promised = getattr(drawn, "relation", None)
    for expected in (promised, relation):
        if expected is None:
            continue
        holds = expected(*drawn) if callable(expected) else _holds(expected, *drawn)
        if not holds:
            name = repr(expected) if isinstance(expected, str) else "the given relation"
            raise LeakproError(
                f"the two data sets ({shape_of(drawn[0])}, and {shape_of(drawn[1])}) are not "
                f"neighbours by {name}: differential privacy promises nothing for them; draw "
                "pairs that differ in one record"
            )
    return drawn[0], drawn[1]


def content_key(data: Any) -> bytes | None:
    """Give a key of the content, None where it cannot be told."""
    try:
        names = [str(name) for name in getattr(data, "columns", ())]
        return value_key([names, data])
    except (LeakproError, TypeError, ValueError):
        return None


def shape_of(data: Any) -> str:
    """Say what kind of data it is and how large, and nothing of its values."""
    kind = type(data).__name__
    shape = getattr(data, "shape", None)
    if isinstance(shape, tuple):
        return f"{kind} of shape {shape}"
    try:
        return f"{kind} of length {len(data)}"
    except TypeError:
        return kind


def written(data: Any) -> str:
    """Write a data set out, one that was drawn to be shown."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        inside = ", ".join(f"{str(name)!r}: {data[name].tolist()!r}" for name in data.columns)
        text = f"DataFrame({{{inside}}})"
    else:
        text = " ".join(repr(data).split())
    return printable(text, _MOST_SHOWN)


def _holds(relation: Relation, data: Any, neighbour: Any) -> bool:
    try:
        one, two = (Counter(map(value_key, _records(part))) for part in (data, neighbour))
    except TypeError as error:
        raise LeakproError(
            f"relation={relation!r} cannot be checked on {shape_of(data)}: give arrays, tables or "
            "lists of records, or a function (data, neighbour) -> bool as relation"
        ) from error
    gone, come = (one - two).total(), (two - one).total()
    if relation == "replace":
        return (gone, come) in ((0, 0), (1, 1))
    return gone + come == 1


def _records(data: Any) -> list[Any]:
    if hasattr(data, "itertuples"):
        return [list(row) for row in data.itertuples(index=False)]
    return list(data)
