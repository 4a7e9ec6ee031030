"""Attacks that shadow models teach to tell trajectories of members from those of others.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from pytest_leakpro.attacks.membership.further_attack import FurtherShadowAttack
from pytest_leakpro.attacks.membership.out_of_fold import pairs_left_out, score_out_of_fold
from pytest_leakpro.attacks.membership.playing import FEWEST_PLAYERS, even_counts, lacking_players
from pytest_leakpro.attacks.membership.record_facts import RecordFacts, facts_of, unknown_facts
from pytest_leakpro.attacks.membership.trajectory_features import TrajectoryFeatures
from pytest_leakpro.attacks.membership.trajectory_reading import (
    CheckpointTrajectory,
    DistilledTrajectory,
    n_metrics,
)
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.scratch import scratch_array
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.torch_trainer import TorchTrainer
from pytest_leakpro.targets.trainers import CloneTrainer, trainer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["Judge", "TrajectoryAttack"]


class Judge(Protocol):
    """What was learned from some records."""

    def log_odds(self, features: NDArray[np.float32], classes: NDArray[Any]) -> NDArray[np.float64]:
        """Score records, features of shape (n, T, channels); the higher, the likelier a member."""


@dataclass(frozen=True, repr=False, eq=False)
class _Trained:
    """Judges, one per fold of the units, each taught without that fold.

    Attributes
    ----------
    features : TrajectoryFeatures
        What they read.
    folds : ndarray of int, shape (n_units,)
        The fold of each unit.
    judges : tuple
        None where there was nothing to learn from.
    """

    features: TrajectoryFeatures
    folds: NDArray[np.intp]
    judges: tuple[Judge | None, ...]

    def log_odds(
        self, target: NDArray[Any], known: _Known, facts: RecordFacts, without: int
    ) -> NDArray[np.float64]:
        """Score every record by the judge that saw none of its unit, shape (n,)."""
        own_rows = target[: self.features.n_rows]
        columns = self.features.read(own_rows, known.shadow, known.included, without)
        return score_out_of_fold(
            self.folds[facts.units],
            self.judges,
            lambda judge, rows: judge.log_odds(columns[rows], facts.classes[rows]),
        )


@dataclass(frozen=True, repr=False, eq=False)
class _Known:
    """Trajectories of shadow models, which records they saw, and how many metrics there are."""

    shadow: NDArray[Any]
    included: NDArray[np.bool_]
    metrics: int

    def take(self, positions: NDArray[np.intp]) -> _Known:
        """Take some of the records, by position."""
        return replace(
            self, shadow=self.shadow[:, :, positions], included=self.included[:, positions]
        )


@dataclass(frozen=True)
class TrajectoryAttack(FurtherShadowAttack):
    """An attack that learns what trajectories of members look like.

    With checkpoints of the target the trajectory is theirs, and that of its shadow models their
    checkpoints'. Without, the attacker distils each of the models on a population, and reads the
    students on their way. Each shadow model plays the target of the others, and a record is scored
    by what was learned from other records, as in the attack ``learned``.

    A subclass teaches one classifier.

    Parameters
    ----------
    most_targets : int
        At most how many shadow models play the target in training.
    folds : int
        Into how many parts the records, or persons, are divided.
    most_rows : int
        At most how many pairs of a record and a playing model are learned from.
    epochs : int
        How often a student sees each record of the population.
    students : int
        How many of its states are read.
    trained
        What was learned already, of the attack that a ranking gives back.
    """

    fewest_shadow_models: ClassVar[int] = FEWEST_PLAYERS
    needs_also: ClassVar[str] = "checkpoints or population"
    default: ClassVar[bool] = False
    only_losses: ClassVar[bool]
    uses_torch: ClassVar[bool]

    most_targets: int = 8
    folds: int = 5
    most_rows: int = 100_000
    epochs: int = 30
    students: int = 10
    trained: _Trained | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        least = {"most_targets": 1, "folds": 2, "most_rows": 1, "epochs": 2, "students": 2}
        for name, fewest in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < fewest:
                raise LeakproError(
                    f"{self.name}: {name} is a whole number of at least {fewest}, not {value!r}"
                )
        if self.students > min(self.epochs, 100):
            raise LeakproError(
                f"{self.name}: students={self.students} of {self.epochs} epochs: give at most "
                f"{min(self.epochs, 100)}"
            )

    @abstractmethod
    def teach(
        self,
        features: NDArray[np.float32],
        classes: NDArray[Any],
        saw: NDArray[np.bool_],
        seed: int,
    ) -> Judge:
        """Teach a classifier.

        Parameters
        ----------
        features : ndarray of shape (rows, T, channels)
        classes : ndarray of shape (rows,)
        saw : ndarray of bool, shape (rows,)
            Both kinds are there.
        seed : int
        """

    @property
    def reading_name(self) -> str:
        """The name of what is read of every model."""
        return CheckpointTrajectory.name

    def wants_population(self, target: Any) -> bool:
        """Tell whether models are to be distilled; see `Attack.wants_population`."""
        return not target.checkpoints

    def mismatch(self, target: Any) -> str | None:
        """Refuse shadow models that leave no checkpoints; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is not None:
            return reason
        if (self.uses_torch or not target.checkpoints) and find_spec("torch") is None:
            what = "it learns" if self.uses_torch else "without checkpoints= it distils the model"
            return f"{what} with torch, which is not installed: pip install 'pytest-leakpro[torch]'"
        n_checkpoints = len(target.checkpoints)
        train = trainer_of(target)
        if n_checkpoints and isinstance(train, CloneTrainer):
            return (
                "its shadow models leave checkpoints as the target did, and clones of a "
                "scikit-learn estimator leave none: give train=, a function that returns the list "
                "of them, the fitted model last"
            )
        if n_checkpoints and isinstance(train, TorchTrainer) and train.checkpoints != n_checkpoints:
            return (
                f"its shadow models leave as many checkpoints as the target has, {n_checkpoints} "
                f"with the final model: give TorchTrainer(..., checkpoints={n_checkpoints})"
            )
        return None

    def reading(self, view: MembershipView) -> Reading:
        """Give what is read of the target and its shadow models."""
        regression = view.regression
        if view.checkpoints:
            return CheckpointTrajectory(regression, len(view.checkpoints))
        train = view.train
        torch_recipe = isinstance(train, TorchTrainer)
        return DistilledTrajectory(
            regression,
            view.records("population"),
            train.module if torch_recipe else None,
            train.device if torch_recipe else "cpu",
            self.epochs,
            self.students,
        )

    def lacking(self, shadow: ShadowSignals) -> str | None:
        """Refuse where no shadow model can play the target; see `ShadowAttack.lacking`."""
        return super().lacking(shadow) or lacking_players(shadow)

    def prepared(
        self, shadow: ShadowSignals, facts: RecordFacts, rng: np.random.Generator
    ) -> TrajectoryAttack:
        """Teach the classifiers; see `ShadowAttack.prepared`."""
        return replace(self, trained=self._train(self._known(shadow, facts), facts, rng))

    def played(
        self, shadow: ShadowSignals, facts: RecordFacts, most: int
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
        """Score records by classifiers taught on others; see `ShadowAttack.played`."""
        assert self.trained is not None
        known = self._known(shadow, facts)
        for index in range(min(shadow.n_models, most)):
            target = np.asarray(known.shadow[index])
            yield self.trained.log_odds(target, known, facts, index), known.included[index]

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Score records of a classifier of whom nothing else is known; see the base."""
        facts = unknown_facts(target.shape[1])
        known = _Known(shadow, included, n_metrics(regression=False))
        return self._score(target, known, facts, np.random.default_rng(0))

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Score from losses alone, as if the training had one moment."""
        facts, known = unknown_facts(len(target)), _Known(shadow[:, None], included, 1)
        return self._score(target[None], known, facts, np.random.default_rng(0))

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score members and non-members together; see `MembershipAttack.score`."""
        assert view.shadow is not None
        n_members = len(view.records("members"))
        n_records = n_members + len(view.records("nonmembers"))
        shadow = view.shadow.take(np.arange(n_records))  # a population stands behind them
        lacking = self.lacking(shadow)
        if lacking is not None:
            raise LeakproError(f"the attack {self.name!r} does not match: {lacking}")
        target = view.further(self.reading(view))
        facts = facts_of(view, regression=view.regression)
        scores = self._score(target, self._known(shadow, facts), facts, rng)
        return scores[:n_members], scores[n_members:]

    def _known(self, shadow: ShadowSignals, facts: RecordFacts) -> _Known:
        metrics = n_metrics(regression=facts.regression)
        return _Known(shadow.further[self.reading_name], shadow.included, metrics)

    def _score(
        self, target: NDArray[Any], known: _Known, facts: RecordFacts, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        trained = self.trained or self._train(known, facts, rng)
        versions = pairs_left_out(len(known.included))
        scores = np.zeros(target.shape[1])
        for without in versions:
            scores += trained.log_odds(target, known, facts, without)
        return scores / len(versions)

    def _train(self, known: _Known, facts: RecordFacts, rng: np.random.Generator) -> _Trained:
        n_models, n_rows, n_records = known.shadow.shape
        folds = rng.permutation(facts.n_units) % self.folds
        seed = int(rng.integers(2**31))
        n_plays = min(n_models, self.most_targets)
        most = max(1, self.most_rows // n_plays)
        if n_records > most:
            positions = np.linspace(0, n_records - 1, most).astype(np.intp)
            known, facts = known.take(positions), facts.take(positions)
        metrics = 1 if self.only_losses else known.metrics
        kept = n_rows // known.metrics * metrics
        features = TrajectoryFeatures(known.shadow[:, :kept], metrics, regression=facts.regression)
        columns = scratch_array(
            (n_plays, known.shadow.shape[2], features.n_steps, features.n_channels), np.float32
        )
        for index in range(n_plays):
            target = np.asarray(known.shadow[index, :kept])
            columns[index] = features.read(target, known.shadow, known.included, index)
        saw = known.included[:n_plays]
        rows = even_counts(known.included, rng)[:n_plays]
        classes = np.broadcast_to(facts.classes, saw.shape)
        judges: list[Judge | None] = []
        with one_thread():
            for fold in range(self.folds):
                own = rows & (folds[facts.units] != fold)
                mixed = bool(saw[own].any()) and not bool(saw[own].all())
                judges.append(
                    self.teach(columns[own], classes[own], saw[own], seed) if mixed else None
                )
        return _Trained(features, folds, tuple(judges))
