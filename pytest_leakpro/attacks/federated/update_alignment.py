"""Update alignment: what a client sends points where its own records pull.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.federated.standardising import standardised
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.federated_rounds import FederatedRounds
from pytest_leakpro.targets.rounds_view import RoundsView
from pytest_leakpro.targets.update_alignment import AlignmentReading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["UpdateAlignment"]


@dataclass(frozen=True)
class UpdateAlignment(MembershipAttack):
    """Score a record by the cosine between a client's updates and minus its own gradient.

    An update is a sum over the client's records. With many more weights than records gradients of
    different records are nearly orthogonal, so that only a member's own term gives it a share of
    the update. Cosines are standardised in each round by those of population records, where there
    is a population, and averaged over the rounds.

    References
    ----------
    Li, Li and Ribeiro (2023), Effective passive membership inference attacks in federated learning
    against overparameterized models, ICLR, the attack by cosine similarity.
    """

    name: ClassVar[str] = "update_alignment"
    targets: ClassVar[tuple[type, ...]] = (FederatedRounds,)
    access: ClassVar[Access] = Access.WHITE_BOX
    needs_also: ClassVar[str] = "updates of the audited client"
    rank: ClassVar[int] = -3

    def mismatch(self, target: Any) -> str | None:
        """Refuse who does not see updates; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and not target.updates:
            reason = "it needs what the client sent: give access='server' and updates="
        return reason

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the mean standardised cosine; see `MembershipAttack.score`."""
        del rng
        assert isinstance(view, RoundsView)
        reading = AlignmentReading(view.updates)
        members, nonmembers = view.records("members"), view.records("nonmembers")
        cosines = view.read(reading, view.checkpoints, [members, nonmembers])
        if view.has_population:
            reference = view.read(reading, view.checkpoints, [view.records("population")])
            cosines = standardised(cosines, reference)
        scores = cosines.mean(axis=0)
        return scores[: len(members)], scores[len(members) :]
