"""CSMIA: the value with which a model is right, and surest of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.attribute.base_attack import AttributeAttack
from pytest_leakpro.targets.access import Access

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.attribute.base_attack import Secret

__all__ = ["ConfidenceInversion"]


@dataclass(frozen=True)
class ConfidenceInversion(AttributeAttack):
    """Try every value in the secret's place, and guess by what the model then says.

    Where one value alone gives the true label, it is the guess. Of several that give it the one of
    which the model is surest is guessed; where none does, the one with which it is least sure of
    its wrong label. Nothing is learned from other records. Of a regressor the value with the
    smallest error is guessed.

    Parameters
    ----------
    attempts
        See `AttributeAttack`.

    References
    ----------
    Mehnaz et al. (2022), Are your sensitive attributes private? Novel model inversion attribute
    inference attacks on classification models, USENIX Security: the confidence score-based
    model inversion attack (CSMIA). The rule for a regressor is not in the paper.
    """

    name: ClassVar[str] = "csmia"
    access: ClassVar[Access] = Access.SCORES
    rank: ClassVar[int] = 411

    def score(self, secret: Secret) -> NDArray[np.float64]:
        """Prefer right labels that are sure, then wrong ones that are not."""
        answers = secret.answers
        if secret.view.regression:
            return answers.negative_loss
        right, confidence = answers.right, answers.confidence
        any_right = right.any(axis=1, keepdims=True)
        return np.where(any_right, np.where(right, confidence, -np.inf), -confidence)
