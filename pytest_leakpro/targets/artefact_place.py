"""Where something stands in a fitted object, written as one would get there.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterator

__all__ = ["Place"]

_SHOWN = 6
_MASK = "[…]"
# Names that a program gives, or a state dictionary; anything else may be a record's value.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}(\.[A-Za-z0-9_]{1,40})*")


class Place:
    """One step further from another place.

    The way is only written out where it is shown: objects may be nested a hundred thousand deep.

    Parameters
    ----------
    parent : Place or None
        None for the object itself.
    step : str
        The last step, such as ``".coef_"``, ``"[3]"`` or ``".keys()"``.
    key : hashable, optional
        What the step is named after, where that may be a value of a record.
    """

    __slots__ = ("depth", "head", "key", "parent", "step")

    def __init__(self, parent: Place | None = None, step: str = "", key: Hashable = None) -> None:
        self.parent, self.step, self.key = parent, step, key
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.head: tuple[Place, ...] = () if parent is None else parent.head
        if 0 < self.depth <= _SHOWN:
            self.head = (*self.head, self)

    def __repr__(self) -> str:
        return f"Place({self.text()!r})"

    def attribute(self, name: str) -> Place:
        """Go to an attribute."""
        return Place(self, f".{name}", name)

    def item(self, index: int) -> Place:
        """Go to an entry by its number."""
        return Place(self, f"[{index}]")

    def entry(self, key: Hashable) -> Place:
        """Go to an entry of a dictionary."""
        return Place(self, f"[{key!r}]" if _is_name(key) else _MASK, key)

    def part(self, step: str) -> Place:
        """Go to what a method or the like of a known name gives."""
        return Place(self, step)

    def within(self, other: Place) -> bool:
        """Tell whether the way here leads through another place, looking back a few steps."""
        return any(place is other for place in islice(self._back(), 64))

    def _back(self) -> Iterator[Place]:
        place: Place | None = self
        while place is not None:
            yield place
            place = place.parent

    def text(self, hidden: Container[str] = ()) -> str:
        """Write the way, cut in the middle where it is long.

        Parameters
        ----------
        hidden : container of str
            Values of records in lower case: no step shows one.
        """
        tail = list(islice(self._back(), _SHOWN))[::-1]
        places = [place for place in self.head if place.depth < tail[0].depth]
        gap = "…" if tail[0].depth > len(places) + 1 else ""
        before, after = (
            "".join(_written(place, hidden) for place in part) for part in (places, tail)
        )
        return (before + gap + after).removeprefix(".") or "the model"


def _is_name(key: Hashable) -> bool:
    return isinstance(key, str) and _NAME.fullmatch(key) is not None


def _written(place: Place, hidden: Container[str]) -> str:
    key = place.key
    return _MASK if isinstance(key, str) and key.lower() in hidden else place.step
