"""LOMIA: records that give their secret away by a label teach how to guess that of others.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.attribute.answers import ask
from pytest_leakpro.attacks.attribute.base_attack import AttributeAttack
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.classifier import Classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.attribute.base_attack import Secret

__all__ = ["LabelOnlyInversion"]


@dataclass(frozen=True)
class LabelOnlyInversion(AttributeAttack):
    """Guess the one value that gives the true label; where there is none, as such records teach.

    The model is asked about the population too. Those of its records that have exactly one value
    with which the label comes out right teach a forest of trees that value, from all else of the
    record and the label; the forest guesses wherever an attacked record has none or several.

    Parameters
    ----------
    attempts
        See `AttributeAttack`.

    References
    ----------
    Mehnaz et al. (2022), Are your sensitive attributes private? Novel model inversion attribute
    inference attacks on classification models, USENIX Security: the label-only model
    inversion attack (LOMIA). There the attacked records teach; here these of the population do, so
    that nothing is fitted on records that are scored.
    """

    name: ClassVar[str] = "lomia"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.LABEL
    default_with: ClassVar[str] = "access to labels only"
    rank: ClassVar[int] = 412

    def runs_by_default(self, target: Any) -> bool:
        """Tell whether labels are all there is; see `Attack.runs_by_default`."""
        access: Access = target.access
        return access is Access.LABEL

    def score(self, secret: Secret) -> NDArray[np.float64]:
        """Give the one value that fits, else the chances that the forest gives."""
        right = secret.answers.right
        told = right.sum(axis=1) == 1
        teaching = ask(secret.view, secret.candidates, secret.known, secret.say).right
        single = teaching.sum(axis=1) == 1
        teacher = secret.imputation.teacher
        chances = teacher.chances(
            teacher.matrix(secret.known)[single],
            teaching[single].argmax(axis=1),
            teacher.matrix(secret.attacked),
        )
        return np.where(told[:, None], np.where(right, 1.0, -np.inf), chances)
