"""Hypothesis strategies for pairs of neighbouring data sets.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import quoted
from pytest_leakpro.mechanisms.pairs import Pair, checked_relation, content_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.mechanisms.pairs import Relation

__all__ = ["arrays", "tables"]

_MOST_ROWS = 10


def arrays(
    elements: SearchStrategy[Any] | Sequence[Any],
    *,
    width: int | None = None,
    min_size: int = 0,
    max_size: int = _MOST_ROWS,
    relation: Relation = "add/remove",
) -> SearchStrategy[tuple[Any, Any]]:
    """Draw pairs of neighbouring arrays, with one record a row.

    Parameters
    ----------
    elements : SearchStrategy or sequence
        What entries are: a strategy, as ``st.floats(0, 1)``, or the values that they may have.
    width : int, optional
        Entries per record, at least 1; without it a record is one entry and arrays are flat.
    min_size, max_size : int
        Records of the smaller data set at least, and of the larger at most.
    relation : {"add/remove", "replace"}
        With "add/remove" the data have one record more than the neighbour; with "replace" one
        record of the neighbour is another.

    Returns
    -------
    SearchStrategy
        Of pairs ``(data, neighbour)`` of `numpy.ndarray`, shape (n,) or (n, width).

    Raises
    ------
    LeakproError
        For sizes that leave no pair, an unknown relation, or elements that are neither.

    Examples
    --------
    >>> from hypothesis import strategies as st
    >>> pairs = arrays(st.floats(0, 1), width=2, relation="replace")
    """
    entry = _strategy(elements, "elements")
    if width is not None and width < 1:
        raise LeakproError(f"width is {width}; it must be at least 1")
    record = entry if width is None else _rows(entry, width)
    shape = (-1,) if width is None else (-1, width)

    def build(records: list[Any], changed: list[Any]) -> tuple[Any, Any]:
        # One array first, so that both are of one type, an empty one too.
        both = np.array(records + changed).reshape(shape)
        return both[: len(records)], both[len(records) :]

    return _pairs(record, build, min_size, max_size, checked_relation(relation))


def tables(
    columns: Mapping[str, SearchStrategy[Any] | Sequence[Any]],
    *,
    min_size: int = 0,
    max_size: int = _MOST_ROWS,
    relation: Relation = "add/remove",
) -> SearchStrategy[tuple[Any, Any]]:
    """Draw pairs of neighbouring tables, with one record a row.

    Parameters
    ----------
    columns : mapping of str
        To each name what its entries are: a strategy, as ``st.integers(0, 120)``, or the values
        that they may have, as ``["yes", "no"]``.
    min_size, max_size : int
        Records of the smaller data set at least, and of the larger at most.
    relation : {"add/remove", "replace"}
        As for `arrays`.

    Returns
    -------
    SearchStrategy
        Of pairs ``(data, neighbour)`` of `pandas.DataFrame` with a fresh index.

    Raises
    ------
    LeakproError
        As for `arrays`; also without columns.

    Examples
    --------
    >>> from hypothesis import strategies as st
    >>> pairs = tables({"age": st.integers(0, 120), "smoker": ["yes", "no"]})
    """
    if not isinstance(columns, Mapping) or not columns:
        raise LeakproError(
            'columns must be a mapping of names to what their entries are, as {"smoker": ["yes", '
            '"no"]}'
        )
    names = list(columns)
    record = st.tuples(*(_strategy(columns[name], f"column {quoted(name)}") for name in names))

    def build(records: list[Any], changed: list[Any]) -> tuple[Any, Any]:
        import pandas as pd

        rows = records + changed
        both = pd.DataFrame(
            {name: [row[place] for row in rows] for place, name in enumerate(names)}
        )
        parts = both.iloc[: len(records)], both.iloc[len(records) :]
        return parts[0].reset_index(drop=True), parts[1].reset_index(drop=True)

    return _pairs(record, build, min_size, max_size, checked_relation(relation))


def _rows(entry: SearchStrategy[Any], width: int) -> SearchStrategy[list[Any]]:
    """Draw records of one value and then another, or of any.

    What adds up over the entries shows most clearly for data that differ everywhere, in the same
    direction or in the opposite one.
    """
    steps = st.tuples(entry, entry, st.integers(0, width)).map(
        lambda drawn: [drawn[0]] * drawn[2] + [drawn[1]] * (width - drawn[2])
    )
    return st.one_of(steps, st.lists(entry, min_size=width, max_size=width))


def _strategy(entries: Any, what: str) -> SearchStrategy[Any]:
    if isinstance(entries, SearchStrategy):
        return entries
    if isinstance(entries, (list, tuple, range, np.ndarray)) and len(entries):
        return st.sampled_from(list(entries))
    raise LeakproError(
        f"{what} is a {type(entries).__name__}; give a strategy of Hypothesis, as st.floats(0, 1), "
        "or the values that entries may have, as [0, 1]"
    )


def _pairs(
    record: SearchStrategy[Any],
    build: Callable[[list[Any], list[Any]], tuple[Any, Any]],
    min_size: int,
    max_size: int,
    relation: Relation,
) -> SearchStrategy[tuple[Any, Any]]:
    fewest = max(1, min_size + (relation == "add/remove"))
    if min_size < 0 or max_size < fewest:
        raise LeakproError(
            f"min_size is {min_size} and max_size {max_size}: with relation={relation!r} the "
            f"larger data set has at least {fewest} records"
        )

    @st.composite
    def drawn(draw: st.DrawFn) -> tuple[Any, Any]:
        records = draw(st.lists(record, min_size=fewest, max_size=max_size))
        place = draw(st.integers(0, len(records) - 1))
        if relation == "replace":
            other = draw(record)
            assume(content_key(other) != content_key(records[place]))
            changed = [*records[:place], other, *records[place + 1 :]]
        else:
            changed = records[:place] + records[place + 1 :]
        return Pair(*build(records, changed), relation)

    return drawn()
