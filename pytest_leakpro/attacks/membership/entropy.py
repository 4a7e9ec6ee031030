"""The entropy threshold: how undecided the model is, whatever the label.

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

__all__ = ["EntropyThreshold"]


@dataclass(frozen=True)
class EntropyThreshold(PredictionThreshold):
    """Score a record by minus the entropy of the model's prediction.

    References
    ----------
    Salem, Zhang, Humbert, Berrang, Fritz and Backes (2019), ML-Leaks, NDSS, section V;
    Song and Mittal (2021), Systematic evaluation of privacy risks, USENIX Security, equation 7.
    """

    name: ClassVar[str] = "entropy"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 40

    def score_predictions(self, signals: ClassSignals) -> NDArray[Any]:
        """Give minus the entropy of every prediction; see `score_predictions`."""
        logs = signals.log_probabilities
        summed: NDArray[Any] = (np.exp(logs) * logs).sum(axis=1)
        return summed
