"""Attacks that ask the model about records like those it may have seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.membership.perturbing import unmovable
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.classifier import Classifier

__all__ = ["PerturbingAttack"]


@dataclass(frozen=True)
class PerturbingAttack(MembershipAttack):
    """An attack by labels of perturbed records: these must consist of numbers.

    Attributes
    ----------
    takes_augmentations : bool
        Whether augmentations of the user's do instead.
    """

    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.LABEL
    default: ClassVar[bool] = False
    takes_augmentations: ClassVar[bool] = False

    def mismatch(self, target: Any) -> str | None:
        """Say also where records cannot be perturbed; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        given = self.takes_augmentations and target.augmentations
        if reason is not None or given:
            return reason
        unmoved = unmovable(target.inputs)
        return None if unmoved is None else f"it perturbs records, and {unmoved}"
