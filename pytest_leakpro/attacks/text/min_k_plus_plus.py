"""Min-K%++: how likely tokens are by what the model makes likely in their places.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.text.base_attack import TextAttack, check_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.text_signals import TextSignals
    from pytest_leakpro.targets.text_view import TextView

__all__ = ["StandardisedTokens", "standardised_tokens"]

_SMALLEST = 1e-6  # in nats: whoever is surer than single precision tells says no more


@dataclass(frozen=True)
class StandardisedTokens(TextAttack):
    """Score a text by its least likely tokens, each in standard deviations of the model's law.

    The log-probability of a token less the mean log-probability of the tokens that the model would
    draw in that place, over their standard deviation: what training raised stands near the top of
    the law, however sure the model is there.

    Parameters
    ----------
    k : float
        The share of tokens that counts, the lowest, in (0, 1]; one at least.

    References
    ----------
    Zhang, Sun, Yeats, Ouyang, Kuo, Zhang, Yang and Li (2025), Min-K%++: improved baseline for
    detecting pre-training data from large language models, ICLR, equations 3 and 4.
    """

    name: ClassVar[str] = "min_k_plus_plus"
    rank: ClassVar[int] = 501

    k: float = 0.2

    def __post_init__(self) -> None:
        """Check the share."""
        check_share(self.name, "k", self.k)

    def mismatch(self, target: Any) -> str | None:
        """Refuse a model that gives nothing but the tokens' own probabilities; see `Attack`."""
        if (reason := super().mismatch(target)) is not None:
            return reason
        if not target.gives_statistics:
            return (
                "it needs mean and deviation of the log-probability in the place of each token: "
                "let the model have token_statistics(texts), which gives log-probabilities, means "
                "and standard deviations"
            )
        return None

    def score_texts(self, view: TextView, side: str) -> NDArray[Any]:
        """Average the lowest standardised tokens; see `TextAttack.score_texts`."""
        signals = view.tokens(side)
        return signals.lowest(standardised_tokens(signals), self.k)


def standardised_tokens(signals: TextSignals) -> NDArray[np.float64]:
    """Give each token's log-probability in standard deviations from its mean, shape (t,)."""
    assert signals.means is not None
    assert signals.deviations is not None
    scale = np.maximum(signals.deviations, _SMALLEST)
    return np.asarray((signals.log_probabilities - signals.means) / scale)
