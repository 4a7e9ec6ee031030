"""The confidence threshold: an attacker who does not even know the label.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.membership.threshold import PredictionThreshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.signals import ClassSignals

__all__ = ["ConfidenceThreshold"]


@dataclass(frozen=True)
class ConfidenceThreshold(PredictionThreshold):
    """Score a record by the model's confidence in the class it predicts.

    References
    ----------
    Salem, Zhang, Humbert, Berrang, Fritz and Backes (2019), ML-Leaks, NDSS, section V
    (adversary 3: the maximum posterior).
    """

    name: ClassVar[str] = "confidence"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 50

    def score_predictions(self, signals: ClassSignals) -> NDArray[Any]:
        """Give the log-odds of the most likely class; see `score_predictions`."""
        # Log-odds keep apart what probabilities near one would tie.
        odds: NDArray[Any] = (signals.log_probabilities - signals.log_complements).max(axis=1)
        return odds
