"""What risks have in common that are read off guesses: the share of successes beyond the control's.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.gate.metrics.base import Metric, Nouns, Reading, Remarks, Sizes
from pytest_leakpro.gate.wording import shown

if TYPE_CHECKING:
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["RELEASE", "GuessRisk"]

RELEASE = Nouns(
    "release",
    "attempts",
    "on the control",
    "attempts",
    "between two runs of the generator",
    "column",
)


class GuessRisk(Metric):
    """The share of attempts that succeed, beyond those that succeed where nothing leaks.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4: the risk, with a control attack that had no part in the release.
    Article 29 Data Protection Working Party (2014), Opinion 05/2014 on anonymisation techniques,
    section 2.2: what is to be measured.
    """

    evidence: ClassVar[type[Evidence]] = Guesses
    controlled: ClassVar[bool] = True
    two_sided: ClassVar[bool] = True
    nouns: ClassVar[Nouns] = RELEASE
    remedy: ClassVar[str] = "coarsen rare values or train the generator with DP"

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,  # noqa: ARG002 - nothing here is chosen by an error
    ) -> Reading:
        """Read risk and bounds off guesses; see `Metric.read`."""
        from pytest_leakpro.stats.guessing import risk_lower, risk_p_value, risk_upper

        assert isinstance(evidence, Guesses)
        tally = evidence.tally
        return Reading.consistent(
            self.estimate(metric, evidence),
            risk_lower(tally, error_low),
            risk_upper(tally, error_high),
            None if limit is None else risk_p_value(tally, limit),
        )

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:  # noqa: ARG002
        """Give the share of successes beyond the control's; see `Metric.estimate`."""
        from pytest_leakpro.stats.guessing import risk

        assert isinstance(evidence, Guesses)
        return risk(evidence.main_rate, evidence.control_rate)

    def remarks(self, metric: MetricName, evidence: Evidence) -> Remarks:  # noqa: ARG002
        """Compare the attack with guesses that saw no release; see `Metric.remarks`."""
        from pytest_leakpro.stats.guessing import worse_than_naive

        assert isinstance(evidence, Guesses)
        naive_rate = evidence.naive_rate
        if evidence.naive is None or naive_rate is None or evidence.main_rate > naive_rate:
            return Remarks()
        main, naive = (shown(rate, "percent") for rate in (evidence.main_rate, naive_rate))
        if worse_than_naive(*evidence.main, *evidence.naive):
            wrong = (
                f"misconfigured: the attack succeeds {main} of the time, a guess that saw no "
                f"{self.nouns.audited} {naive}, which is more than chance explains; an attack that "
                "makes things worse shows nothing"
            )
            return Remarks(blocks=(wrong,))
        weak = (
            f"weak attack: it succeeds {main} of the time, no more often than a guess that saw no "
            f"{self.nouns.audited} ({naive})"
        )
        return Remarks(notes=(weak,))

    def typical_evidence(
        self,
        metric: MetricName,  # noqa: ARG002
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,
    ) -> Evidence:
        """Give binomial quantiles as counts; see `Metric.typical_evidence`."""
        from pytest_leakpro.stats.binomial import binomial_quantile

        attempts, control_attempts = sizes
        main_rate = control_rate + true * (1 - control_rate)
        return Guesses(
            (binomial_quantile(luck, attempts, main_rate), attempts),
            (binomial_quantile(1 - luck, control_attempts, control_rate), control_attempts),
        )

    def pass_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float | None,
        control_rate: float = 0.0,
    ) -> float:
        """By summing over the outcomes of attack and control; see `Metric.pass_chance`."""
        from pytest_leakpro.stats.guessing import pass_chance

        return pass_chance(*sizes, limit, error, true or 0.0, control_rate)

    def fail_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,
    ) -> float:
        """By summing over the outcomes of attack and control; see `Metric.fail_chance`."""
        from pytest_leakpro.stats.guessing import fail_chance

        return fail_chance(*sizes, limit, error, true, control_rate)
