"""Which increase over a baseline a comparison would notice.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Reading, Sizes

__all__ = ["detectable_increase"]

_STEPS = 6
# Bad luck on both sides at once: in four of five runs there is less of it in sum.
_LUCK = 0.25


def detectable_increase(
    metric: MetricName,
    sizes: Sizes,
    alpha: float = 0.05,
    *,
    leakage: float | None = None,
    baseline: tuple[float, float] | None = None,
    control_rate: float = 0.0,
) -> float | None:
    """Plan which true increase a comparison with the baseline finds about four times in five.

    Parameters
    ----------
    metric : MetricName
        What is compared.
    sizes : Sizes
        Units on each side now (and, unless there is a baseline, before).
    alpha : float
        Error of both sides of a bound together, in (0, 1).
    leakage : float, optional
        The leakage of the baseline in the metric's unit; a model without leakage by default.
    baseline : tuple of float, optional
        Estimate and upper bound of a baseline that there is.
    control_rate : float
        How often the attack succeeds where nothing leaks, in [0, 1]; nothing to membership metrics.

    Returns
    -------
    float or None
        In the metric's unit, for independent samples and one attack; None where no increase up to
        the metric's ceiling is.

    Raises
    ------
    LeakproError
        For a leakage that the metric cannot have.
    """
    definition = definition_of(metric)
    chance, ceiling = definition.chance_level(metric), definition.ceiling(metric)
    if leakage is not None and not 0 <= leakage <= ceiling:
        raise LeakproError(f"a leakage of {leakage} is no value of {metric}")
    if baseline is None:
        before = _typical(metric, sizes, max(chance, leakage or 0.0), alpha, 0.5, control_rate)
        baseline = (before.value, before.high)
    value, high = baseline
    base = max(value, chance)

    def found(increase: float) -> bool:
        now = _typical(metric, sizes, base + increase, alpha, _LUCK, control_rate)
        return now.value - value > math.hypot(now.value - now.low, high - value)

    room = ceiling - base
    smallest, largest = 0.0, min(high - value, room)
    if not (0 < room < math.inf and largest > 0):
        return None
    while not found(largest):
        if largest >= room:
            return None
        smallest, largest = largest, min(2 * largest, room)
    for _ in range(_STEPS):
        middle = (smallest + largest) / 2
        smallest, largest = (smallest, middle) if found(middle) else (middle, largest)
    return largest


@lru_cache(maxsize=512)
def _typical(
    metric: MetricName, sizes: Sizes, true: float, alpha: float, luck: float, control_rate: float
) -> Reading:
    definition = definition_of(metric)
    evidence = definition.typical_evidence(metric, sizes, true, luck, control_rate)
    return definition.read(metric, evidence, None, alpha / 2, alpha / 2)
