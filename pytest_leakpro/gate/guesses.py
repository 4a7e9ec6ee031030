"""Guesses: how often an attack was right about records, and how often its control was.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import numbers
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import SMALLEST_SIDE, Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.stats.guessing import Tally

__all__ = ["Guesses"]


@dataclass(frozen=True, repr=False)
class Guesses(Evidence):
    """Successes and attempts of an attack that guesses, of its control and of a naive guess.

    Parameters
    ----------
    main : pair of int
        Successes and attempts of the attack on records of the source; at least 10 attempts.
    control : pair of int
        Of the same attack on records that had no part in the release; at least 10 attempts.
    naive : pair of int, optional
        Of guesses about records of the source that saw no release.
    control_scale : float
        By what the control's rate is multiplied, at least 1: where the attack on the control had
        fewer records to be right about than that on the source. The product is at most 1.
    control_most : int, optional
        Where the control's successes are only known to lie between two counts, the larger. The
        upper bound of the control's rate is taken from it, all else from the smaller.
    name : str, optional
        What the summary calls them.

    Attributes
    ----------
    named : bool
        Whether `name` was given: it is then part of the identity in a baseline.

    Raises
    ------
    LeakproError
        Where counts are no whole numbers, more succeeded than were tried, or fewer than 10 were.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4: main, control and naive attack.

    Examples
    --------
    >>> Guesses(main=(41, 1000), control=(30, 1000), naive=(1, 1000))
    Guesses(main=(41, 1000), control=(30, 1000), naive=(1, 1000))
    """

    main: tuple[int, int]
    control: tuple[int, int]
    naive: tuple[int, int] | None
    control_scale: float
    control_most: int | None
    name: str
    named: bool
    kind: ClassVar[str] = "guesses"
    noun: ClassVar[str] = "guesses"
    size_names: ClassVar[tuple[str, str]] = ("attempts", "control_attempts")

    def __init__(
        self,
        main: Sequence[int],
        control: Sequence[int],
        naive: Sequence[int] | None = None,
        *,
        control_scale: float = 1.0,
        control_most: int | None = None,
        name: str | None = None,
    ) -> None:
        sides = {"main": _pair(main, "main"), "control": _pair(control, "control")}
        for side, (_, attempts) in sides.items():
            if attempts < SMALLEST_SIDE:
                raise LeakproError(
                    f"Guesses: {side} has {attempts} attempts; "
                    f"nothing can be said with fewer than {SMALLEST_SIDE}"
                )
        object.__setattr__(self, "main", sides["main"])
        object.__setattr__(self, "control", sides["control"])
        object.__setattr__(self, "naive", None if naive is None else _pair(naive, "naive"))
        object.__setattr__(self, "control_scale", _scale(control_scale))
        object.__setattr__(self, "control_most", _most(control_most, *sides["control"]))
        object.__setattr__(self, "name", name or "guesses")
        object.__setattr__(self, "named", name is not None)

    def __repr__(self) -> str:
        shown = f"main={self.main}, control={self.control}"
        if self.naive is not None:
            shown += f", naive={self.naive}"
        if self.control_scale != 1:
            shown += f", control_scale={self.control_scale:g}"
        if self.control_most is not None:
            shown += f", control_most={self.control_most}"
        return f"Guesses({shown})"

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of attempts of the attack and of its control."""
        return self.main[1], self.control[1]

    @property
    def main_rate(self) -> float:
        """Share of the attempts on records of the source that succeeded, in [0, 1]."""
        return self.main[0] / self.main[1]

    @property
    def control_rate(self) -> float:
        """Share of the attempts on other records that succeeded, scaled, in [0, 1]."""
        return min(1.0, self.control_scale * self.control[0] / self.control[1])

    @property
    def naive_rate(self) -> float | None:
        """Share of the guesses without a release that were right, in [0, 1]; None without any."""
        return None if self.naive is None else self.naive[0] / self.naive[1]

    @property
    def tally(self) -> Tally:
        """The counts of attack and control, for their bounds."""
        from pytest_leakpro.stats.guessing import Tally

        return Tally(*self.main, *self.control, self.control_scale, self.control_most)

    def summary(self) -> dict[str, Any]:
        """Give the counts; see `Evidence.summary`."""
        counts = {"main": self.main, "control": self.control, "naive": self.naive}
        known = {side: pair for side, pair in counts.items() if pair is not None}
        summary: dict[str, Any] = {
            "kind": self.kind,
            "successes": {side: pair[0] for side, pair in known.items()},
            "attempts": {side: pair[1] for side, pair in known.items()},
            "curve": None,
        }
        if self.control_scale != 1:
            summary["control_scale"] = self.control_scale
        if self.control_most is not None:
            summary["control_most"] = self.control_most
        return summary


def _pair(value: Any, side: str) -> tuple[int, int]:
    try:
        successes, attempts = (_whole(entry) for entry in value)
    except (TypeError, ValueError):
        raise LeakproError(
            f"Guesses: {side} is a {type(value).__name__} that cannot be read: give two whole "
            f"numbers, successes and attempts, as {side}=(41, 1000)"
        ) from None
    if not 0 <= successes <= attempts or attempts == 0:
        raise LeakproError(
            f"Guesses: {side} has {successes} successes in {attempts} attempts: give the "
            f"successes first, then the attempts that they are among, as {side}=(41, 1000)"
        )
    return successes, attempts


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError("a truth value is no count")
    return operator.index(value)


def _scale(value: Any) -> float:
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 1:
        raise LeakproError(
            "Guesses: control_scale is by what the control's rate is multiplied: give a finite "
            "number of at least 1"
        )
    return float(value)


def _most(value: Any, successes: int, attempts: int) -> int | None:
    if value is None:
        return None
    try:
        most = _whole(value)
    except TypeError:
        most = -1
    if not successes <= most <= attempts:
        raise LeakproError(
            "Guesses: control_most is the largest number of successes that the control may have "
            f"had: give a whole number from {successes} (control's own) to {attempts}, its attempts"
        )
    return most
