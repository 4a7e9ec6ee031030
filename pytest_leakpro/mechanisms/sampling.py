"""Calling a mechanism many times on two data sets.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import inspect
import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.mechanisms.pairs import content_key, shape_of
from pytest_leakpro.stats.seeding import derive_number, derive_rng

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.mechanisms.outputs import Outputs, Reader

__all__ = ["Drawn", "Mechanism", "Sampler"]

_BATCHES = 4


@dataclass(frozen=True, repr=False)
class Mechanism:
    """What is called, and how.

    Attributes
    ----------
    call : callable
        ``f(data)``, with ``rng=`` if it takes that, and with ``size=`` if it is vectorised.
    name : str
        In messages.
    takes_rng, vectorised : bool
        Which arguments it is given.
    """

    call: Callable[..., Any]
    name: str
    takes_rng: bool
    vectorised: bool

    @classmethod
    def of(cls, function: Callable[..., Any], *, vectorised: bool) -> Mechanism:
        """Look at a function: its name, and whether it takes ``rng=``.

        Raises
        ------
        LeakproError
            If it cannot be called.
        """
        if not callable(function):
            raise LeakproError(
                f"the mechanism is a {type(function).__name__}; give a function (data) -> output"
            )
        try:
            takes_rng = "rng" in inspect.signature(function).parameters
        except (TypeError, ValueError):
            takes_rng = False
        inner = getattr(function, "func", function)
        name = getattr(inner, "__name__", type(inner).__name__)
        return cls(function, "the mechanism" if name == "<lambda>" else name, takes_rng, vectorised)


@dataclass(frozen=True, repr=False)
class Drawn:
    """Outputs of both data sets, and the order in which they were asked for.

    Attributes
    ----------
    first, second : Outputs
        Of the data and of the neighbour, of the same number of calls.
    order : numpy.ndarray of int
        0 and 1 for the data set of each call, or of each batch of a vectorised mechanism.
    """

    first: Outputs
    second: Outputs
    order: NDArray[np.int64]

    def joined(self, other: Drawn) -> Drawn:
        """Put the outputs of later calls behind these."""
        return Drawn(
            self.first.joined(other.first),
            self.second.joined(other.second),
            np.concatenate([self.order, other.order]),
        )

    @property
    def tells_nothing(self) -> bool:
        """Whether both data sets gave one and the same output in every call."""
        both = self.first.joined(self.second)
        return both.constant


@dataclass(repr=False)
class Sampler:
    """Draws outputs for one pair of data sets.

    Attributes
    ----------
    mechanism : Mechanism
        What is called.
    pair : tuple
        The two data sets.
    seed : int
        Together with the names of draws, of the global generators or of ``rng=``.
    name : str
        Of the pair, the same in every run.
    reader : Reader
        Of this pair alone.
    """

    mechanism: Mechanism
    pair: tuple[Any, Any]
    seed: int
    name: str
    reader: Reader

    def draw(self, count: int, draw: str) -> Drawn:
        """Call the mechanism so many times on either data set, in random order.

        Raises
        ------
        LeakproError
            If it raises, if it changes its data, or if its outputs cannot be read.
        """
        names = (self.name, draw)
        before = [content_key(data) for data in self.pair]
        rng = derive_rng(self.seed, *names, "order")
        given = derive_rng(self.seed, *names, "rng") if self.mechanism.takes_rng else None
        with _seeded(derive_number(self.seed, *names, "global")):
            if self.mechanism.vectorised:
                order, returned = self._batches(count, rng, given)
            else:
                order, returned = self._one_by_one(count, rng, given)
        for data, key in zip(self.pair, before, strict=True):
            if content_key(data) != key:
                raise LeakproError(
                    f"{self.mechanism.name} changes the data that it is given "
                    f"({shape_of(data)}), so that its calls are not alike: let it work on a copy"
                )
        first, second = (
            self.reader.read(outputs, side)
            for outputs, side in zip(returned, ("data", "neighbour"), strict=True)
        )
        width = max(first.width, second.width)
        return Drawn(first.widened(width), second.widened(width), order)

    def _one_by_one(
        self, count: int, rng: np.random.Generator, given: np.random.Generator | None
    ) -> tuple[NDArray[np.int64], tuple[list[Any], list[Any]]]:
        order = rng.permutation(np.repeat([0, 1], count))
        options = {} if given is None else {"rng": given}
        call, pair = self.mechanism.call, self.pair
        returned: tuple[list[Any], list[Any]] = ([], [])
        side = 0
        try:
            for side in order.tolist():
                returned[side].append(call(pair[side], **options))
        except Exception as error:
            if _speaks_for_itself(error):
                raise
            raise _raised(error, self.mechanism.name, pair[side]) from error
        return order, returned

    def _batches(
        self, count: int, rng: np.random.Generator, given: np.random.Generator | None
    ) -> tuple[NDArray[np.int64], tuple[Any, Any]]:
        order = np.concatenate([rng.permutation([0, 1]) for _ in range(_BATCHES)])
        options: dict[str, Any] = {} if given is None else {"rng": given}
        returned: tuple[list[Any], list[Any]] = ([], [])  # batches
        for position, side in enumerate(order.tolist()):
            batch = position // 2
            size = (batch + 1) * count // _BATCHES - batch * count // _BATCHES
            try:
                outputs = self.mechanism.call(self.pair[side], size=size, **options)
            except Exception as error:
                if _speaks_for_itself(error):
                    raise
                raise _raised(error, self.mechanism.name, self.pair[side]) from error
            if len(outputs) != size:
                raise LeakproError(
                    f"{self.mechanism.name} returned {len(outputs):,} outputs for size={size:,}: "
                    "a vectorised mechanism returns one output per unit of size, along its first "
                    "axis"
                )
            returned[side].append(outputs)
        first, second = map(_joined, returned)
        return order, (first, second)


def _joined(batches: list[Any]) -> Any:
    """Join batches to one array where they are alike, else to a list of outputs."""
    arrays = all(isinstance(batch, np.ndarray) for batch in batches)
    if arrays and len({batch.shape[1:] for batch in batches}) == 1:
        return np.concatenate(batches)
    return [output for batch in batches for output in batch]


def _speaks_for_itself(error: Exception) -> bool:
    # assume() in a mechanism speaks to Hypothesis.
    return isinstance(error, LeakproError) or type(error).__module__.startswith("hypothesis")


def _raised(error: Exception, name: str, data: Any) -> LeakproError:
    # Without the error's own message, which may quote a record; the cause shows it.
    return LeakproError(
        f"{name} raised {type(error).__name__} on {shape_of(data)}; its own error stands above. If "
        "it need not take such data, draw others"
    )


@contextmanager
def _seeded(number: int) -> Iterator[None]:
    """Seed the global generators of Python and numpy, and put them back afterwards."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
