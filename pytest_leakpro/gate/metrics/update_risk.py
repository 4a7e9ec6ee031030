"""What metrics of a client's update have in common: a share of each batch, beyond the baseline's.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.metrics.base import Metric, Nouns, Reading, Remarks, Sizes
from pytest_leakpro.gate.reconstructions import Reconstructions
from pytest_leakpro.gate.wording import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["UPDATE", "UpdateRisk"]

UPDATE = Nouns(
    "update",
    "batches",
    "",
    "batches",
    "between two clients or rounds",
    counted="this update",
)


class UpdateRisk(Metric):
    """The share of a batch's records that an update gives away, beyond what needs no update.

    One batch is a census of that update. Of several the mean over batches is bounded, whatever
    their sizes: a batch counts once.

    Attributes
    ----------
    rare : float
        Share of the error of the upper bound that is spent on batches of which nothing is given
        away, in [0, 1]; see `pytest_leakpro.stats.paired_shares.difference_upper`.
    rebuilt, without : str
        What is counted, and beside what, for messages.
    """

    evidence: ClassVar[type[Evidence]] = Reconstructions
    nouns: ClassVar[Nouns] = UPDATE
    remedy: ClassVar[str] = (
        "clip and add noise to the update, send fewer local details (larger batches, more local "
        "steps), or aggregate securely"
    )
    rare: ClassVar[float]
    rebuilt: ClassVar[str] = "records are given away"
    without: ClassVar[str] = "without the update"

    @abstractmethod
    def measure(self, metric: MetricName) -> str:
        """Name the measure of quality that is read."""

    @abstractmethod
    def given_away(self, metric: MetricName, quality: NDArray[Any]) -> NDArray[Any]:
        """Tell how much of each record is given away, in [0, 1], at these qualities."""

    @abstractmethod
    def typical_quality(self, metric: MetricName) -> tuple[float, float]:
        """Give a quality at which a record is given away, and one at which it is not."""

    def check_evidence(self, metric: MetricName, evidence: Evidence) -> None:
        """Check that the quality was measured that is asked for; see `Metric.check_evidence`."""
        from pytest_leakpro.gate.errors import LeakproError

        super().check_evidence(metric, evidence)
        assert isinstance(evidence, Reconstructions)
        wanted = self.measure(metric)
        if wanted not in evidence.quality:
            raise LeakproError(
                f"{metric} is read off the quality {wanted!r}, and these reconstructions have "
                f"{', '.join(sorted(evidence.quality))}"
            )

    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,  # noqa: ARG002 - nothing here is chosen by an error
    ) -> Reading:
        """Read the share and its bounds, one number for one batch; see `Metric.read`."""
        from pytest_leakpro.stats.paired_shares import (
            difference_lower,
            difference_p_value,
            difference_upper,
        )

        assert isinstance(evidence, Reconstructions)
        differences = self._differences(metric, evidence)
        share = self.estimate(metric, evidence)
        if evidence.census:
            return Reading(share, share, share, None if limit is None else float(share <= limit))
        return Reading.consistent(
            share,
            difference_lower(differences, error_low),
            difference_upper(differences, error_high, self.rare),
            None if limit is None else difference_p_value(differences, limit),
        )

    def estimate(self, metric: MetricName, evidence: Evidence) -> float:
        """Give the mean over batches, at least 0; see `Metric.estimate`."""
        assert isinstance(evidence, Reconstructions)
        return max(0.0, float(self._differences(metric, evidence).mean()))

    def remarks(self, metric: MetricName, evidence: Evidence) -> Remarks:
        """Compare with reconstructions that saw no update; see `Metric.remarks`."""
        assert isinstance(evidence, Reconstructions)
        main, baseline = (float(share.mean()) for share in self._shares(metric, evidence))
        if baseline == 0 or main > baseline:
            return Remarks()
        weak = (
            f"weak attack: {shown(main, 'percent')} of the {self.rebuilt}, no more than "
            f"{self.without} ({shown(baseline, 'percent')})"
        )
        return Remarks(notes=(weak,))

    def baseline_rate(self, metric: MetricName, evidence: Evidence) -> float:
        """Give how much of the records is given away without the update, in [0, 1]."""
        assert isinstance(evidence, Reconstructions)
        return float(self._shares(metric, evidence)[1].mean())

    def summary(self, metric: MetricName, evidence: Evidence) -> dict[str, Any]:
        """Count the records that are given away, with a histogram; see `Metric.summary`."""
        assert isinstance(evidence, Reconstructions)
        main, baseline = self._shares(metric, evidence)
        return evidence.summary() | {
            # Shares of a record add up; what is left of one is rounded.
            "successes": {
                "main": round(float(main.sum())),
                "baseline": round(float(baseline.sum())),
            },
            "attempts": {"main": evidence.n_records, "baseline": evidence.n_records},
            "curve": evidence.histogram(self.measure(metric)),
        }

    def typical_evidence(
        self,
        metric: MetricName,
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,  # noqa: ARG002 - the baseline is taken to fail
    ) -> Evidence:
        """Give batches of one record, by a binomial quantile; see `Metric.typical_evidence`."""
        from pytest_leakpro.stats.binomial import binomial_quantile

        count = binomial_quantile(luck, sizes.members, true)
        met, missed = self.typical_quality(metric)
        quality = [met] * count + [missed] * (sizes.members - count)
        measure = self.measure(metric)
        return Reconstructions(
            {measure: quality}, {measure: [missed] * len(quality)}, range(len(quality))
        )

    def pass_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float | None,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Of batches given away whole or not at all, and a baseline that fails; see `Metric`."""
        from pytest_leakpro.stats.paired_shares import pass_chance

        return pass_chance(sizes.members, limit, error, true or 0.0, self.rare)

    def fail_chance(
        self,
        metric: MetricName,  # noqa: ARG002
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,  # noqa: ARG002
    ) -> float:
        """Of batches given away whole or not at all; see `Metric.fail_chance`."""
        from pytest_leakpro.stats.paired_shares import fail_chance

        return fail_chance(sizes.members, limit, error, true)

    def _shares(
        self, metric: MetricName, evidence: Reconstructions
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give how much of each record is given away by the attack, and without the update."""
        measure = self.measure(metric)
        main, baseline = (
            self.given_away(metric, side[measure]) for side in (evidence.quality, evidence.baseline)
        )
        return main, baseline

    def _differences(self, metric: MetricName, evidence: Reconstructions) -> NDArray[Any]:
        main, baseline = self._shares(metric, evidence)
        differences: NDArray[Any] = evidence.per_batch(main) - evidence.per_batch(baseline)
        return differences
