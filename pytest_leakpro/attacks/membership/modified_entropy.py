"""The modified entropy threshold: entropy that knows the label.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.threshold import PredictionThreshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.signals import ClassSignals

__all__ = ["ModifiedEntropyThreshold"]


@dataclass(frozen=True)
class ModifiedEntropyThreshold(PredictionThreshold):
    """Score a record by minus the modified entropy of the model's prediction.

    It falls as the true class gains probability and rises as any wrong class does. With two
    classes it orders records as the loss does.

    References
    ----------
    Song and Mittal (2021), Systematic evaluation of privacy risks of machine learning models,
    USENIX Security, equation 8.
    """

    name: ClassVar[str] = "modified_entropy"
    rank: ClassVar[int] = 30

    def mismatch(self, target: Any) -> str | None:
        """Refuse two classes, where it is the loss threshold again; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and target.classes is not None and len(target.classes) == 2:
            return "with two classes it orders records as the attack 'loss' does"
        return reason

    def score_predictions(self, signals: ClassSignals) -> NDArray[Any]:
        """Give minus the modified entropy of every record; see `score_predictions`."""
        log_p, log_rest = signals.log_probabilities, signals.log_complements
        true = np.arange(log_p.shape[1]) == signals.labels[:, None]
        terms = np.where(true, np.exp(log_rest) * log_p, np.exp(log_p) * log_rest)
        summed: NDArray[Any] = terms.sum(axis=1)
        return summed
