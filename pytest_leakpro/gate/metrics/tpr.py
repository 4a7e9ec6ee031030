"""``tpr@F%fpr``: what an attacker reaches who may accuse one non-member in so many.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.evidence import Evidence, MembershipScores
from pytest_leakpro.gate.metrics.base import Metric, Reading, Sizes

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["TprAtFpr"]


class TprAtFpr(Metric):
    """The largest TPR(u) min(1, a/u): the TPR at FPR a of an attacker who may also stay silent.

    References
    ----------
    Carlini et al. (2022), Membership inference attacks from first principles, IEEE S&P,
    section III: why a true-positive rate at a low false-positive rate, and not an average.
    """

    name: ClassVar[str] = "tpr"
    evidence: ClassVar[type[Evidence]] = MembershipScores
    at_fpr: ClassVar[bool] = True
    meaning: ClassVar[str] = "members exposed by an attacker who accepts this false-positive rate"

    def chance_level(self, metric: MetricName) -> float:
        """Give the false-positive rate itself: guessing exposes members at the same rate."""
        return _rate(metric)

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,
    ) -> Reading:
        """Read TPR and bounds off membership scores; see `Metric.read`."""
        from pytest_leakpro.stats.tpr_lower import (
            choose_rank,
            rank_without_limit,
            tpr_lower,
            tpr_p_value,
        )
        from pytest_leakpro.stats.tpr_upper import fpr_grid, upper_rule

        assert isinstance(evidence, MembershipScores)
        fpr, (m, n) = _rate(metric), evidence.sizes
        k = (
            rank_without_limit(n, fpr)
            if limit is None
            else choose_rank(m, n, fpr, limit, planned or error_low)
        )
        above = evidence.members_above(k)
        p_value = None if limit is None else tpr_p_value(above, m, k, n, fpr, limit)
        low = tpr_lower(above, m, k, n, fpr, error_low)

        # The upper bound counts members at or above a cut. Where many tie there, as with a model
        # that knows few probabilities, that would count the whole tie against a PASS; with ties in
        # random order it bounds what the curve reads, linearly across them.
        broken = evidence.ties_broken()
        grid = fpr_grid(fpr)
        value = self.estimate(metric, evidence)
        high = 0.0
        for rate in grid:
            rule = upper_rule(n, float(rate), error_high)
            if rule is None:
                high = max(high, fpr / float(rate))
                continue
            counts = tuple(broken.members_at_or_above(rank) for rank in rule.ranks)
            high = max(high, rule.bound(counts, m) * fpr / float(rate))
        return Reading.consistent(value, low, high, p_value)

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:
        """Read the largest TPR(u) min(1, a/u) off the curve; see `Metric.estimate`."""
        import numpy as np

        from pytest_leakpro.stats.roc import tpr_at
        from pytest_leakpro.stats.tpr_upper import fpr_grid

        assert isinstance(evidence, MembershipScores)
        fpr = _rate(metric)
        grid = fpr_grid(fpr)
        return float(np.max(tpr_at(*evidence.roc(), grid) * (fpr / grid)))

    def typical_evidence(
        self,
        metric: MetricName,
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,  # noqa: ARG002 - non-members are the control
    ) -> Evidence:
        """Give binormal scores; see `Metric.typical_evidence`."""
        from statistics import NormalDist

        quantile, top = NormalDist().inv_cdf, 1 - 1e-9
        shift = quantile(min(true, top)) - quantile(_rate(metric))
        return MembershipScores.binormal(*sizes, shift, luck)

    def pass_chance(
        self,
        metric: MetricName,
        limit: float,
        sizes: Sizes,
        error: float,
        true: float | None,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """By simulating the counts at the ranks of the upper bound; see `Metric.pass_chance`."""
        from pytest_leakpro.stats.tpr_power import pass_chance

        return pass_chance(*sizes, _rate(metric), limit, error, true)

    def fail_chance(
        self,
        metric: MetricName,
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """By quadrature, for a binormal shift; see `Metric.fail_chance`."""
        from pytest_leakpro.stats.tpr_power import fail_chance

        return fail_chance(*sizes, _rate(metric), limit, error, true)

    def can_pass(self, metric: MetricName, limit: float, sizes: Sizes, error: float) -> bool:
        """Tell whether an attack that exposes nobody would pass; see `Metric.can_pass`."""
        from pytest_leakpro.stats.tpr_power import passing_counts

        return passing_counts(*sizes, _rate(metric), limit, error) is not None


def _rate(metric: MetricName) -> float:
    assert metric.fpr is not None
    return metric.fpr
