"""Label recovery: which classes a batch holds, and how often, from the last layer's gradient.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.label_guesses import guess_labels
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["LabelCounts"]


@dataclass(frozen=True)
class LabelCounts(UpdateAttack):
    """Count the labels of a batch from the gradient of the last layer.

    Of one record the label is the only class whose row has another sign; of a batch the gradient is
    solved for counts, with the model's mean answers to records of each class.

    References
    ----------
    Zhao, Mopuri and Bilen (2020), iDLG: Improved deep leakage from gradients, section 3.
    Wainakh et al. (2022), User-level label leakage from gradients in federated learning, PoPETs,
    algorithm 1; here the class-wise estimates are solved for all counts at once.
    """

    name: ClassVar[str] = "label_counts"
    metrics: ClassVar[tuple[str, ...]] = ("label_recovery",)
    rank: ClassVar[int] = 310

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and not target.has_classes:
            reason = "it counts classes, and the labels are no whole numbers, one per record"
        return reason

    def rebuild(
        self,
        view: UpdateView,
        rng: np.random.Generator,
        say: Callable[[str], None],  # noqa: ARG002 - it takes no time
    ) -> Rebuilt:
        """Count the labels; see `UpdateAttack.rebuild`."""
        torch = sys.modules["torch"]
        return Rebuilt(labels=torch.as_tensor(guess_labels(view, rng)))
