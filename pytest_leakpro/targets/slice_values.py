"""The values that records are sliced by, as users give them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.targets.containers import is_frame, is_missing, kind_of
from pytest_leakpro.targets.labels import label_values

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

__all__ = ["label_codes", "read_slicings"]

MISSING = "missing"
MOST_NUMBERS = 12
MOST_SLICES = 50
_LONGEST = 40

Side = tuple[str, Any, int]


def read_slicings(given: Any, sides: Sequence[Side]) -> dict[str, tuple[list[Any], ...]]:
    """Read one value per record of each side, for each slicing.

    Parameters
    ----------
    given : mapping or sequence
        From names to a container of values per side (the container itself where there is one side),
        a function of X, or the name of a column of X; or the names of columns.
    sides : sequence of tuple
        Each with its name for messages, its X, and its number of records.

    Returns
    -------
    dict
        Per slicing a list of plain values per side; values may be missing.

    Raises
    ------
    LeakproError
        For whatever else is given, an unknown column, a function that fails, or values that are
        not one per record.
    """
    if isinstance(given, Mapping):
        wanted = dict(given)
    elif isinstance(given, (list, tuple)) and all(isinstance(name, str) for name in given):
        wanted = {name: name for name in given}
        if len(wanted) < len(given):
            raise LeakproError("slices: a column is named twice")
    else:
        raise LeakproError(
            f"slices is a {type(given).__name__}: give a dictionary such as "
            f'{{"sex": {_form(sides)}}}, or a list of columns of X such as ["sex", "age_band"]'
        )
    if not wanted:
        raise LeakproError("slices: nothing to slice by: give at least one name, or leave it out")
    return {_checked(name): _read(name, value, sides) for name, value in wanted.items()}


def _form(sides: Sequence[Side]) -> str:
    if len(sides) == 1:
        return "values"
    return f"({', '.join(f'values of the {side}' for side, _, _ in sides)})"


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise LeakproError(
            f"slices: a name is a {type(name).__name__}: give a text to call the slices by"
        )
    if not name.isprintable() or len(name) > _LONGEST:
        raise LeakproError(
            f"slices: a name is one line of at most {_LONGEST} printable characters, not "
            f"{printable(name, _LONGEST)!r}"
        )
    return name


def _read(name: str, given: Any, sides: Sequence[Side]) -> tuple[list[Any], ...]:
    if isinstance(given, str):
        parts = [_column(name, given, side, inputs) for side, inputs, _ in sides]
    elif callable(given):
        parts = [_called(name, given, side, inputs) for side, inputs, _ in sides]
    elif len(sides) == 1:
        parts = [given]
    elif isinstance(given, (tuple, list)) and len(given) == len(sides):
        parts = list(given)
    else:
        raise LeakproError(
            f"slices, {name}: a {type(given).__name__}: give a pair {_form(sides)}, a function of "
            "X, or the name of a column of X"
        )
    return tuple(
        _values(name, part, side, n_records)
        for part, (side, _, n_records) in zip(parts, sides, strict=True)
    )


def _column(name: str, column: str, side: str, inputs: Any) -> Any:
    if not is_frame(inputs):
        raise LeakproError(
            f"slices, {name}: {printable(column, _LONGEST)!r} is to be a column, but X of the "
            f"{side} is no DataFrame (a {type(inputs).__name__}): give the values instead"
        )
    columns = list(inputs.columns)
    if column not in columns:
        hint = nearest_match(column, [entry for entry in columns if isinstance(entry, str)])
        raise LeakproError(
            f"slices, {name}: X of the {side} has no column {printable(column, _LONGEST)!r}{hint}; "
            "what is no column of X is given as values"
        )
    return inputs[column]


def _called(name: str, function: Any, side: str, inputs: Any) -> Any:
    try:
        return function(inputs)
    except Exception as error:
        raise LeakproError(
            f"slices, {name}: the function raised {type(error).__name__} on X of the {side}; its "
            "own error stands above"
        ) from error


def _values(name: str, given: Any, side: str, n_records: int) -> list[Any]:
    where = f"slices, {name}, values of the {side}"
    given = list(given) if isinstance(given, tuple) else given
    if kind_of(given) in (None, "sparse matrix"):
        raise LeakproError(
            f"{where}: a {type(given).__name__}: give one value per record, as an array, a Series "
            "or a list"
        )
    values = label_values(given, where, "values", missing=True)
    if len(values) != n_records:
        raise LeakproError(
            f"{where}: {len(values):,} values for {n_records:,} records: give one value per record"
        )
    return values


def label_codes(
    values: Mapping[str, tuple[list[Any], ...]],
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[NDArray[np.intp], ...]]]:
    """Name the values, and say which each record has.

    Parameters
    ----------
    values : mapping
        Of `read_slicings`.

    Returns
    -------
    tuple of dict
        Per slicing the labels in order, that of missing values last; and per side the place of each
        record's label among them.

    Raises
    ------
    LeakproError
        For numbers of many values, more slices than can be told apart, or values that are no
        labels or read alike. No message quotes a value.
    """
    labels: dict[str, tuple[str, ...]] = {}
    codes: dict[str, tuple[NDArray[np.intp], ...]] = {}
    n_slices = 0
    for name, sides in values.items():
        distinct = _distinct(name, [value for side in sides for value in side])
        n_slices += len(distinct)
        if n_slices > MOST_SLICES:
            raise LeakproError(
                f"slices: more than {MOST_SLICES} in all, {len(distinct):,} of them of {name}: "
                "every one costs chances of a PASS, so join values into larger groups"
            )
        places = {value: place for place, value in enumerate(distinct)}
        labels[name] = tuple(_text(value) for value in distinct)
        if len(set(labels[name])) < len(distinct):
            raise LeakproError(
                f"slices, {name}: different values read alike, such as 1 and '1': give them in "
                "one type, and tell them apart within the first "
                f"{_LONGEST} characters"
            )
        codes[name] = tuple(
            np.fromiter((places[_key(value)] for value in side), np.intp, len(side))
            for side in sides
        )
    return labels, codes


def _key(value: Any) -> Hashable:
    # A value that is missing equals no other, not even itself.
    key: Hashable = MISSING if is_missing(value) else value
    return key


def _distinct(name: str, values: list[Any]) -> list[Any]:
    try:
        found: list[Any] = list(dict.fromkeys(map(_key, values)))
    except TypeError:
        raise LeakproError(
            f"slices, {name}: a value is of a type that cannot be compared: give numbers or texts"
        ) from None
    present = [value for value in found if value != MISSING]
    if len(present) > MOST_NUMBERS and all(map(_is_number, present)):
        raise LeakproError(
            f"slices, {name}: {len(present):,} different numbers make no slices: cut them into "
            'bands, as with pandas.cut(ages, [0, 40, 65, 120], labels=["<40", "40-64", "65+"])'
        )
    try:
        present = sorted(present)
    except TypeError:
        present = sorted(present, key=_text)
    return present + [MISSING] * (len(present) < len(found))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers becomes floats where some are missing
    return printable(str(value).strip() or repr(value), _LONGEST)
