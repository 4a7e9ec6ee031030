"""The votes attack: what the model labels rightly however it is disturbed was more likely seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.membership.copies import CopyChoice, RightVotes
from pytest_leakpro.attacks.membership.perturbing_attack import PerturbingAttack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["AugmentationVotes"]


@dataclass(frozen=True)
class _OwnVotes(RightVotes):
    """Kept apart from what `label_lira` reads, whose copies may be others."""

    name: ClassVar[str] = "votes"


@dataclass(frozen=True)
class AugmentationVotes(PerturbingAttack):
    """Score a record by the share of its copies, and of itself, that are labelled rightly.

    Each kind of copies counts alike. Augmentations that are given with the target make the copies.
    Without them images are shifted and mirrored, and numeric columns of tables get noise, which is
    the same for all records.

    Parameters
    ----------
    noise : tuple of float
        Standard deviations of the noise, in units of each column's own over the population, or
        over all scored records where there is none.
    copies : int
        Copies for each of them.
    shift : int
        The most pixels that an image is shifted by, in both directions together.
    flip : bool
        Whether it is mirrored as well.

    References
    ----------
    Choquette-Choo, Tramèr, Carlini and Papernot (2021), Label-only membership inference attacks,
    ICML, sections 3.2 (augmentations) and 3.3 (random noise).
    """

    name: ClassVar[str] = "votes"
    rank: ClassVar[int] = 62
    takes_augmentations: ClassVar[bool] = True

    noise: tuple[float, ...] = (0.03, 0.1, 0.3)
    copies: int = 8
    shift: int = 2
    flip: bool = True

    def __post_init__(self) -> None:
        self._choice(0).require_valid(self.name)

    def _choice(self, seed: int) -> CopyChoice:
        return CopyChoice(self.noise, self.copies, seed, self.shift, self.flip)

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the share of right labels; see `MembershipAttack.score`."""
        reading = _OwnVotes(self._choice(int(rng.integers(2**63))).of(view))
        shares = view.further(reading).mean(axis=0)
        n_members = len(view.records("members"))
        return shares[:n_members], shares[n_members:]
