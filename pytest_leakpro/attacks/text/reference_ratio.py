"""The loss against that of another language model: what this one alone finds easy, it has learned.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_leakpro.attacks.text.base_attack import TextAttack
from pytest_leakpro.gate.errors import LeakproError, nearest_match

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.text_view import TextView

__all__ = ["ReferenceRatio"]

_KINDS = ("likelihood", "loss")
_SMALLEST = 1e-12


@dataclass(frozen=True)
class ReferenceRatio(TextAttack):
    """Compare the model's probability of a text with that of a reference model.

    The nearer the reference is to the model without the texts, the more this finds: that from which
    the model was fine-tuned is the best one to have.

    Parameters
    ----------
    by : {"likelihood", "loss"}
        The logarithm of the ratio of both probabilities of the text, per token of the model; or
        minus the ratio of both losses per token.

    References
    ----------
    Mireshghallah, Goyal, Uniyal, Berg-Kirkpatrick and Shokri (2022), Quantifying privacy risks of
    masked language models using membership inference attacks, EMNLP, equation 2 (likelihood).
    Carlini, Tramèr, Wallace et al. (2021), Extracting training data from large language models,
    USENIX Security, section 5.2 (another model; loss).
    """

    name: ClassVar[str] = "reference_ratio"
    calibrated: ClassVar[bool] = True
    rank: ClassVar[int] = 500

    by: Literal["likelihood", "loss"] = "likelihood"

    def __post_init__(self) -> None:
        """Check the kind of ratio."""
        if self.by not in _KINDS:
            hint = nearest_match(str(self.by), _KINDS)
            raise LeakproError(f"{self.name}: there is no ratio by {self.by!r}{hint}")

    def mismatch(self, target: Any) -> str | None:
        """Refuse a target without another model; see `Attack.mismatch`."""
        if (reason := super().mismatch(target)) is not None:
            return reason
        if not target.has_reference:
            return "it compares with another language model: give one as reference="
        return None

    def score_texts(self, view: TextView, side: str) -> NDArray[Any]:
        """Compare both models; see `TextAttack.score_texts`."""
        own, other = view.tokens(side), view.reference(side)
        if self.by == "loss":
            return own.negative_loss / np.maximum(-other.negative_loss, _SMALLEST)
        # Of whole texts, since another tokenizer counts other tokens.
        return np.asarray((own.totals - other.totals) / own.counts)
