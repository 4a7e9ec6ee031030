"""The classifiers of the learned attack, and the records that each of them scores.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.membership.out_of_fold import score_out_of_fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.record_facts import RecordFacts
    from pytest_leakpro.attacks.membership.shadow_features import ShadowFeatures
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["Trained", "read_columns"]


@dataclass(frozen=True, repr=False, eq=False)
class Trained:
    """Classifiers, one per fold of the units, each trained without that fold.

    Attributes
    ----------
    features : ShadowFeatures
        What they read.
    folds : ndarray of int, shape (n_units,)
        The fold of each unit.
    boosters : tuple
        None where there was nothing to learn from.
    """

    features: ShadowFeatures
    folds: NDArray[np.intp]
    boosters: tuple[Any, ...]

    def log_odds(
        self,
        target: NDArray[Any],
        shadow: ShadowSignals,
        facts: RecordFacts,
        without: int,
        further: Mapping[str, NDArray[Any]] | None = None,
    ) -> NDArray[np.float64]:
        """Score every record by the classifier that saw none of its unit, shape (n,)."""
        columns = read_columns(self.features, target, shadow, facts, without, further or {})
        return score_out_of_fold(
            self.folds[facts.units],
            self.boosters,
            lambda booster, rows: booster.decision_function(columns[rows]),
        )


def read_columns(
    features: ShadowFeatures,
    target: NDArray[Any],
    shadow: ShadowSignals,
    facts: RecordFacts,
    without: int,
    further: Mapping[str, NDArray[Any]],
) -> NDArray[np.float32]:
    """Read the features of all records, with what else was read of the attacked model."""
    pairs = {name: (further[name], shadow.further[name]) for name in features.names}
    return features.read(target, shadow.shadow, shadow.included, facts.classes, without, pairs)
