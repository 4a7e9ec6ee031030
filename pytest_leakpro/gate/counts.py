"""Counts: a census, in which nothing was drawn and so nothing is uncertain.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import Evidence

__all__ = ["Counts"]


@dataclass(frozen=True, repr=False)
class Counts(Evidence):
    """How many were found of all that there are.

    Parameters
    ----------
    found, of : int
        For example how many rows of a release stand in its source, of how many; ``of`` at least 1.
    control_found, control_of : int, optional
        The same against records that had no part in the release: so many are found by chance.
        Given both or neither; they are shown and decide nothing.
    name : str, optional
        What the summary calls them.

    Attributes
    ----------
    named : bool
        Whether `name` was given: it is then part of the identity in a baseline.

    Raises
    ------
    LeakproError
        Where counts are no whole numbers, or more were found than there are.

    Examples
    --------
    >>> Counts(found=3, of=1000)
    Counts(found=3, of=1000)
    """

    found: int
    of: int
    control_found: int | None
    control_of: int | None
    name: str
    named: bool
    kind: ClassVar[str] = "counts"
    noun: ClassVar[str] = "counts"
    size_names: ClassVar[tuple[str, str]] = ("counted", "control_counted")

    def __init__(
        self,
        found: int,
        of: int,
        control_found: int | None = None,
        control_of: int | None = None,
        *,
        name: str | None = None,
    ) -> None:
        if (control_found is None) != (control_of is None):
            raise LeakproError(
                "Counts: give control_found= and control_of= both, or neither of them"
            )
        object.__setattr__(self, "found", _count(found, "found", 0))
        object.__setattr__(self, "of", _count(of, "of", 1))
        _check_share("", self.found, self.of)
        for side, count, least in (
            ("control_found", control_found, 0),
            ("control_of", control_of, 1),
        ):
            object.__setattr__(self, side, None if count is None else _count(count, side, least))
        if self.control_found is not None and self.control_of is not None:
            _check_share("control_", self.control_found, self.control_of)
        object.__setattr__(self, "name", name or "counts")
        object.__setattr__(self, "named", name is not None)

    def __repr__(self) -> str:
        shown = f"found={self.found}, of={self.of}"
        if self.control_of is not None:
            shown += f", control_found={self.control_found}, control_of={self.control_of}"
        return f"Counts({shown})"

    @property
    def sizes(self) -> tuple[int, int]:
        """How many were counted, and how many of the control (0 where there is none)."""
        return self.of, self.control_of or 0

    @property
    def census(self) -> bool:
        """Everything was counted."""
        return True

    @property
    def share(self) -> float:
        """Share that was found, in [0, 1]."""
        return self.found / self.of

    @property
    def control_rate(self) -> float | None:
        """Share of the control that was found, in [0, 1]; None where there is no control."""
        if self.control_found is None or self.control_of is None:
            return None
        return self.control_found / self.control_of

    def summary(self) -> dict[str, Any]:
        """Give the counts; see `Evidence.summary`."""
        found, of = {"main": self.found}, {"main": self.of}
        if self.control_found is not None and self.control_of is not None:
            found["control"], of["control"] = self.control_found, self.control_of
        return {"kind": self.kind, "successes": found, "attempts": of, "curve": None}


def _count(value: Any, side: str, least: int) -> int:
    try:
        count = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = -1
    if count < least:
        raise LeakproError(
            f"Counts: {side} is not a whole number of at least {least}: give how many there are"
        )
    return count


def _check_share(side: str, found: int, of: int) -> None:
    if found > of:
        raise LeakproError(
            f"Counts: {side}found is {found} and {side}of {of}: no more are found than there are"
        )
