"""What a mechanism returned, many times over, as columns of numbers and of other values.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["ABSENT", "NUMBER", "Outputs", "Reader"]

NUMBER, ABSENT = 0, 1
_SPECIAL = {2: "nan", 3: "inf", 4: "-inf"}
_SHOWN = 40


@dataclass(frozen=True, repr=False)
class Outputs:
    """Outputs of a mechanism for one data set, in the order of the calls.

    Attributes
    ----------
    numbers : numpy.ndarray, shape (n, d)
        0 where an entry is not a finite number.
    tags : numpy.ndarray of int, shape (n, d)
        `NUMBER` for a finite number, `ABSENT` where an output lacks the column, another for
        every other value: nan, infinities, texts.
    """

    numbers: NDArray[np.float64]
    tags: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, places: Any) -> Outputs:
        return Outputs(self.numbers[places], self.tags[places])

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.numbers.shape[1])

    @property
    def constant(self) -> bool:
        """Whether all outputs are the same."""
        return bool(np.all(self.numbers == self.numbers[0]) and np.all(self.tags == self.tags[0]))

    def widened(self, width: int) -> Outputs:
        """Give as many columns: absent ones are added, those beyond are dropped."""
        if width <= self.width:
            return Outputs(self.numbers[:, :width], self.tags[:, :width])
        shape = (len(self), width - self.width)
        return Outputs(
            np.concatenate([self.numbers, np.zeros(shape)], axis=1),
            np.concatenate([self.tags, np.full(shape, ABSENT)], axis=1),
        )

    def joined(self, other: Outputs) -> Outputs:
        """Put the outputs of further calls behind these."""
        width = max(self.width, other.width)
        one, two = self.widened(width), other.widened(width)
        return Outputs(
            np.concatenate([one.numbers, two.numbers]), np.concatenate([one.tags, two.tags])
        )

    def keys(self) -> list[bytes]:
        """Give a key per output that is equal exactly where outputs are."""
        both = np.concatenate([self.numbers.view(np.int64), self.tags], axis=1)
        whole = np.ascontiguousarray(both).view(np.dtype((np.void, both.shape[1] * 8)))
        # As Python's bytes, which are hashed and compared quickly.
        keys: list[Any] = whole.ravel().tolist()
        return keys


@dataclass(repr=False)
class Reader:
    """Turns what a mechanism returns into columns, the same for both data sets of a pair.

    Attributes
    ----------
    columns : list of str
        How the entries of an output are called in messages, such as ``[0]``; empty for a number.
    values : list of str
        How the values of tags are written, from tag 5 on.
    """

    columns: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    _column_of: dict[tuple[Any, ...], int] = field(default_factory=dict)
    _tag_of: dict[Hashable, int] = field(default_factory=dict)
    _shapes: dict[tuple[str, tuple[Any, ...]], tuple[int, ...]] = field(default_factory=dict)

    def read(self, returned: Sequence[Any] | NDArray[Any], side: str) -> Outputs:
        """Read the outputs of one data set.

        Parameters
        ----------
        returned : sequence or numpy.ndarray
            What the mechanism returned, one per call or along the first axis, at least one.
        side : str
            Which data set, to compare lengths of arrays within it only.

        Raises
        ------
        LeakproError
            If arrays or lists change their shape from call to call, or if an output holds
            something that cannot be compared.
        """
        quick = self._quick(returned, side)
        if quick is not None:
            return quick
        rows: list[dict[int, Any]] = []
        for output in returned:
            row: dict[int, Any] = {}
            for path, value in self._entries(output, (), side):
                row[self._column(path)] = value
            rows.append(row)
        shape = (len(rows), max(1, len(self.columns)))
        numbers, tags = np.zeros(shape), np.full(shape, ABSENT)
        for place, row in enumerate(rows):
            for column, value in row.items():
                if isinstance(value, float):
                    numbers[place, column], tags[place, column] = value, NUMBER
                else:
                    tags[place, column] = self._tag(value)
        return _special_tagged(numbers, tags)

    def shown(self, tag: int) -> str:
        """Write the value of a tag."""
        if tag == ABSENT:
            return "nothing"
        return _SPECIAL.get(tag) or self.values[tag - 2 - len(_SPECIAL)]

    def _quick(self, returned: Sequence[Any] | NDArray[Any], side: str) -> Outputs | None:
        """Read numbers, or arrays of numbers, all at once."""
        if isinstance(returned, np.ndarray):
            return self._stacked(returned, side)
        kinds = set(map(type, returned))
        if all(issubclass(kind, (bool, int, float, np.number, np.bool_)) for kind in kinds):
            self._column(())
            if len(self.columns) > 1:
                return None
            try:
                numbers = np.asarray(returned, float)[:, None]
            except OverflowError:
                return None
        elif kinds == {np.ndarray}:
            shapes = {array.shape for array in returned}
            for shape in sorted(shapes):
                self._same_shape(shape, (), side)
            return self._stacked(np.stack(returned), side)
        else:
            return None
        return _special_tagged(numbers, np.full(numbers.shape, NUMBER))

    def _stacked(self, returned: NDArray[Any], side: str) -> Outputs | None:
        if returned.dtype.kind not in "biuf":
            return None
        self._same_shape(returned.shape[1:], (), side)
        numbers = returned.astype(float).reshape(len(returned), -1)
        for place in np.ndindex(returned.shape[1:]):
            self._column(place)
        # Entries are placed by their path: those of the other data set may be fewer.
        if numbers.shape[1] != len(self.columns):
            return None
        return _special_tagged(numbers, np.full(numbers.shape, NUMBER))

    def _entries(
        self, value: Any, path: tuple[Any, ...], side: str
    ) -> Iterator[tuple[tuple[Any, ...], Hashable]]:
        if isinstance(value, dict):
            for key, entry in value.items():
                yield from self._entries(entry, (*path, str(key)), side)
            return
        if hasattr(value, "__array__") and not isinstance(value, (np.generic, str)):
            array = np.asarray(value)
            self._same_shape(array.shape, path, side)
            for index in np.ndindex(array.shape):
                yield from self._entries(array[index], (*path, *index), side)
            return
        if isinstance(value, (list, tuple)):
            if isinstance(value, list):
                self._same_shape((len(value),), path, side)
            for place, entry in enumerate(value):
                yield from self._entries(entry, (*path, place), side)
            return
        yield path, _simple(value)

    def _same_shape(self, shape: tuple[int, ...], path: tuple[Any, ...], side: str) -> None:
        before = self._shapes.setdefault((side, path), shape)
        if before != shape:
            raise LeakproError(
                f"the mechanism returned arrays of different shapes, {before} and {shape}, for "
                "one and the same data set: the length alone would tell about the data; return "
                "arrays of one length (pad them), or a tuple where the length is part of the "
                "output"
            )

    def _column(self, path: tuple[Any, ...]) -> int:
        if path not in self._column_of:
            self._column_of[path] = len(self.columns)
            self.columns.append("".join(f"[{printable(str(part), _SHOWN)}]" for part in path))
        return self._column_of[path]

    def _tag(self, value: Hashable) -> int:
        # Values of different types may be equal.
        key = (type(value), value)
        if key not in self._tag_of:
            self._tag_of[key] = 2 + len(_SPECIAL) + len(self.values)
            self.values.append(printable(repr(value), _SHOWN))
        return self._tag_of[key]


def _simple(value: Any) -> Hashable:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            return str(value)
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    if isinstance(value, complex):
        return repr(value)
    if hasattr(value, "__float__") and not isinstance(value, str):
        return float(value)
    comparable: Any = type(value).__hash__
    if value is not None and (comparable is None or comparable is object.__hash__):
        raise LeakproError(
            f"the mechanism returned a {type(value).__name__}, of which two cannot be compared by "
            "value: return numbers, texts, arrays, or tuples and dictionaries of them"
        )
    return value  # type: ignore[no-any-return]


def _special_tagged(numbers: NDArray[np.float64], tags: NDArray[np.int64]) -> Outputs:
    odd = ~np.isfinite(numbers)
    if odd.any():
        tags = tags.copy()
        tags[odd] = np.where(np.isnan(numbers[odd]), 2, np.where(numbers[odd] > 0, 3, 4))
    # Zero has two signs, which are equal.
    return Outputs(np.where(odd, 0.0, numbers) + 0.0, tags)
