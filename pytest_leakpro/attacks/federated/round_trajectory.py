"""Round trajectory: how losses and gradients of a record went over the rounds.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.federated.standardising import standardised
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.federated_rounds import FederatedRounds
from pytest_leakpro.targets.gradients import gradient_reading, gradients_lacking
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.round_reading import RoundReading
from pytest_leakpro.targets.round_updates import moved_by
from pytest_leakpro.targets.rounds_view import RoundsView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["RoundTrajectory"]

_FURTHEST = 6.0  # standard deviations: a linear rule is not to hang on a few records


@dataclass(frozen=True)
class RoundTrajectory(MembershipAttack):
    """Follow each record's loss and gradient over all the models that were seen.

    A client that has records of its own and a population learns from these: a logistic regression
    on the log-odds of the true class and the logarithms of gradient norms of every round, and on
    their changes from round to round, tells own records from the population. Nothing of the scored
    records is learned from; the class is left out, since clients differ in their classes.

    Otherwise a record is scored by the rise of its log-odds: from the global model to the client's
    own, averaged over the rounds, where the server sees these; else from the first model seen to
    the later ones. With a population the rises of each round are standardised by its rises.

    Parameters
    ----------
    strength : float
        Inverse of the penalty of the logistic regression; positive.

    References
    ----------
    Nasr, Shokri and Houmansadr (2019), Comprehensive privacy analysis of deep learning, IEEE S&P,
    the passive attacks of a participant and of the server; the classifier there is a network.
    """

    name: ClassVar[str] = "round_trajectory"
    targets: ClassVar[tuple[type, ...]] = (FederatedRounds,)
    access: ClassVar[Access] = Access.WHITE_BOX
    rank: ClassVar[int] = -2

    strength: float = 0.1

    def __post_init__(self) -> None:
        number = isinstance(self.strength, (int, float)) and not isinstance(self.strength, bool)
        if not (number and 0 < self.strength < float("inf")):
            raise LeakproError(f"{self.name}: strength is a positive number, not {self.strength!r}")

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give log-odds of the classifier, or the mean rise; see `MembershipAttack.score`."""
        del rng
        assert isinstance(view, RoundsView)
        n_members = len(view.records("members"))
        if view.own is not None and view.has_population:
            scores = self._learned(view)
        else:
            scores = self._rises(view)
        return scores[:n_members], scores[n_members:]

    def _learned(self, view: RoundsView) -> NDArray[np.float64]:
        from sklearn.linear_model import LogisticRegression

        assert view.own is not None
        gradients = None if gradients_lacking(view.model) else gradient_reading(view.model)
        reading = RoundReading(len(view.checkpoints), gradients)

        def columns(*sides: Records) -> NDArray[np.float64]:
            read = view.read(reading, view.checkpoints, sides)
            steps = read.reshape(reading.models, reading.per_model, -1)
            changes = np.diff(steps, axis=0)
            n = steps.shape[2]
            return np.concatenate([steps.reshape(-1, n), changes.reshape(-1, n)])

        own, population = columns(view.own), columns(view.records("population"))
        known = np.concatenate([own, population], axis=1)
        scored = standardised(columns(view.records("members"), view.records("nonmembers")), known)
        saw = np.arange(known.shape[1]) < own.shape[1]
        with one_thread():
            judge = LogisticRegression(C=self.strength, class_weight="balanced", max_iter=1000).fit(
                _bounded(standardised(known, known)).T, saw
            )
            log_odds: NDArray[np.float64] = judge.decision_function(_bounded(scored).T)
        return log_odds

    def _rises(self, view: RoundsView) -> NDArray[np.float64]:
        """Give the mean rise of the log-odds, shape (n,)."""
        pairs = _pairs(view)
        models = [model for pair in pairs for model in pair] if pairs else view.checkpoints
        reading = RoundReading(len(models))

        def rises(*sides: Records) -> NDArray[np.float64]:
            read = view.read(reading, models, sides)
            return read[1::2] - read[::2] if pairs else read[1:] - read[0]

        found = rises(view.records("members"), view.records("nonmembers"))
        if view.has_population:
            found = standardised(found, rises(view.records("population")))
        return np.asarray(found.mean(axis=0))


def _pairs(view: RoundsView) -> list[tuple[Any, Any]]:
    """Give the global and the client's own model of each round that the server saw it in."""
    if not view.deltas:
        return []
    return [
        (model, moved_by(model, moves))
        for model, moves in zip(view.checkpoints, view.updates, strict=False)
        if moves is not None
    ]


def _bounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(values, -_FURTHEST, _FURTHEST)
