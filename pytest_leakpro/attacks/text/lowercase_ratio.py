"""The loss against that of the same text without capitals.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.text.base_attack import TextAttack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.text_view import TextView

__all__ = ["LowercaseRatio"]

_SMALLEST = 1e-12


@dataclass(frozen=True)
class LowercaseRatio(TextAttack):
    """Score a text by minus its loss over the loss of its lower-case form.

    A text without capitals has the score -1, whatever the model says. Asks the model about each
    text once more.

    References
    ----------
    Carlini, Tramèr, Wallace et al. (2021), Extracting training data from large language models,
    USENIX Security, section 5.2 (lowercase).
    """

    name: ClassVar[str] = "lowercase_ratio"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 504

    def score_texts(self, view: TextView, side: str) -> NDArray[Any]:
        """Ask about the lower-case forms, too; see `TextAttack.score_texts`."""
        lower = view.ask_about(side, [text.lower() for text in view.texts(side)])
        return view.tokens(side).negative_loss / np.maximum(-lower.negative_loss, _SMALLEST)
