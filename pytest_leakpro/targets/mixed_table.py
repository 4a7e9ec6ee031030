"""Tables of mixed columns: numbers, dates, categories, and values that are missing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import quoted
from pytest_leakpro.stats.gower import MixedRows

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Kind", "MixedColumns", "MixedTable"]

Kind = Literal["number", "date", "category"]

_NAMES = {
    "number": "numbers",
    "boolean": "booleans",
    "date": "dates",
    "text": "texts",
    "label": "categories of numbers",
}
# What may stand in one column of different tables, and what it is there.
_TOGETHER: dict[frozenset[str], Kind] = {
    frozenset({"number"}): "number",
    frozenset({"number", "boolean"}): "number",
    frozenset({"boolean"}): "category",
    frozenset({"date"}): "date",
    frozenset({"text"}): "category",
    frozenset({"label"}): "category",
    frozenset({"label", "number"}): "category",
    frozenset({"label", "boolean"}): "category",
    frozenset({"label", "number", "boolean"}): "category",
    frozenset(): "category",  # missing throughout
}


@dataclass(frozen=True, repr=False, eq=False)
class MixedTable:
    """The rows of one table, coded alike in all tables that belong together.

    Attributes
    ----------
    kinds : dict
        Kind of each column, in their order.
    values : dict
        Of each column an array of shape (n,): numbers as they are and dates as seconds (float64,
        NaN where missing), categories as codes (int64, -1 where missing).
    scales : dict
        Of each column of numbers the smallest value and the range over all tables.
    """

    kinds: dict[Hashable, Kind]
    values: dict[Hashable, NDArray[Any]]
    scales: dict[Hashable, tuple[float, float]]
    n: int

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f"MixedTable({self.n} rows, {len(self.kinds)} columns)"

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """Names of the columns."""
        return tuple(self.kinds)

    def take(self, rows: NDArray[Any]) -> MixedTable:
        """Give some of the rows, by positions or by a mask."""
        values = {name: column[rows] for name, column in self.values.items()}
        n = len(np.arange(self.n)[rows])
        return MixedTable(self.kinds, values, self.scales, n)

    def scaled(self, name: Hashable) -> NDArray[np.float64]:
        """Give a column of numbers on a scale from 0 to 1; NaN where missing."""
        least, spread = self.scales[name]
        if spread == 0:
            return np.where(np.isnan(self.values[name]), np.nan, 0.0)
        scaled: NDArray[np.float64] = np.clip((self.values[name] - least) / spread, 0, 1)
        return scaled

    def missing(self, name: Hashable) -> NDArray[np.bool_]:
        """Mark where a column is missing."""
        column = self.values[name]
        return np.asarray(column < 0 if self.kinds[name] == "category" else np.isnan(column))

    def rows(self, columns: Sequence[Hashable]) -> MixedRows:
        """Give some columns as rows between which distances are taken.

        Numbers and dates are scaled by their range over all tables.
        """
        numbers = [name for name in columns if self.kinds[name] != "category"]
        codes = [name for name in columns if self.kinds[name] == "category"]
        return MixedRows(
            np.column_stack([self.scaled(name) for name in numbers])
            if numbers
            else np.empty((self.n, 0)),
            np.column_stack([self.values[name] for name in codes])
            if codes
            else np.empty((self.n, 0), dtype=np.int64),
        )


class MixedColumns:
    """How the columns of tables that belong together are read.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        The tables by what messages call them, each with the same columns; the order may differ.

    Raises
    ------
    LeakproError
        Where a column holds different things in different tables, infinite numbers, or values
        that are neither numbers, dates, booleans nor texts.
    """

    def __init__(self, frames: Mapping[str, Any]) -> None:
        first = next(iter(frames.values()))
        self.kinds: dict[Hashable, Kind] = {}
        self.scales: dict[Hashable, tuple[float, float]] = {}
        self._codes: dict[Hashable, dict[Any, int]] = {}
        for name in first.columns:
            columns = {table: frame[name] for table, frame in frames.items()}
            kind = _common_kind(name, columns)
            self.kinds[name] = kind
            if kind == "category":
                self._codes[name] = _coding(columns.values())
            else:
                self.scales[name] = _scale(name, columns, kind)

    def __repr__(self) -> str:
        return f"MixedColumns({len(self.kinds)} columns)"

    def encode(self, frame: Any, table: str = "a table") -> MixedTable:
        """Read a table.

        Parameters
        ----------
        frame : DataFrame
            With the columns that were learned.
        table : str
            What messages call it.

        Returns
        -------
        MixedTable
            A category that no table had before gets a code of its own.

        Raises
        ------
        LeakproError
            As for the class.
        """
        values: dict[Hashable, NDArray[Any]] = {}
        for name, kind in self.kinds.items():
            column = frame[name]
            if kind != "category":
                values[name] = _numbers(name, {table: column}, kind)[0]
                continue
            known = self._codes[name]
            codes, distinct = _distinct(column)
            # The last stands for what is missing, which has the code -1 in either coding.
            new = [*(known.get(value, len(known)) for value in distinct), -1]
            values[name] = np.array(new, dtype=np.int64)[codes]
        return MixedTable(self.kinds, values, self.scales, len(frame))


def _common_kind(name: Hashable, columns: Mapping[str, Any]) -> Kind:
    found = {
        table: _content(name, table, column)
        for table, column in columns.items()
        if column.notna().any()
    }
    kind = _TOGETHER.get(frozenset(found.values()))
    if kind is None:
        said = ", ".join(f"{_NAMES[content]} in {table}" for table, content in found.items())
        raise LeakproError(
            f"the column {quoted(name)} holds {said}: give it the same type in all tables, so that "
            "its values can be compared"
        )
    return kind


def _content(name: Hashable, table: str, column: Any) -> str:
    """Tell what a column holds."""
    import pandas as pd

    types = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype):
        within = _content(name, table, pd.Series(column.cat.categories))
        return "label" if within == "number" else within
    if types.is_object_dtype(column.dtype):
        content = pd.api.types.infer_dtype(column, skipna=True)
        by_content = {
            **dict.fromkeys(("string", "bytes"), "text"),
            **dict.fromkeys(("integer", "floating", "mixed-integer-float", "decimal"), "number"),
            "boolean": "boolean",
            **dict.fromkeys(("datetime64", "datetime", "date"), "date"),
            **dict.fromkeys(("timedelta64", "timedelta"), "number"),
        }
        if content in by_content:
            return by_content[content]
        raise LeakproError(
            f"the column {quoted(name)} of {table} holds values that are no single numbers, dates, "
            f"booleans or texts (pandas calls them {content!r}): convert it to one of these, or "
            "leave it out of all tables"
        )
    if types.is_bool_dtype(column.dtype):
        return "boolean"
    if types.is_datetime64_any_dtype(column.dtype):
        return "date"
    if types.is_complex_dtype(column.dtype):
        raise LeakproError(
            f"the column {quoted(name)} of {table} holds complex numbers: split it in two"
        )
    if types.is_numeric_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        return "number"
    if types.is_string_dtype(column.dtype):
        return "text"
    raise LeakproError(
        f"the column {quoted(name)} of {table} has the type {column.dtype}, which cannot be "
        "compared: convert it to numbers, dates or texts"
    )


def _distinct(column: Any) -> tuple[NDArray[np.intp], list[Any]]:
    """Give the distinct values of a column, and which one each cell holds; -1 where missing."""
    import pandas as pd

    codes, distinct = pd.factorize(column)
    return codes, list(distinct)


def _coding(columns: Any) -> dict[Any, int]:
    """Give the values of a category their codes, in their order where they have one."""
    distinct = {value for column in columns for value in _distinct(column)[1]}
    try:
        ordered = sorted(distinct)
    except TypeError:
        ordered = sorted(distinct, key=str)
    return {value: code for code, value in enumerate(ordered)}


def _scale(name: Hashable, columns: Mapping[str, Any], kind: Kind) -> tuple[float, float]:
    numbers = np.concatenate(_numbers(name, columns, kind))
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return 0.0, 0.0
    least = float(present.min())
    return least, float(present.max() - least)


def _numbers(name: Hashable, columns: Mapping[str, Any], kind: Kind) -> list[NDArray[np.float64]]:
    return [_as_numbers(name, table, column, kind) for table, column in columns.items()]


def _as_numbers(name: Hashable, table: str, column: Any, kind: Kind) -> NDArray[np.float64]:
    import pandas as pd

    if kind == "date":
        dates = pd.to_datetime(column.astype(object), utc=True, errors="coerce")
        times = dates.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        return _seconds(times, "datetime64[us]")
    types = pd.api.types
    if types.is_object_dtype(column.dtype):
        column = column.infer_objects()
    if types.is_timedelta64_dtype(column.dtype):
        return _seconds(column.to_numpy(dtype="timedelta64[us]"), "timedelta64[us]")
    numbers = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if np.isinf(numbers).any():
        raise LeakproError(
            f"the column {quoted(name)} of {table} holds infinite numbers, which have no distance "
            "from others: replace them, or make them missing"
        )
    return numbers


def _seconds(times: NDArray[Any], kind: str) -> NDArray[np.float64]:
    seconds = times.astype(kind).astype(np.int64) / 1e6
    seconds[np.isnat(times)] = np.nan
    return np.asarray(seconds)
