"""One shot: an adversarial example of a record, made on models that did not see it.

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
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["OneShot"]


@dataclass(frozen=True)
class OneShot(CraftedQuery):
    """Move a record until models that did not see it let go of its label; who saw it holds on.

    Half of these models move the record, the other half, which it was not made on, say when it is
    far enough: as soon as their mean confidence in the label is below a threshold. Where a
    population is given, all models learn from parts of it; else each record is moved by those that
    were trained on halves without it. The score is how much the target's answer would surprise of
    a model that did not see the record: minus the logarithm of its chance where the label is kept,
    plus that where it is lost.

    Parameters
    ----------
    models : int
        How many models to train, a multiple of 4. Of these each record is asked about at half;
        with a population at all.
    steps : int
        How many steps a record is moved at most.
    length : float
        Root mean square of a step, in standard deviations of what moves.
    thresholds : tuple of float
        Confidences, in (0, 1), each of which takes one query per record: its share against the
        strongest other label. With several the scores are added.

    References
    ----------
    Peng, Roh, Maji and Houmansadr (2024), OSLO: one-shot label-only membership inference attacks,
    NeurIPS, algorithm 1. Steps follow normalised gradients with momentum (Dong et al. 2018,
    Boosting adversarial attacks with momentum, CVPR); the paper found the choice of the
    transferred attack to matter little.
    """

    name: ClassVar[str] = "oslo"
    rank: ClassVar[int] = 56

    steps: int = 32
    thresholds: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        super().__post_init__()
        told = self.thresholds
        if (
            not isinstance(told, tuple)
            or not told
            or not all(isinstance(value, float) and 0 < value < 1 for value in told)
        ):
            raise LeakproError(
                f"oslo: thresholds are confidences above 0 and below 1, such as (0.5,), not "
                f"{told!r}"
            )

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Craft one query per record and threshold; see `MembershipAttack.score`."""
        surrogates = surrogates_of(view, self.models, apart=view.has_population)
        records, movable = counted_records(view), movable_of(view)
        aim = _LetGo(surrogates.included, self.thresholds)
        shape = len(self.thresholds), len(records)
        right, margins = np.zeros(shape, dtype=bool), np.empty((shape[0], *aim.pull.shape))
        crafting = Crafting(surrogates, movable, self.steps, self.length)
        for block in crafting.blocks(records, aim, rng):
            for index, matrix in enumerate(block.matrices):
                query = perturbed(records, block.positions, matrix, movable)
                right[index, block.positions] = keeps_label(view, query)
            margins[:, :, block.positions] = block.margins
        scores = np.zeros(len(records))
        for answers, read in zip(right, margins, strict=True):
            chance = chance_of_label(read, aim.tells)
            scores += np.where(answers, -np.log(chance), np.log(1 - chance))
        n_members = len(view.records("members"))
        return scores[:n_members], scores[n_members:]


class _LetGo(Aim):
    """Models that did not see a record are to lose its label, and no more than that.

    The first half of the models moves the record, the second half tells when to stop.
    """

    enough: ClassVar[float] = 1.0
    thrifty: ClassVar[bool] = True

    def __init__(self, included: NDArray[np.bool_], thresholds: tuple[float, ...]) -> None:
        moves = np.arange(len(included))[:, None] < len(included) // 2
        self.tells = ~moves & ~included
        self._thresholds = np.array(thresholds)[:, None]
        super().__init__(np.where(moves & ~included, -1.0, 0.0), self.tells, len(thresholds))

    def worth(
        self, step: int, margins: NDArray[np.float64], positions: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Prefer the first step below a threshold, else the nearest to it; see `Aim.worth`."""
        del step
        told = self.tells[:, positions]
        sure = 1 / (1 + np.exp(-np.where(told, margins, 0.0)))
        confidence = np.sum(sure, axis=0, where=told) / told.sum(axis=0)
        # Later steps are worth no more than the first one below, so that it is the one taken.
        return np.where(confidence < self._thresholds, self.enough, -confidence)
