"""``reconstruction[criterion]``: records that can be rebuilt, from an update or from a model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_leakpro.gate.criterion import NEAR, Criterion, tidy_criterion
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.base import Nouns
from pytest_leakpro.gate.metrics.update_risk import UpdateRisk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["Reconstruction", "ReconstructionFromModel"]


class Reconstruction(UpdateRisk):
    """The share of records rebuilt beyond a criterion, minus the share that needs no update.

    References
    ----------
    Geiping et al. (2020), Inverting gradients: how easy is it to break privacy in federated
    learning?, NeurIPS, section 6: the share of recognisable images.
    """

    name: ClassVar[str] = "reconstruction"
    concern: ClassVar[Concern] = "reconstruction"
    argument: ClassVar[Literal["none", "optional", "required"]] = "required"
    fault: ClassVar[str] = "gives records away"
    meaning: ClassVar[str] = "records rebuilt from an update, beyond those that need no update"
    # So much that 72 batches of which nothing is rebuilt are within 5 %, as if it were all.
    rare: ClassVar[float] = 0.996

    def variant(self, metric: MetricName) -> Reconstruction:
        """Speak of a finished model where records are near to those; see `Metric.variant`."""
        return _OF_MODEL if (metric.argument or "").lstrip().startswith(NEAR) else self

    @property
    def example(self) -> str:
        """One criterion; see `Metric.example`."""
        return f"{self.name}[ssim>=0.5]"

    def check_name(self, metric: MetricName) -> None:
        """Check the criterion; see `Metric.check_name`."""
        if metric.argument is None:
            raise LeakproError(
                "reconstruction needs the quality from which on a record counts as rebuilt, as "
                f"{self.example}"
            )
        super().check_name(metric)
        Criterion.parse(metric.argument)

    def tidy_argument(self, argument: str) -> str:
        """Write the criterion without spaces; see `Metric.tidy_argument`."""
        return tidy_criterion(argument)

    def measure(self, metric: MetricName) -> str:
        """Name the measure of the criterion; see `UpdateRisk.measure`."""
        return _criterion(metric).measure

    def given_away(self, metric: MetricName, quality: NDArray[Any]) -> NDArray[Any]:
        """Tell which records meet the criterion; see `UpdateRisk.given_away`."""
        return _criterion(metric).met(quality).astype(float)

    def typical_quality(self, metric: MetricName) -> tuple[float, float]:
        """Give the criterion's bound, and a quality beyond it; see `UpdateRisk`."""
        criterion = _criterion(metric)
        return criterion.bound, criterion.miss


class ReconstructionFromModel(Reconstruction):
    """The share of attempts that come near to a training record, minus that near to a non-member.

    An attempt is near to a record whose distance is at most half that to the nearest record of the
    other side, of which there are as many: looking like a class is not being a record. Every
    record is counted once, whatever number of attempts comes near to it.

    References
    ----------
    Carlini et al. (2023), Extracting training data from diffusion models, USENIX Security, section
    4.2: a distance relative to those of the nearest other records, at one half.
    """

    nouns: ClassVar[Nouns] = Nouns(
        "model", "attempts", "", "attempts", "between trainings", counted="this model"
    )
    two_sided: ClassVar[bool] = True
    rebuilt: ClassVar[str] = "attempts come near to a training record"
    without: ClassVar[str] = "near to a non-member"
    remedy: ClassVar[str] = "regularise, stop training earlier, or train with DP"
    meaning: ClassVar[str] = "attempts that rebuild a training record, beyond chance"

    @property
    def example(self) -> str:
        """The one criterion; see `Metric.example`."""
        return f"{self.name}[{NEAR}]"

    def summary(self, metric: MetricName, evidence: Evidence) -> dict[str, Any]:
        """Count the attempts; see `Metric.summary`."""
        return super().summary(metric, evidence) | {"unit": "attempts"}

    def variant(self, metric: MetricName) -> Reconstruction:  # noqa: ARG002
        """Give itself; see `Metric.variant`."""
        return self


# Told by its argument, so it has no row of its own.
_OF_MODEL = ReconstructionFromModel()


def _criterion(metric: MetricName) -> Criterion:
    assert metric.argument is not None
    return Criterion.parse(metric.argument)
