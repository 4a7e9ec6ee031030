"""The gap attack: what the model labels rightly it has more likely seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.signals import RegressionSignals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["LabelGap"]


@dataclass(frozen=True)
class LabelGap(MembershipAttack):
    """Score a record by whether its label is predicted: one query per record.

    Its advantage is the gap between the accuracies on members and on non-members. At a low
    false-positive rate it says nothing: most non-members are labelled rightly, too.

    References
    ----------
    Yeom, Giacomelli, Fredrikson and Jha (2018), Privacy risk in machine learning: analyzing the
    connection to overfitting, CSF, section 3.2 (adversary 1); the name is of Choquette-Choo,
    Tramèr, Carlini and Papernot (2021), Label-only membership inference attacks, ICML.
    """

    name: ClassVar[str] = "gap"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.LABEL
    rank: ClassVar[int] = 60

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give 1 where the label is predicted, else 0; see `MembershipAttack.score`."""
        del rng
        members, nonmembers = view.members, view.nonmembers
        assert not isinstance(members, RegressionSignals)
        assert not isinstance(nonmembers, RegressionSignals)
        return members.correct.astype(float), nonmembers.correct.astype(float)
