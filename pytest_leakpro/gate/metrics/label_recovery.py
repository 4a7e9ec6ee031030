"""``label_recovery``: the labels that can be told from an update.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.criterion import LABEL
from pytest_leakpro.gate.metrics.update_risk import UpdateRisk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["LabelRecovery"]


class LabelRecovery(UpdateRisk):
    """The share of labels recovered, minus the share that is guessed without the update.

    References
    ----------
    Zhao, Mopuri and Bilen (2020), iDLG: improved deep leakage from gradients, arXiv:2001.02610;
    Wainakh et al. (2022), User-level label leakage from gradients in federated learning, PoPETs.
    """

    name: ClassVar[str] = "label_recovery"
    concern: ClassVar[Concern] = "reconstruction"
    fault: ClassVar[str] = "gives labels away"
    meaning: ClassVar[str] = "labels told from an update, beyond those guessed without it"
    # Some labels are always guessed: batches of which none is recovered are no common case.
    rare: ClassVar[float] = 0.5

    def measure(self, metric: MetricName) -> str:  # noqa: ARG002
        """Name the measure of labels; see `UpdateRisk.measure`."""
        return LABEL

    def given_away(self, metric: MetricName, quality: NDArray[Any]) -> NDArray[Any]:  # noqa: ARG002
        """Give the share as it is; see `UpdateRisk.given_away`."""
        return quality

    def typical_quality(self, metric: MetricName) -> tuple[float, float]:  # noqa: ARG002
        """Give a label that is recovered, and one that is not; see `UpdateRisk`."""
        return 1.0, 0.0
