"""``exposure``: how far ahead of other texts of their kind a model has put canaries.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.exposure_input import LEAST_AGREEMENT, times_said
from pytest_leakpro.gate.exposures import SPENT, Exposures
from pytest_leakpro.gate.metrics.base import Metric, Nouns, Reading, Remarks, Sizes
from pytest_leakpro.gate.wording import shown

if TYPE_CHECKING:
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern
    from pytest_leakpro.gate.wording import Unit

__all__ = ["USUAL_CANDIDATES", "Exposure", "times_of"]

USUAL_CANDIDATES = 10**9
"""With which sizes are planned: nine random digits."""

_LARGEST = 128.0  # bits: no secret has more
_UNLEARNED = 1 / math.log(2)  # the mean of -log2 of a uniform rank
_ARGUMENT = re.compile(r"x\s*=\s*([1-9]\d{0,8})")
_LEVEL = 0.001  # of the test that canaries and candidates are alike


class Exposure(Metric):
    """The mean exposure of canaries that were inserted once, or as often as the argument says.

    The exposure of a canary is log2 of the number of texts of its kind minus log2 of its rank among
    them, by how likely the model finds them: what is won over guessing the secret. The mean is over
    canaries like these that are inserted as often in this training.

    References
    ----------
    Carlini et al. (2019), The Secret Sharer: evaluating and testing unintended memorization in
    neural networks, USENIX Security, section 4.
    """

    name: ClassVar[str] = "exposure"
    concern: ClassVar[Concern] = "memorisation"
    evidence: ClassVar[type[Evidence]] = Exposures
    unit: ClassVar[Unit] = "decimal"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    nouns: ClassVar[Nouns] = Nouns("model", "canaries", "", "canaries", "between trainings")
    fault: ClassVar[str] = "memorises what it was trained on"
    remedy: ClassVar[str] = "remove duplicates, stop training earlier, or train with DP"
    meaning: ClassVar[str] = "bits by which inserted canaries are ahead of texts of their kind"

    def check_name(self, metric: MetricName) -> None:
        """Check how often the canaries were inserted; see `Metric.check_name`."""
        super().check_name(metric)
        if metric.argument is not None and _ARGUMENT.fullmatch(metric.argument) is None:
            raise LeakproError(
                "exposure takes how often canaries were inserted, as exposure[x=16]; once by "
                "default"
            )

    def tidy_argument(self, argument: str) -> str:
        """Write the number without spaces; see `Metric.tidy_argument`."""
        return re.sub(r"\s+", "", argument)

    def check_limit(self, metric: MetricName, limit: float) -> None:
        """Check that a model could meet it, and another miss it; see `Metric.check_limit`."""
        if 0 <= limit < _UNLEARNED:
            raise LeakproError(
                f"canaries that a model never saw have an exposure of {_UNLEARNED:.4g} bits on "
                f"average, so none can stay at {limit:.12g}"
            )
        super().check_limit(metric, limit)

    def chance_level(self, metric: MetricName) -> float:  # noqa: ARG002
        """Give the mean of uniform ranks, 1/ln 2 bits; where all texts tie it is 1."""
        return _UNLEARNED

    def ceiling(self, metric: MetricName) -> float:  # noqa: ARG002
        """Give what no secret exceeds; see `Metric.ceiling`."""
        return _LARGEST

    def check_evidence(self, metric: MetricName, evidence: Evidence) -> None:
        """Check that canaries were inserted so often; see `Metric.check_evidence`."""
        super().check_evidence(metric, evidence)
        self.part(metric, evidence)

    def part(self, metric: MetricName, evidence: Evidence) -> Exposures:
        """Give the exposures of the canaries that are meant; see `Metric.part`."""
        assert isinstance(evidence, Exposures)
        return evidence.inserted(times_of(metric))

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,
    ) -> Reading:
        """Read the mean and its bounds; see `Metric.read`.

        Raises
        ------
        LeakproError
            Where no canary among so many candidates could exceed the limit.
        """
        from pytest_leakpro.stats.mean_bets import bet_lower, bet_p_value, bet_upper

        chosen = self.part(metric, evidence)
        if limit is not None and limit >= chosen.most:
            raise LeakproError(
                f"{metric} <= {limit:.12g}: no canary among {chosen.space:,} texts has more than "
                f"{shown(chosen.most, self.unit)} bits, so every model stays within: rank among "
                "more candidates, say with space= of how many they were drawn, or lower the limit"
            )
        spent_low = spent_high = 0.0
        if chosen.sampled:
            spent_low = SPENT * (error_low if planned is None else planned)
            spent_high = SPENT * error_high
        lows = chosen.between(spent_low)[0]
        highs = chosen.between(spent_high)[1]
        return Reading.consistent(
            self.estimate(metric, chosen),
            bet_lower(lows, error_low - spent_low),
            bet_upper(highs, error_high - spent_high, chosen.most),
            None if limit is None else min(1.0, bet_p_value(lows, limit) + spent_low),
        )

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:
        """Give the mean over the canaries; see `Metric.estimate`."""
        return float(self.part(metric, evidence).bits().mean())

    def remarks(self, metric: MetricName, evidence: Evidence) -> Remarks:
        """Say among how many they were ranked, and what others show; see `Metric.remarks`."""
        chosen = self.part(metric, evidence)
        among = f"{chosen.candidates:,} candidates"
        if chosen.space > chosen.candidates:
            among += f" of {chosen.space:,}"
        said = f"{chosen.sizes[0]:,} canaries inserted {times_said(chosen.times)}, {among}"
        notes = (f"{said}: {chosen.assumes}", _by_times(chosen), _beyond(chosen), _law(chosen))
        unlike = _unlike(chosen)
        return Remarks(tuple(filter(None, notes)), (unlike,) if unlike else ())

    def typical_evidence(
        self,
        metric: MetricName,
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,  # noqa: ARG002 - the candidates are the control
    ) -> Evidence:
        """Give exposures of the law that assumes the least; see `Metric.typical_evidence`."""
        import numpy as np

        from pytest_leakpro.stats.exposure_power import cut_exponential

        n, most = sizes.members, _most(true, true)
        shares = (np.arange(n) + 0.5) / n
        bits = cut_exponential(true, most, shares)
        if luck != 0.5:
            from statistics import NormalDist

            off = NormalDist().inv_cdf(luck) * float(bits.std()) / math.sqrt(n)
            bits = cut_exponential(min(max(true + off, 0.0), most), most, shares)
        space = 2 ** math.ceil(most)
        ranks = np.clip(np.round(2 ** (math.log2(space) - bits)), 1, space)
        return Exposures(ranks, space, multiplicities=times_of(metric))

    def pass_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float | None,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Among a billion candidates, all of them ranked; see `Metric.pass_chance`."""
        from pytest_leakpro.stats.exposure_power import exposure_pass_chance

        mean = _UNLEARNED if true is None else true
        return exposure_pass_chance(sizes.members, limit, error, mean, _most(limit, mean))

    def can_pass(self, metric: MetricName, limit: float, sizes: Sizes, error: float) -> bool:  # noqa: ARG002
        """Tell that there is hope at any size: how much depends on the number of candidates."""
        return True

    def fail_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Among a billion candidates, all of them ranked; see `Metric.fail_chance`."""
        from pytest_leakpro.stats.exposure_power import exposure_fail_chance

        return exposure_fail_chance(sizes.members, limit, error, true, _most(limit, true))


def times_of(metric: MetricName) -> int:
    """Read how often the canaries that are meant were inserted."""
    if metric.argument is None:
        return 1
    found = _ARGUMENT.fullmatch(metric.argument)
    assert found is not None
    return int(found.group(1))


def _most(*bits: float) -> float:
    """Give the largest exposure that is planned with: more where the figures ask for it."""
    usual = math.log2(USUAL_CANDIDATES)
    return usual if max(bits) < usual else _LARGEST


def _by_times(exposures: Exposures) -> str:
    """Give the mean of canaries that were inserted more or less often, or not at all."""
    others = sorted({int(times) for times in exposures.multiplicities} - {exposures.times})
    if not others:
        return ""
    said = []
    for times in others:
        bits = exposures.bits(times)
        mean = shown(float(bits.mean()), "decimal", digits=1)
        said.append(f"{times_said(times)} {mean} ({len(bits):,} canaries)")
    return f"bits of those inserted {', '.join(said)}"


def _beyond(exposures: Exposures) -> str:
    """Say how many canaries are ahead of all candidates, where others may be ahead of them."""
    ahead = int((exposures.ranks[exposures.multiplicities == exposures.times] == 1).sum())
    if not exposures.sampled or not ahead:
        return ""
    least, most = (f"{bits:.1f}" for bits in (math.log2(exposures.candidates), exposures.most))
    return (
        f"ahead of all candidates: {ahead:,} of {exposures.sizes[0]:,} canaries; each counts "
        f"{least} bits and may have up to {most}: more candidates tell more"
    )


def _law(exposures: Exposures) -> str:
    """Say what a skew-normal law has, where it does not decide."""
    if exposures.extrapolated is None or not exposures.sampled:
        return ""
    fit = exposures.agreement
    if fit is not None and fit < LEAST_AGREEMENT:
        return (
            "the losses do not follow a skew-normal law (Kolmogorov-Smirnov p = "
            f"{fit:.2g}), so nothing is extrapolated"
        )
    chosen = exposures.extrapolated[exposures.multiplicities == exposures.times]
    mean = shown(float(chosen.mean()), "decimal", digits=1)
    how = "" if fit is None else f" (Kolmogorov-Smirnov p = {fit:.2g})"
    return f"extrapolated by a skew-normal law{how}: {mean} bits on average"


def _unlike(exposures: Exposures) -> str:
    """Block where canaries that were not inserted are ahead of the candidates all the same."""
    from pytest_leakpro.stats.exposure import rank_exposure
    from pytest_leakpro.stats.mean_bets import bet_p_value

    out = exposures.ranks[exposures.multiplicities == 0]
    if not len(out):
        return ""
    bits = rank_exposure(out, exposures.candidates)
    if bet_p_value(bits, _UNLEARNED) > _LEVEL:
        return ""
    return (
        f"canaries that were not inserted have {shown(float(bits.mean()), 'decimal')} bits of "
        "exposure, so they are not of the kind of the candidates: draw both from one template"
    )
