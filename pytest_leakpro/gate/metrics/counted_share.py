"""What shares have in common that are counted: a census, exact at every size.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.counts import Counts
from pytest_leakpro.gate.metrics.base import Metric, Reading, Sizes

if TYPE_CHECKING:
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["CountedShare"]


class CountedShare(Metric):
    """The share that was found of all that there are: nothing was drawn, so it is its own bound."""

    evidence: ClassVar[type[Evidence]] = Counts
    census: ClassVar[bool] = True

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,  # noqa: ARG002 - nothing was drawn
        error_high: float,  # noqa: ARG002
        planned: float | None = None,  # noqa: ARG002
    ) -> Reading:
        """Read the share that was found, which is both its bounds; see `Metric.read`."""
        share = self.estimate(metric, evidence)
        p_value = None if limit is None else float(share <= limit)
        return Reading(share, share, share, p_value)

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:  # noqa: ARG002
        """Give the share that was found; see `Metric.estimate`."""
        assert isinstance(evidence, Counts)
        return evidence.share

    def typical_evidence(
        self,
        metric: MetricName,  # noqa: ARG002
        sizes: Sizes,
        true: float,
        luck: float = 0.5,  # noqa: ARG002 - there is none in a census
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> Evidence:
        """Give the share as counts; see `Metric.typical_evidence`."""
        return Counts(round(true * sizes.members), sizes.members)

    def pass_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,  # noqa: ARG002
        error: float,  # noqa: ARG002
        true: float | None,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Tell whether the share is within the limit; see `Metric.pass_chance`."""
        return float((true or 0.0) <= limit)

    def fail_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,  # noqa: ARG002
        error: float,  # noqa: ARG002
        true: float,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Tell whether the share is above the limit; see `Metric.fail_chance`."""
        return float(true > limit)
