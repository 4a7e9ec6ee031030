"""The likelihood-ratio attack by labels alone: votes on copies, compared with shadow models'.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.membership.copies import CopyChoice, RightVotes
from pytest_leakpro.attacks.membership.further_attack import FurtherShadowAttack
from pytest_leakpro.attacks.membership.perturbing_attack import PerturbingAttack
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading

__all__ = ["LabelLikelihoodRatio"]


@dataclass(frozen=True)
class LabelLikelihoodRatio(FurtherShadowAttack, PerturbingAttack):
    """Compare which copies of a record the target labels rightly with what shadow models do.

    The target and its shadow models are asked about the same copies, as `votes` makes them, and
    for their labels only. The score is the log-likelihood ratio of the target's shares of right
    labels under the shadow models that saw the record, and under those that did not.

    Parameters
    ----------
    noise, copies, shift, flip
        As for `AugmentationVotes`.
    seed : int
        Of the noise.
    prior : float
        How many shadow models the mean of all of them counts for.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, algorithm 1, with the label-only signal of Choquette-Choo, Tramèr, Carlini
    and Papernot (2021), Label-only membership inference attacks, ICML, sections 3.2 and 3.3.
    """

    name: ClassVar[str] = "label_lira"
    default: ClassVar[bool] = True
    rank: ClassVar[int] = 58
    takes_augmentations: ClassVar[bool] = True

    noise: tuple[float, ...] = (0.03, 0.1, 0.3)
    copies: int = 8
    shift: int = 2
    flip: bool = True
    seed: int = 0
    prior: float = 1.0

    def __post_init__(self) -> None:
        self._choice.require_valid(self.name)
        prior = self.prior
        if isinstance(prior, bool) or not isinstance(prior, (int, float)) or not 0 < prior < 1e9:
            raise LeakproError(f"label_lira: prior is {prior!r}: give a number above 0")

    @property
    def _choice(self) -> CopyChoice:
        return CopyChoice(self.noise, self.copies, self.seed, self.shift, self.flip)

    @property
    def reading_name(self) -> str:
        """See `FurtherShadowAttack.reading_name`."""
        return RightVotes.name

    def reading(self, view: MembershipView) -> Reading:
        """Give the votes; see `FurtherShadowAttack.reading`."""
        return RightVotes(self._choice.of(view))

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the log-likelihood ratio of every record; see `FurtherShadowAttack`."""
        from pytest_leakpro.stats.vote_ratio import vote_log_ratio

        return vote_log_ratio(target, shadow, included, self.prior)
