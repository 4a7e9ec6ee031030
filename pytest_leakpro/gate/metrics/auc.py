"""``auc``: the chance that a member scores above a non-member.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.evidence import Evidence, MembershipScores
from pytest_leakpro.gate.metrics.base import Metric, Reading, Sizes

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.wording import Unit

__all__ = ["Auc"]


class Auc(Metric):
    """The area under the ROC curve: leakage on average, over all false-positive rates alike."""

    name: ClassVar[str] = "auc"
    evidence: ClassVar[type[Evidence]] = MembershipScores
    unit: ClassVar[Unit] = "decimal"
    meaning: ClassVar[str] = "chance that a member scores above a non-member"

    def chance_level(self, metric: MetricName) -> float:  # noqa: ARG002
        """Give 1/2, whatever the scores."""
        return 0.5

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,  # noqa: ARG002 - nothing here is chosen by an error
    ) -> Reading:
        """Read AUC and bounds off membership scores; see `Metric.read`."""
        from pytest_leakpro.stats.bounded_mean import mean_lower, mean_p_value

        value, r = self.estimate(metric, evidence), min(evidence.sizes)
        return Reading.consistent(
            value,
            mean_lower(value, r, error_low),
            1 - mean_lower(1 - value, r, error_high),
            None if limit is None else mean_p_value(value, r, limit),
        )

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:  # noqa: ARG002
        """Give the area under the curve of the scores; see `Metric.estimate`."""
        from pytest_leakpro.stats.roc import auc

        assert isinstance(evidence, MembershipScores)
        return auc(evidence.members, evidence.nonmembers)

    def typical_evidence(
        self,
        metric: MetricName,  # noqa: ARG002
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,  # noqa: ARG002 - non-members are the control
    ) -> Evidence:
        """Give binormal scores; see `Metric.typical_evidence`."""
        from math import sqrt
        from statistics import NormalDist

        shift = sqrt(2) * NormalDist().inv_cdf(min(true, 1 - 1e-9))
        return MembershipScores.binormal(*sizes, shift, luck)

    def pass_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float | None,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """From the normal law of the estimate, for planning only; see `Metric.pass_chance`."""
        from pytest_leakpro.stats.average_power import auc_pass_chance

        return auc_pass_chance(*sizes, limit, error, 0.5 if true is None else true)

    def fail_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """From the normal law of the estimate, for planning only; see `Metric.fail_chance`."""
        from pytest_leakpro.stats.average_power import auc_fail_chance

        return auc_fail_chance(*sizes, limit, error, true)
