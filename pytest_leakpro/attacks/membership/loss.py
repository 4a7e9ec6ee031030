"""The loss threshold: what the model fits better it has more likely seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.language_model import LanguageModel
from pytest_leakpro.targets.regressor import Regressor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["LossThreshold"]


@dataclass(frozen=True)
class LossThreshold(MembershipAttack):
    """Score a record by how small the model's loss on it is.

    Cross-entropy for classifiers, as the log-odds of the true class, which orders records as the
    loss does and does not tie where the loss saturates; squared error for regressors; the mean over
    the tokens of a text for language models, the logarithm of the perplexity.

    References
    ----------
    Yeom, Giacomelli, Fredrikson and Jha (2018), Privacy risk in machine learning: analyzing the
    connection to overfitting, CSF, section 3.3 (adversary 2).
    """

    name: ClassVar[str] = "loss"
    targets: ClassVar[tuple[type, ...]] = (Classifier, Regressor, LanguageModel)
    rank: ClassVar[int] = 20

    def runs_by_default(self, target: Any) -> bool:
        """Leave texts, which differ more in how hard they are, to who allows for that."""
        return not isinstance(target, LanguageModel)

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give minus the loss of every record; see `MembershipAttack.score`."""
        del rng
        return view.members.negative_loss, view.nonmembers.negative_loss
