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
    """An attack by labels of perturbed records: these must consist of numbers."""

    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.LABEL
    default: ClassVar[bool] = False

    def mismatch(self, target: Any) -> str | None:
        """Say also where records cannot be perturbed; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and (unmoved := unmovable(target.inputs)) is not None:
            return f"it perturbs records, and {unmoved}"
        return reason
