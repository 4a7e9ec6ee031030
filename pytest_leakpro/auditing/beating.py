"""Attacks that find more than the difference between the two sides explains.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.auditing.brought import Brought
    from pytest_leakpro.auditing.checks.blind import BlindReading
    from pytest_leakpro.gate.decision import WeighedReading
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["beating"]


def beating(
    blind: BlindReading | None,
    metric: MetricName,
    brought: Sequence[Brought],
    weighed: Sequence[WeighedReading],
    limit: float | None,
    error: float,
) -> list[str]:
    """Name the attacks that are above the limit and beyond what the blind classifier reaches.

    Half of the error bounds the blind classifier from above, the other half, shared among the
    attacks, bounds these from below: a FAIL that stands is wrong no more often than any other.

    Parameters
    ----------
    blind : BlindReading or None
        Of the metric; of a metric of guesses its advantage, by which the control's rate may be
        off at most, as far as the classifier tells.
    metric : MetricName
        What is measured.
    brought, weighed
        What the attacks found, and how they are weighed.
    limit : float or None
        The budget's.
    error : float
        One-sided, in (0, 1).
    """
    if blind is None or limit is None:
        return []
    definition = definition_of(metric)
    found = []
    for entry, reading in zip(brought, weighed, strict=True):
        share = reading.weight * error / 2
        if isinstance(entry.evidence, Guesses):
            from pytest_leakpro.stats.guessing import risk_lower

            beats = risk_lower(entry.evidence.tally, share, blind.high) > limit
        else:
            low = definition.read(metric, entry.evidence, limit, share, error).low
            beats = low > max(limit, blind.high)
        if beats:
            found.append(entry.attack)
    return found
