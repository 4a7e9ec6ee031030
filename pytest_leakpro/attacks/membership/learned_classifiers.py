"""The classifiers of the learned attack, and the records that each of them scores.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.record_facts import RecordFacts
    from pytest_leakpro.attacks.membership.shadow_features import ShadowFeatures
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["Trained", "read_columns"]

_ROWS = 1 << 15  # predicted at a time, as the classifier copies them in double precision


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
        folds, scores = self.folds[facts.units], np.zeros(len(target))
        with one_thread():  # others would wait for each other longer than they work
            for fold, booster in enumerate(self.boosters):
                own = np.flatnonzero(folds == fold)
                for start in range(0, len(own) if booster is not None else 0, _ROWS):
                    rows = own[start : start + _ROWS]
                    scores[rows] = booster.decision_function(columns[rows])
        return scores


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
