"""The relative attack with several queries per record: itself and augmented copies.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_leakpro.attacks.membership.augmented_attack import AugmentedAttack
from pytest_leakpro.attacks.membership.shadow_attack import read_in_blocks
from pytest_leakpro.attacks.membership.signal_reader import signal_reader
from pytest_leakpro.targets.classifier import Classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack

__all__ = ["MultiQueryRatioToReference", "log_ratios"]


@dataclass(frozen=True)
class MultiQueryRatioToReference(AugmentedAttack):
    """Divide the target's probability by the shadow models' mean, for the record and each copy.

    Parameters
    ----------
    combine : {"auto", "mean", "median"}
        Of the log ratios of all queries. The median exceeds a threshold where most of the queries
        do, at each threshold: the vote of the majority. Auto leaves the choice to shadow models
        that play the target.

    References
    ----------
    Zarifzadeh, Liu and Shokri (2024), Low-cost high-power membership inference attacks, ICML,
    equation 3, with the augmented queries of its experiments.
    """

    name: ClassVar[str] = "rmia_multi"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    rank: ClassVar[int] = 82

    combine: Literal["auto", "mean", "median"] = "auto"

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Give the mean and the vote; see `ShadowAttack.variants`."""
        del regression
        if self.combine != "auto":
            return (self,)
        return (replace(self, combine="mean"), replace(self, combine="median"))

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the mean or the median log ratio; see `FurtherShadowAttack.score_further`."""
        ratios = log_ratios(target, shadow, included)
        return np.median(ratios, axis=0) if self.combine == "median" else ratios.mean(axis=0)


def log_ratios(
    target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Divide the target's probability of each query by what shadow models give on average.

    Parameters
    ----------
    target : ndarray of shape (q, n)
        Log-odds of the true class.
    shadow : ndarray of shape (K, q, n)
        Those of the shadow models.
    included : ndarray of bool, shape (K, n)
        Which of them saw which record.

    Returns
    -------
    ndarray of shape (q, n)
        Natural logarithms of the ratios.
    """
    from pytest_leakpro.stats.reference_ratio import log_ratio, reference_log_probability

    read = signal_reader("loss", shadow)
    log_p, own = read_in_blocks(shadow, read), read(target)
    return np.stack(
        [
            log_ratio(own[row], reference_log_probability(log_p[:, row], included))
            for row in range(len(own))
        ]
    )
