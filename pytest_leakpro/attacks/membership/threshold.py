"""A threshold on one number read off a classifier's prediction.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.signals import ClassSignals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["PredictionThreshold"]


@dataclass(frozen=True)
class PredictionThreshold(MembershipAttack):
    """An attack whose score of a record follows from the model's prediction on it alone."""

    targets: ClassVar[tuple[type, ...]] = (Classifier,)

    @abstractmethod
    def score_predictions(self, signals: ClassSignals) -> NDArray[Any]:
        """Give a score per record of one side, shape (n,); the higher, the more likely a member."""

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score both sides alike; see `MembershipAttack.score`."""
        del rng
        members, nonmembers = view.members, view.nonmembers
        assert isinstance(members, ClassSignals)
        assert isinstance(nonmembers, ClassSignals)
        return self.score_predictions(members), self.score_predictions(nonmembers)
