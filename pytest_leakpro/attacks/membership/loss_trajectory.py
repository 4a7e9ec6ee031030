"""The loss trajectory attack: members' losses fall in another way.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.trajectory_attack import TrajectoryAttack

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LossTrajectory"]

# Those of the learned attack: top scores rest on many records.
_BOOSTER = {
    "learning_rate": 0.05,
    "max_iter": 100,
    "min_samples_leaf": 100,
    "l2_regularization": 10.0,
    "max_features": 0.3,
    "early_stopping": False,
}
_MOST_STEPS = 20  # neighbouring ones of more say nearly the same


@dataclass(frozen=True)
class LossTrajectory(TrajectoryAttack):
    """Let a gradient-boosted classifier read the losses of a record at every step.

    At each step it sees the loss (as log-odds of the true class, or log error), its distance from
    the mean of the shadow models that saw the record and of those that did not, and the spreads of
    both; and the class. The paper's classifier sees the losses alone.

    References
    ----------
    Liu, Zhao, Backes and Zhang (2022), Membership inference attacks by exploiting loss trajectory,
    ACM CCS, sections 4.2 and 4.3.
    """

    name: ClassVar[str] = "trajectory"
    default_with: ClassVar[str] = "checkpoints"
    rank: ClassVar[int] = 15
    only_losses: ClassVar[bool] = True
    uses_torch: ClassVar[bool] = False

    def runs_by_default(self, target: Any) -> bool:
        """Tell whether there are checkpoints; see `Attack.runs_by_default`."""
        return bool(target.checkpoints) and target.signals is None

    def teach(
        self,
        features: NDArray[np.float32],
        classes: NDArray[Any],
        saw: NDArray[np.bool_],
        seed: int,
    ) -> _Booster:
        """Fit the classifier; see `TrajectoryAttack.teach`."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        booster = HistGradientBoostingClassifier(**_BOOSTER, random_state=seed)
        return _Booster(booster.fit(_columns(features, classes), saw))


class _Booster:
    """A fitted classifier."""

    def __init__(self, booster: Any) -> None:
        self._booster = booster

    def log_odds(self, features: NDArray[np.float32], classes: NDArray[Any]) -> NDArray[np.float64]:
        """Score records; see `Judge.log_odds`."""
        scores: NDArray[np.float64] = self._booster.decision_function(_columns(features, classes))
        return scores


def _columns(features: NDArray[np.float32], classes: NDArray[Any]) -> NDArray[np.float32]:
    n_rows, n_steps, _ = features.shape
    steps = np.unique(np.linspace(0, n_steps - 1, min(n_steps, _MOST_STEPS)).astype(np.intp))
    flat = features[:, steps].reshape(n_rows, -1)
    return np.column_stack([flat, np.asarray(classes, dtype=np.float32)])
