"""Copies of records that differ from them a little, and how often a model labels these rightly.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.perturbing import (
    Movable,
    is_image,
    movable_of,
    perturbed,
)
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.augmentations import MovedPixels
from pytest_leakpro.targets.containers import is_tensor, row_shape, take
from pytest_leakpro.targets.readings import Reading
from pytest_leakpro.targets.signals import RegressionSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["Copies", "CopyChoice", "GivenCopies", "NoisyCopies", "RightVotes", "ShiftedCopies"]

_CELLS = 1 << 22  # numbers that are sent to a model at a time


@dataclass(frozen=True)
class Copies(ABC):
    """A way to copy records; the same for every record, member or not."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, ...]:
        """How many copies there are of each kind, from the slightest change to the largest."""

    @abstractmethod
    def make(self, records: Records) -> Iterator[tuple[int, Records]]:
        """Give each copy of the records, with its kind."""


@dataclass(frozen=True)
class NoisyCopies(Copies):
    """Copies of tables with noise on their numbers.

    Attributes
    ----------
    numbers : Movable
        Which, and in what units.
    noise : tuple of float
        Standard deviations of the noise, in those units.
    count : int
        Copies for each.
    seed : int
        Of the draws, which are the same for all records and models.
    """

    numbers: Movable
    noise: tuple[float, ...]
    count: int
    seed: int = 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """See `Copies.sizes`."""
        return (self.count,) * len(self.noise)

    def make(self, records: Records) -> Iterator[tuple[int, Records]]:
        """See `Copies.make`."""
        rows, at = np.arange(len(records)), self.numbers.matrix(records.inputs)
        rng = np.random.default_rng(self.seed)
        for kind, spread in enumerate(self.noise):
            for _ in range(self.count):
                step = spread * self.numbers.scale * rng.normal(size=len(self.numbers))
                moved = self.numbers.clip(at + step, at)
                yield kind, perturbed(records, rows, moved, self.numbers)


@dataclass(frozen=True)
class ShiftedCopies(Copies):
    """Copies of images, shifted by some pixels (edges are repeated) or mirrored.

    Attributes
    ----------
    shift : int
        The most pixels, in both directions together.
    flip : bool
        Whether one is mirrored left to right.
    """

    shift: int
    flip: bool

    @property
    def sizes(self) -> tuple[int, ...]:
        """See `Copies.sizes`."""
        return tuple(4 * size for size in range(1, self.shift + 1)) + (1,) * self.flip

    def make(self, records: Records) -> Iterator[tuple[int, Records]]:
        """See `Copies.make`."""
        for size in range(1, self.shift + 1):
            for across in range(-size, size + 1):
                for down in {size - abs(across), abs(across) - size}:
                    moved = _pick(records.inputs, down, across, mirrored=False)
                    yield size - 1, replace(records, inputs=moved)
        if self.flip:
            yield self.shift, replace(records, inputs=_pick(records.inputs, 0, 0, mirrored=True))


@dataclass(frozen=True)
class GivenCopies(Copies):
    """Copies by functions of the user's, from inputs to inputs."""

    functions: tuple[Callable[[Any], Any], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """See `Copies.sizes`."""
        return (len(self.functions),)

    def make(self, records: Records) -> Iterator[tuple[int, Records]]:
        """See `Copies.make`."""
        for function in self.functions:
            yield 0, replace(records, inputs=function(records.inputs))


@dataclass(frozen=True)
class RightVotes(Reading):
    """The share of right labels: of the record itself, then of each kind of copies.

    Attributes
    ----------
    copies : Copies
        What else is asked about.
    """

    name: ClassVar[str] = "right votes"

    copies: Copies

    @property
    def width(self) -> int:
        """See `Reading.width`."""
        return 1 + len(self.copies.sizes)

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """See `Reading.read`."""
        n = len(records)
        votes = np.zeros((self.width, n))
        rows = max(1, _CELLS // max(1, int(np.prod(records.shape[1:]))))
        for start in range(0, n, rows):
            here = np.arange(start, min(start + rows, n))
            part = _part(records, here)
            votes[0, here] = _right(reader, model, part)
            for kind, copies in self.copies.make(part):
                votes[1 + kind, here] += _right(reader, model, copies)
        return np.asarray(votes / np.array([1, *self.copies.sizes])[:, None])


@dataclass(frozen=True)
class CopyChoice:
    """Which copies are made of which records.

    Attributes
    ----------
    noise, count, seed
        For tables; see `NoisyCopies`.
    shift, flip
        For images; see `ShiftedCopies`.
    """

    noise: tuple[float, ...]
    count: int
    seed: int
    shift: int
    flip: bool

    def require_valid(self, attack: str) -> None:
        """Check what a user gave.

        Raises
        ------
        LeakproError
        """
        noisy = isinstance(self.noise, tuple) and self.noise
        if not noisy or not all(_is_positive(spread) for spread in self.noise):
            raise LeakproError(
                f"{attack}: noise is {self.noise!r}: give a tuple of standard deviations above 0, "
                "in units of each column's own"
            )
        for name, value, least in (
            ("copies", self.count, 1),
            ("shift", self.shift, 1),
            ("seed", self.seed, 0),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise LeakproError(
                    f"{attack}: {name} is {value!r}: give a whole number of at least {least}"
                )
        if not isinstance(self.flip, bool):
            raise LeakproError(f"{attack}: flip is {self.flip!r}: give True or False")

    def of(self, view: MembershipView) -> Copies:
        """Give the copies that suit a target's records; augmentations given with it come first."""
        if view.augmentations:
            return GivenCopies(view.augmentations)
        if is_image(view.records("members").inputs):
            return ShiftedCopies(self.shift, self.flip)
        return NoisyCopies(movable_of(view), self.noise, self.count, self.seed)


def _is_positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value < np.inf


def _right(reader: ModelReader, model: Any, records: Records) -> NDArray[np.bool_]:
    signals = reader.signals(model, records)
    assert not isinstance(signals, RegressionSignals)
    return signals.correct


def _part(records: Records, here: NDArray[np.intp]) -> Records:
    if len(here) == len(records):
        return records
    return replace(records, inputs=take(records.inputs, here), labels=records.labels[here])


def _pick(inputs: Any, down: int, across: int, *, mirrored: bool) -> Any:
    """Shift or mirror images in whatever container."""
    shape = row_shape(inputs) or ()
    last = len(shape) == 3 and shape[-1] <= 4 < shape[0]  # channels stand last
    rows, columns = (1, 2) if last or len(shape) == 2 else (len(shape) - 1, len(shape))
    if isinstance(inputs, list):
        rows, columns = rows - 1, columns - 1
    moves = [MovedPixels(axis, by) for axis, by in ((rows, down), (columns, across)) if by]
    moves += [MovedPixels(columns)] * mirrored
    if isinstance(inputs, list):
        return [_moved(item, moves) for item in inputs]
    return _moved(inputs, moves)


def _moved(item: Any, moves: Sequence[MovedPixels]) -> Any:
    images = item if is_tensor(item) else np.asarray(item)
    for move in moves:
        images = move(images)
    return images.tolist() if isinstance(item, (list, tuple)) else images
