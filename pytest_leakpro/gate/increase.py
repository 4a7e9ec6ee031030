"""By how much a metric may rise above its baseline: ``0.5pp``, ``tpr@0.1%fpr:+0.5pp``.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import plain_number, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["Allowance", "allowance_for", "as_increase", "parse_increase", "shown_increase"]

_INCREASE = re.compile(r"\+?\s*(\d+(?:\.\d*)?|\.\d+)(e[-+]?\d+)?\s*(pp|%)?", re.IGNORECASE)


@dataclass(frozen=True)
class Allowance:
    """How much more than its baseline a metric may show before a test fails.

    Attributes
    ----------
    metric : MetricName or None
        Which; None for every metric.
    increase : float
        At least 0, in the metric's unit; a percentage point is 0.01.
    points : bool
        Whether it was written in percentage points, which only metrics up to 1 have.
    source : str
        Where it was declared, empty for the default.
    """

    metric: MetricName | None
    increase: float
    points: bool = False
    source: str = ""

    @classmethod
    def parse(cls, text: str, source: str) -> Allowance:
        """Read ``METRIC:+0.5pp``, or an increase alone, which holds for every metric.

        Raises
        ------
        LeakproError
            Where metric or increase cannot be read.
        """
        name, colon, increase = text.rpartition(":")
        value, points = parse_increase(increase)
        allowance = cls(parse_metric(name) if colon else None, value, points, source)
        if allowance.metric is not None:
            allowance.check(allowance.metric)
        return allowance

    def check(self, metric: MetricName) -> None:
        """Check that percentage points mean something for a metric.

        Raises
        ------
        LeakproError
        """
        ceiling = definition_of(metric).ceiling(metric)
        if self.points and ceiling > 1:
            raise LeakproError(
                f"{metric} is no share, so it has no percentage points: "
                f"give the increase as a number, as {self.increase * 100:g}"
            )


def parse_increase(value: str | float) -> tuple[float, bool]:
    """Read an increase: ``"0.5pp"``, ``"+2pp"``, ``0.02``.

    Returns
    -------
    tuple of float and bool
        The increase, and whether it was written in percentage points.

    Raises
    ------
    LeakproError
        For what cannot be read, is negative or not finite; ``%`` could mean "of the baseline".
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value) or value < 0:
            raise LeakproError(f"an increase is a finite number of at least 0, not {value!r}")
        return float(value), False
    found = _INCREASE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        shown = printable(value, 80) if isinstance(value, str) else type(value).__name__
        raise LeakproError(f"cannot read the increase '{shown}': write 0.5pp or 0.005")
    number, exponent, unit = found.groups()
    if unit == "%":
        raise LeakproError(
            f"the increase '{printable(str(value), 80)}' could mean a share of the baseline or "
            f"percentage points: write {number}pp for points"
        )
    size = float(number + (exponent or ""))
    if not math.isfinite(size):
        raise LeakproError(f"the increase '{printable(str(value), 80)}' is not finite")
    return (float(f"{size / 100:.15g}"), True) if unit else (size, False)


def allowance_for(metric: MetricName, allowances: Iterable[Allowance]) -> Allowance:
    """Give the allowance that holds for a metric: the last of its own, else the last for all.

    Returns
    -------
    Allowance
        No increase at all where none was declared.

    Raises
    ------
    LeakproError
        Where it is in percentage points and the metric is no share.
    """
    found = Allowance(None, 0.0)
    for allowance in sorted(allowances, key=lambda entry: entry.metric is not None):
        if allowance.metric in (None, metric):
            found = allowance
    found.check(metric)
    return found


def shown_increase(value: float, metric: MetricName) -> str:
    """Write a declared increase without loss: ``0.5pp`` for shares in percent, else ``0.02``."""
    if definition_of(metric).unit == "percent":
        return f"{plain_number(value * 100)}pp"
    return plain_number(value)


def as_increase(shown: str) -> str:
    """Turn a measured number as it is shown into a difference: ``"3.5%"`` into ``"+3.5pp"``."""
    points = shown.replace("%", "pp")
    return points if points.startswith("-") else f"+{points}"
