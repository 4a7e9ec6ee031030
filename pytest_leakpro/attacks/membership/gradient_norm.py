"""The gradient attack: what the model has seen pulls less at its weights.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.gradients import gradient_reading, gradients_lacking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["GradientNorm"]


@dataclass(frozen=True)
class GradientNorm(MembershipAttack):
    """Score a record by how small the gradient of its loss is, over all weights.

    Training ends where gradients of what was trained on are small. Of a linear last layer the
    gradient is the prediction's error times the size of what goes into that layer.

    References
    ----------
    Nasr, Shokri and Houmansadr (2019), Comprehensive privacy analysis of deep learning, IEEE S&P,
    section III.A; as a threshold on the Euclidean norm, Rezaei and Liu (2021), On the difficulty of
    membership inference attacks, CVPR, section 3.
    """

    name: ClassVar[str] = "gradient"
    access: ClassVar[Access] = Access.WHITE_BOX
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 70

    def mismatch(self, target: Any) -> str | None:
        """Refuse models without gradients, too; see `Attack.mismatch`."""
        return super().mismatch(target) or gradients_lacking(target.model)

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give minus the logarithm of the norm; see `MembershipAttack.score`."""
        del rng
        scores = -view.further(gradient_reading(view.model))[0]
        n_members = len(view.records("members"))
        return scores[:n_members], scores[n_members:]
