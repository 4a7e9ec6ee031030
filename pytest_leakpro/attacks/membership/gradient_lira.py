"""The likelihood-ratio attack on the norm of a record's gradient.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_leakpro.attacks.membership.further_attack import FurtherShadowAttack
from pytest_leakpro.stats.likelihood_ratio import lira_online
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.gradients import (
    GradientReading,
    gradient_reading,
    gradients_lacking,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["GradientLikelihoodRatio"]


@dataclass(frozen=True)
class GradientLikelihoodRatio(FurtherShadowAttack):
    """Compare how well the gradient's norm fits shadow models with the record and without it.

    Parameters
    ----------
    variance : {"moderated", "per-example", "global"}
        As for `LikelihoodRatio`.

    References
    ----------
    Carlini et al. (2022), Membership inference attacks from first principles, IEEE S&P, algorithm
    1, with the logarithm of the norm of Nasr, Shokri and Houmansadr (2019) as the signal; gradients
    as a white-box attacker's likelihood ratio: Leemann, Pawelczyk and Kasneci (2023), Gaussian
    membership inference privacy, NeurIPS, section 5.
    """

    name: ClassVar[str] = "gradient_lira"
    access: ClassVar[Access] = Access.WHITE_BOX
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 71

    variance: Literal["moderated", "per-example", "global"] = "moderated"

    def mismatch(self, target: Any) -> str | None:
        """Refuse models without gradients, too; see `Attack.mismatch`."""
        return super().mismatch(target) or gradients_lacking(target.model)

    def reading(self, view: MembershipView) -> GradientReading:
        """Give the reading of gradients; see `FurtherShadowAttack.reading`."""
        return gradient_reading(view.model)

    @property
    def reading_name(self) -> str:
        """Its name."""
        return GradientReading.name

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the log-likelihood ratio of minus the log norm, the first row of what was read."""
        return lira_online(-shadow[:, 0], included, -target[0], variance=self.variance)
