"""One defence's leakage beside another's: which of two leaks less, as pure values.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.change import INDEPENDENT, PAIRED
from pytest_leakpro.gate.measurement import Interval
from pytest_leakpro.gate.wording import shown, shown_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["Contrast", "Leakage", "Outcome", "contrast"]

Outcome = Literal["first", "lower", "not told apart", "higher", "incomparable"]


@dataclass(frozen=True)
class Leakage:
    """What the strongest attacker on one target reaches, for comparisons.

    Attributes
    ----------
    interval : Interval
        The largest value, lower and upper bound of its attackers, each bound at ``alpha / 2``.
    attackers : int
        How many there are, at least 1: the lower bound is the largest of so many.
    """

    interval: Interval
    attackers: int = 1

    @classmethod
    def of(cls, intervals: Sequence[Interval]) -> Leakage:
        """Join the attackers on one target."""
        values, lows, highs = zip(*((i.value, i.low, i.high) for i in intervals), strict=True)
        return cls(Interval(max(values), max(lows), max(highs)), len(intervals))


@dataclass(frozen=True)
class Contrast:
    """How much less one target leaks than another.

    Attributes
    ----------
    outcome : {"first", "lower", "not told apart", "higher", "incomparable"}
        Whether it is the other one itself; leaks significantly less, or more; or neither. Not
        comparable where nothing was scored.
    difference : float or None
        The other's estimate minus this one's, in the metric's unit: positive where less leaks.
    at_least : float or None
        By how much less (or more, where the outcome is "higher") at least, above 0; None where the
        two are not told apart.
    method : str
        ``"paired"`` or ``"independent samples"``; empty where nothing was compared.
    """

    outcome: Outcome
    difference: float | None = None
    at_least: float | None = None
    method: str = ""

    def shown(self, metric: MetricName, other: str) -> str:
        """Write it in a line: ``"lower by 4.5pp, at least 3.1pp"``."""
        if self.outcome == "first":
            return "the others are compared with it"
        if self.outcome == "incomparable":
            return "nothing was scored to compare"
        unit = definition_of(metric).unit
        assert self.difference is not None
        if self.at_least is None:
            size = _points(shown(abs(self.difference), unit))
            way = f"{'lower' if self.difference > 0 else 'higher'} by {size}"
            return f"not told apart from {other} ({way if self.difference else 'no difference'})"
        size, bound, _ = shown_bounds(abs(self.difference), self.at_least, math.nan, 0.0, unit)
        text = f"{self.outcome} by {_points(size)}, at least {_points(bound)}"
        return f"{text}, paired" if self.method == PAIRED else text


def contrast(
    first: Leakage | None,
    other: Leakage | None,
    *,
    alpha: float,
    comparisons: int,
    correlation: float | None = None,
) -> Contrast:
    """Tell which of two targets leaks less.

    Both directions of each of `comparisons` pairs are tested at ``alpha / 2 / comparisons``
    (Bonferroni), so that with a probability of at least about ``1 - alpha`` no pair of them is put
    in the wrong order. The margins of the bounds are widened from ``alpha / 2`` to that level as
    those of a normal law are, which is what the method rests on anyhow.

    Parameters
    ----------
    first, other : Leakage or None
        What is compared with, and what is compared; None where nothing was scored.
    alpha : float
        Error of all comparisons together, in (0, 1).
    comparisons : int
        How many pairs are compared.
    correlation : float, optional
        Of the two estimates where both scored the same records; see
        `pytest_leakpro.stats.difference.correlation_of_estimates`.

    Returns
    -------
    Contrast

    References
    ----------
    Zou and Donner (2008), Construction of confidence limits about effect measures, Statistics in
    Medicine 27, equation 5.
    """
    from pytest_leakpro.stats.difference import increase_lower

    if first is None or other is None:
        return Contrast("incomparable")
    method = INDEPENDENT if correlation is None else PAIRED
    before, now = (_widened(entry, alpha, comparisons) for entry in (first, other))
    difference = before.value - now.value
    shared = correlation or 0.0
    less = increase_lower(now.value, now.high, before.value, before.low, shared)
    if less > 0:
        return Contrast("lower", difference, less, method)
    more = increase_lower(before.value, before.high, now.value, now.low, shared)
    if more > 0:
        return Contrast("higher", difference, more, method)
    return Contrast("not told apart", difference, None, method)


def _widened(leakage: Leakage, alpha: float, comparisons: int) -> Interval:
    from scipy.special import ndtri

    found, error = leakage.interval, alpha / 2
    high = ndtri(1 - error / comparisons) / ndtri(1 - error)
    low = ndtri(1 - error / comparisons / leakage.attackers) / ndtri(1 - error)
    return Interval(
        found.value,
        found.value - float(low) * (found.value - found.low),
        found.value + float(high) * (found.high - found.value),
    )


def _points(text: str) -> str:
    return text.replace("%", "pp")
