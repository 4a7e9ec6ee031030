"""You only query once: one crafted query per record, at which models that saw it stand apart.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.answer_chances import chance_of_label
from pytest_leakpro.attacks.membership.crafted_query import CraftedQuery
from pytest_leakpro.attacks.membership.crafting import Aim, Crafting
from pytest_leakpro.attacks.membership.perturbing import movable_of, perturbed
from pytest_leakpro.attacks.membership.surrogates import (
    counted_records,
    keeps_label,
    surrogates_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["OnlyOneQuery"]


@dataclass(frozen=True)
class OnlyOneQuery(CraftedQuery):
    """Ask about a record moved to where the models that saw it keep its label, and others do not.

    The attacker trains models on halves of the records. Half of the models move the record, the
    other half tell at which step the label says most, and how much it says there.

    Parameters
    ----------
    models : int
        How many models to train, a multiple of 4: each record is in half of those that move it,
        and in half of those that tell.
    steps : int
        How many steps a record is moved at most.
    length : float
        Root mean square of a step, in standard deviations of what moves.
    out_weight : float
        How much the models that did not see the record weigh, against one for those that did
        (alpha of the paper).

    References
    ----------
    Wu, Qiu, Guo, Li and Zhang (2024), You only query once: an efficient label-only membership
    inference attack, ICLR, the online attack; `oslo` does without models that saw the record, as
    its offline one. Added here: the step is chosen, and the answer weighed, by models that
    did not craft the query, so that scores rank records instead of being 0 or 1.
    """

    name: ClassVar[str] = "yoqo"
    rank: ClassVar[int] = 54

    out_weight: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("out_weight")

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Craft one query per record, and weigh the answer; see `MembershipAttack.score`."""
        surrogates = surrogates_of(view, self.models)
        records, movable = counted_records(view), movable_of(view)
        aim = _Apart(surrogates.included, self.out_weight)
        right = np.zeros(len(records), dtype=bool)
        margins = np.empty((self.models, len(records)))
        crafting = Crafting(surrogates, movable, self.steps, self.length)
        for block in crafting.blocks(records, aim, rng):
            query = perturbed(records, block.positions, block.matrices[0], movable)
            right[block.positions] = keeps_label(view, query)
            margins[:, block.positions] = block.margins[0]
        scores = aim.weigh(right, margins)
        n_members = len(view.records("members"))
        return scores[:n_members], scores[n_members:]


class _Apart(Aim):
    """Models that saw a record are to keep its label, the others to lose it.

    The first half of the models moves the record, the second half tells how far apart they are.
    """

    def __init__(self, included: NDArray[np.bool_], out_weight: float) -> None:
        self._included = included
        self._tells = np.arange(len(included))[:, None] >= len(included) // 2
        pull = np.where(included, 1.0, -out_weight) * ~self._tells
        super().__init__(pull, np.broadcast_to(self._tells, included.shape))

    def _chances(
        self, margins: NDArray[np.float64], included: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the chance of the true label with a model that saw it, and with one that did not."""
        seen = chance_of_label(margins, self._tells & included)
        return seen, chance_of_label(margins, self._tells & ~included)

    def worth(
        self, step: int, margins: NDArray[np.float64], positions: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Give how much the answer tells where the record was seen; see `Aim.worth`."""
        del step
        seen, unseen = self._chances(margins, self._included[:, positions])
        told = seen * np.log(seen / unseen) + (1 - seen) * np.log((1 - seen) / (1 - unseen))
        return np.asarray(told)[None]

    def weigh(self, right: NDArray[np.bool_], margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the log-likelihood ratio of the answers, shape (n,)."""
        seen, unseen = self._chances(margins, self._included)
        return np.where(right, np.log(seen / unseen), np.log((1 - seen) / (1 - unseen)))
