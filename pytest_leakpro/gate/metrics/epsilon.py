"""``epsilon``: what of a claimed differential privacy can be refuted.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.canary_scores import ASSUMPTIONS, POWER, CanaryScores
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.metrics.base import Metric, Nouns, Reading, Remarks, Sizes

if TYPE_CHECKING:
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern
    from pytest_leakpro.gate.wording import Unit

__all__ = ["USUAL_DELTA", "Epsilon"]

USUAL_DELTA = 1e-5
"""With which sizes are planned."""

_USUAL = 1.0  # what is to be refuted best, where there is no limit
_LARGEST = 50.0


class Epsilon(Metric):
    """A lower bound on epsilon, from canaries that were inserted with the toss of a coin each.

    There is no upper bound: what no attack refutes passes, if at twice the limit a Gaussian
    mechanism would have been refuted four times in five.

    References
    ----------
    Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, NeurIPS;
    Mahloujifar, Melis and Chaudhuri (2024), Auditing f-differential privacy in one run: the bound
    of a verdict. Nasr et al. (2023), Tight auditing of differentially private machine learning,
    USENIX Security, section 4.2: the bound where a Gaussian mechanism is assumed.
    """

    name: ClassVar[str] = "epsilon"
    concern: ClassVar[Concern] = "epsilon"
    evidence: ClassVar[type[Evidence]] = CanaryScores
    unit: ClassVar[Unit] = "decimal"
    nouns: ClassVar[Nouns] = Nouns(
        "training", "canaries that were inserted", "that were not", "canaries", "between trainings"
    )
    fault: ClassVar[str] = "does not keep its differential privacy"
    remedy: ClassVar[str] = "look for what the accountant does not see (pytest_leakpro.opacus)"
    meaning: ClassVar[str] = "lower bound on the epsilon of the training"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"

    def variant(self, metric: MetricName) -> Metric:
        """Give the metric that assumes what the argument says; see `Metric.variant`."""
        if metric.argument is None:
            return self
        if metric.argument not in ASSUMPTIONS:
            raise LeakproError(
                f"{metric}: in brackets stands what is taken for granted of the training: "
                f"{self.name}[gaussian], or nothing"
            )
        return GaussianEpsilon()

    def ceiling(self, metric: MetricName) -> float:  # noqa: ARG002
        """Give what no number of canaries exceeds; see `Metric.ceiling`."""
        return _LARGEST

    def check_limit(self, metric: MetricName, limit: float) -> None:
        """Check that a training could be refuted; see `Metric.check_limit`."""
        super().check_limit(metric, limit)
        if limit <= 0:
            raise LeakproError("epsilon lies above 0, such as epsilon <= 3")

    def check_evidence(self, metric: MetricName, evidence: Evidence) -> None:
        """Check that the auditor drew who was inserted; see `Metric.check_evidence`."""
        if isinstance(evidence, MembershipScores):
            raise LeakproError(
                "epsilon is bounded by records that the auditor inserted with the toss of a coin "
                "each, and of these scores nobody says so: give CanaryScores, or a Classifier with "
                "canaries="
            )
        super().check_evidence(metric, evidence)
        if metric.argument is not None and getattr(evidence, "assume", None) != metric.argument:
            raise LeakproError(
                f"{metric} takes a Gaussian mechanism for granted, and the target does not say "
                "so: give it assume='gaussian', or the budget without brackets"
            )

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,
    ) -> Reading:
        """Read the bound off canary scores; see `Metric.read`."""
        del error_high
        assert isinstance(evidence, CanaryScores)
        error = error_low if planned is None else planned
        passes = None if limit is None else evidence.has_power(limit, error)
        if evidence.assume == "gaussian":
            from pytest_leakpro.stats.gaussian_audit import gaussian_lower, gaussian_p_value

            counts = evidence.halves()
            value = self.estimate(metric, evidence)
            low = gaussian_lower(counts, evidence.delta, error_low)
            p_value = None if limit is None else gaussian_p_value(counts, limit, evidence.delta)
        else:
            from pytest_leakpro.stats.one_run import guess_plan, lower_epsilon, p_value_at

            n = len(evidence.scores)
            aim = _USUAL if limit is None else limit
            plan = guess_plan(n, aim, 2 * aim, evidence.delta)
            made = [(evidence.right_guesses(guesses), guesses, share) for guesses, share in plan]
            value = _as_often(*made[0][:2])
            low = max(
                lower_epsilon(right, guesses, n, evidence.delta, share * error_low)
                for right, guesses, share in made
            )
            p_value = None
            if limit is not None:
                p_value = min(
                    p_value_at(right, guesses, n, limit, evidence.delta) / share
                    for right, guesses, share in made
                )
                p_value = min(1.0, p_value)
        return Reading(max(value, low), low, math.inf, p_value, passes)

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:  # noqa: ARG002
        """Give the epsilon at which guesses are right as often; see `Metric.estimate`."""
        assert isinstance(evidence, CanaryScores)
        n = len(evidence.scores)
        if evidence.assume == "gaussian":
            from pytest_leakpro.stats.gaussian_audit import gaussian_estimate

            return gaussian_estimate(evidence.halves(), evidence.delta)
        from pytest_leakpro.stats.one_run import guesses_for

        guesses = guesses_for(n, _USUAL, 2 * _USUAL, evidence.delta)
        return _as_often(evidence.right_guesses(guesses), guesses)

    def remarks(self, metric: MetricName, evidence: Evidence) -> Remarks:  # noqa: ARG002
        """Say what the bound rests on; see `Metric.remarks`."""
        assert isinstance(evidence, CanaryScores)
        n = len(evidence.scores)
        said = f"{n:,} canaries, delta = {evidence.delta:g}: {evidence.assumes}"
        return Remarks(notes=(said,))

    def typical_evidence(
        self,
        metric: MetricName,  # noqa: ARG002
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,  # noqa: ARG002 - canaries that were not inserted are the control
    ) -> Evidence:
        """Give scores of a Gaussian mechanism; see `Metric.typical_evidence`."""
        import numpy as np

        from pytest_leakpro.stats.privacy_curves import gaussian_mu

        shift = gaussian_mu(true, USUAL_DELTA) if true > 0 else 0.0
        drawn = MembershipScores.binormal(*sizes, shift, luck)
        included = np.repeat([True, False], sizes)
        scores = np.concatenate([drawn.members, drawn.nonmembers])
        return CanaryScores(scores, included, delta=USUAL_DELTA)

    def pass_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float | None,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Plan with the usual delta; see `Metric.pass_chance`."""
        if self._refuted(sizes, limit, 2 * limit, error) < POWER:
            return 0.0
        return 1 - self._refuted(sizes, limit, true or 0.0, error)

    def fail_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Plan with the usual delta; see `Metric.fail_chance`."""
        return self._refuted(sizes, limit, true, error)

    def _refuted(self, sizes: Sizes, limit: float, true: float, error: float) -> float:
        """Give the chance that a limit is refuted on a Gaussian mechanism."""
        from pytest_leakpro.stats.one_run import power

        return power(sizes.members + sizes.nonmembers, limit, true, USUAL_DELTA, error)


class GaussianEpsilon(Epsilon):
    """What `Epsilon` is where the training is taken for a Gaussian mechanism."""

    def typical_evidence(
        self,
        metric: MetricName,
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,
    ) -> Evidence:
        """Give scores that may be taken for those of one; see `Metric.typical_evidence`."""
        drawn = super().typical_evidence(metric, sizes, true, luck, control_rate)
        assert isinstance(drawn, CanaryScores)
        return CanaryScores(drawn.scores, drawn.included, delta=drawn.delta, assume="gaussian")

    def _refuted(self, sizes: Sizes, limit: float, true: float, error: float) -> float:
        from pytest_leakpro.stats.gaussian_audit import gaussian_power

        return gaussian_power(*sizes, limit, true, USUAL_DELTA, error)


def _as_often(right: int, guesses: int) -> float:
    """Give the epsilon of randomised response with as many right, and half a guess either way."""
    return max(0.0, math.log((right + 0.5) / (guesses - right + 0.5)))
