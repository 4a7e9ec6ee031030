"""Min-K%: the least likely tokens of a text, which no training made likely.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.text.base_attack import TextAttack, check_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.text_view import TextView

__all__ = ["LeastLikelyTokens"]


@dataclass(frozen=True)
class LeastLikelyTokens(TextAttack):
    """Score a text by the mean log-probability of its least likely tokens.

    Parameters
    ----------
    k : float
        Their share of all, in (0, 1]; at least one token counts.

    References
    ----------
    Shi, Ajith, Xia, Huang, Liu, Blevins, Chen and Zettlemoyer (2024), Detecting pretraining data
    from large language models, ICLR, section 3.2 (k of 20 % does best there).
    """

    name: ClassVar[str] = "min_k"
    rank: ClassVar[int] = 502

    k: float = 0.2

    def __post_init__(self) -> None:
        """Check the share."""
        check_share(self.name, "k", self.k)

    def runs_by_default(self, target: Any) -> bool:
        """Leave the place to `min_k_plus_plus` where that matches; see `Attack`."""
        return not target.gives_statistics

    def score_texts(self, view: TextView, side: str) -> NDArray[Any]:
        """Average the lowest log-probabilities; see `TextAttack.score_texts`."""
        signals = view.tokens(side)
        return signals.lowest(signals.log_probabilities, self.k)
