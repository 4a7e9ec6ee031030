"""The loss against that of texts which differ in a few words.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.text.base_attack import check_share
from pytest_leakpro.attacks.text.substitutions import Vocabulary
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.language_model import LanguageModel
from pytest_leakpro.targets.text_view import TextView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["NeighbourhoodComparison"]


@dataclass(frozen=True)
class NeighbourhoodComparison(MembershipAttack):
    """Score a text by how much less likely its neighbours are, on average per token.

    A neighbour has some words replaced by others that are about as frequent, of the population
    where there is one, else of all texts of both sides alike. The source draws them from a masked
    language model, whose neighbours are more natural, hence harder to tell from the text. Asks the
    model about `neighbours` more texts for each.

    Parameters
    ----------
    neighbours : int
        How many per text.
    replaced : float
        The share of words that differ in each, in (0, 1]; one at least.
    reach : int
        How far away in the order of frequency the other words stand.

    References
    ----------
    Mattern, Mireshghallah, Jin, Schölkopf, Sachan and Berg-Kirkpatrick (2023), Membership inference
    attacks against language models via neighbourhood comparison, Findings of ACL, equation 3.
    """

    name: ClassVar[str] = "neighbourhood"
    targets: ClassVar[tuple[type, ...]] = (LanguageModel,)
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 505

    neighbours: int = 10
    replaced: float = 0.1
    reach: int = 20

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("neighbours", "reach"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LeakproError(
                    f"{self.name}: {name} is a whole number of at least 1, not {value!r}"
                )
        check_share(self.name, "replaced", self.replaced)

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Compare each text with its neighbours; see `MembershipAttack.score`."""
        assert isinstance(view, TextView)
        seed = int(rng.integers(2**31))
        sides = ("members", "nonmembers")
        known = ("population",) if view.has_population else sides
        vocabulary = Vocabulary(text for side in known for text in view.texts(side))
        scores = []
        for side in sides:
            made = [
                vocabulary.neighbours(text, self.neighbours, self.replaced, self.reach, seed)
                for text in view.texts(side)
            ]
            likely = [
                view.ask_about(side, [each[number] for each in made]).negative_loss
                for number in range(self.neighbours)
            ]
            scores.append(view.tokens(side).negative_loss - np.mean(likely, axis=0))
        return scores[0], scores[1]
