"""The relative attack on language models: a text's probability against that by shadow models.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
from pytest_leakpro.targets.language_model import LanguageModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TextRatioToShadows"]


@dataclass(frozen=True)
class TextRatioToShadows(ShadowAttack):
    """Divide the target's probability of a text by what shadow models give on average.

    Probabilities are those per token, the geometric mean over the text: of whole texts one shadow
    model would outweigh all others.

    References
    ----------
    Zarifzadeh, Liu and Shokri (2024), Low-cost high-power membership inference attacks, ICML,
    equations 2 and 3, with the probability of a text in place of that of a class.
    """

    name: ClassVar[str] = "rmia_text"
    targets: ClassVar[tuple[type, ...]] = (LanguageModel,)
    rank: ClassVar[int] = 506

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the log ratio of every text; see `ShadowAttack.score_records`."""
        from pytest_leakpro.stats.reference_ratio import log_ratio, reference_log_probability

        return log_ratio(target, reference_log_probability(shadow, included))
