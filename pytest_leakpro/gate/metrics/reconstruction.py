"""``reconstruction[criterion]``: the records that can be rebuilt from an update.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_leakpro.gate.criterion import Criterion, tidy_criterion
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.update_risk import UpdateRisk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["Reconstruction"]


class Reconstruction(UpdateRisk):
    """The share of records rebuilt beyond a criterion, minus the share that needs no update.

    References
    ----------
    Geiping et al. (2020), Inverting gradients: how easy is it to break privacy in federated
    learning?, NeurIPS, section 6: the share of recognisable images.
    """

    name: ClassVar[str] = "reconstruction"
    argument: ClassVar[Literal["none", "optional", "required"]] = "required"
    fault: ClassVar[str] = "gives records away"
    meaning: ClassVar[str] = "records rebuilt from an update, beyond those that need no update"
    # So much that 72 batches of which nothing is rebuilt are within 5 %, as if it were all.
    rare: ClassVar[float] = 0.996

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


def _criterion(metric: MetricName) -> Criterion:
    assert metric.argument is not None
    return Criterion.parse(metric.argument)
