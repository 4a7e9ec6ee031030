"""``advantage``: the largest TPR - FPR over all cuts.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.evidence import Evidence, MembershipScores
from pytest_leakpro.gate.metrics.base import Metric, Reading, Sizes

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["Advantage"]


class Advantage(Metric):
    """How much better than guessing an attacker tells members from as many non-members.

    References
    ----------
    Yeom et al. (2018), Privacy risk in machine learning, CSF, definition 4.
    """

    name: ClassVar[str] = "advantage"
    evidence: ClassVar[type[Evidence]] = MembershipScores
    meaning: ClassVar[str] = "largest difference between true- and false-positive rate"

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,  # noqa: ARG002 - nothing here is chosen by an error
    ) -> Reading:
        """Read advantage and bounds off membership scores; see `Metric.read`."""
        from pytest_leakpro.stats.advantage import (
            advantage_half_width,
            advantage_lower,
            advantage_p_value,
            advantage_rank,
        )

        assert isinstance(evidence, MembershipScores)
        m, n = evidence.sizes
        value = self.estimate(metric, evidence)
        above = evidence.members_above(advantage_rank(n))
        return Reading.consistent(
            value,
            advantage_lower(above, m, n, error_low),
            min(1.0, value + advantage_half_width(m, n, error_high)),
            None if limit is None else advantage_p_value(above, m, n, limit),
        )

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:  # noqa: ARG002
        """Give the largest difference over all cuts; see `Metric.estimate`."""
        from pytest_leakpro.stats.roc import max_advantage

        assert isinstance(evidence, MembershipScores)
        return max_advantage(evidence.members, evidence.nonmembers)

    def typical_evidence(
        self,
        metric: MetricName,  # noqa: ARG002
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,  # noqa: ARG002 - non-members are the control
    ) -> Evidence:
        """Give binormal scores; see `Metric.typical_evidence`."""
        from statistics import NormalDist

        shift = 2 * NormalDist().inv_cdf(min((1 + true) / 2, 1 - 1e-9))
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
        """From the law of the empirical maximum, for planning only; see `Metric.pass_chance`."""
        from pytest_leakpro.stats.average_power import advantage_pass_chance

        return advantage_pass_chance(*sizes, limit, error, true or 0.0)

    def fail_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """By quadrature, for a binormal shift; see `Metric.fail_chance`."""
        from pytest_leakpro.stats.average_power import advantage_fail_chance

        return advantage_fail_chance(*sizes, limit, error, true)
