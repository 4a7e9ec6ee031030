"""The learned attack: shadow models that play the target teach how to weigh all that is known.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.learned_classifiers import Trained, read_columns
from pytest_leakpro.attacks.membership.learned_readings import (
    LEARNED_READINGS,
    readings_to_learn_from,
)
from pytest_leakpro.attacks.membership.out_of_fold import pairs_left_out
from pytest_leakpro.attacks.membership.playing import FEWEST_PLAYERS, even_counts, lacking_players
from pytest_leakpro.attacks.membership.record_facts import RecordFacts, facts_of, unknown_facts
from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
from pytest_leakpro.attacks.membership.shadow_features import ShadowFeatures
from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.store.scratch import scratch_array
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.language_model import LanguageModel
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.regressor import Regressor
from pytest_leakpro.targets.shadow_signals import ShadowSignals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading

__all__ = ["LearnedAttack"]

# Small steps, large leaves and few columns to a split: top scores rest on many records.
_BOOSTER = {
    "learning_rate": 0.05,
    "max_iter": 100,
    "min_samples_leaf": 100,
    "l2_regularization": 10.0,
    "max_features": 0.3,
    "early_stopping": False,
}


@dataclass(frozen=True)
class LearnedAttack(ShadowAttack):
    """Let a gradient-boosted classifier weigh what the attacks read, as shadow models teach it.

    Each shadow model plays the target of the others: which records it saw is known. A record is
    scored by a classifier that was trained on other records. The target, too, is attacked without
    one pair of shadow models, as those that played were; with few shadow models by up to four pairs
    in turn, and the scores are averaged.

    Parameters
    ----------
    most_targets : int
        At most how many shadow models play the target in training.
    folds : int
        Into how many parts the records, or persons, are divided.
    most_rows : int
        At most how many pairs of a record and a playing model are learned from.
    further : tuple of str
        What else is read of every model, where the attacker can see it and shadow models are
        trained here: "gradients" with access to weights, "text scores" of language models.
    trained
        What was learned already, of the attack that a ranking gives back.

    References
    ----------
    Wolpert (1992), Stacked generalization, Neural Networks 5(2), of the scores of Carlini et al.
    (2022), Membership inference attacks from first principles, IEEE S&P, and of Zarifzadeh, Liu
    and Shokri (2024), Low-cost high-power membership inference attacks, ICML; the classifier
    trained on shadow models is that of Shokri, Stronati, Song and Shmatikov (2017), Membership
    inference attacks against machine learning models, IEEE S&P, section V.D.
    """

    name: ClassVar[str] = "learned"
    targets: ClassVar[tuple[type, ...]] = (Classifier, Regressor, LanguageModel)
    rank: ClassVar[int] = 1
    fewest_shadow_models: ClassVar[int] = FEWEST_PLAYERS

    most_targets: int = 8
    folds: int = 5
    most_rows: int = 100_000
    further: tuple[str, ...] = tuple(LEARNED_READINGS)
    trained: Trained | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, least in (("most_targets", 1), ("folds", 2), ("most_rows", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise LeakproError(
                    f"learned: {name} is a whole number of at least {least}, not {value!r}"
                )
        if not isinstance(self.further, tuple):
            raise LeakproError(
                f"learned: further is a {type(self.further).__name__}: give a tuple of names"
            )
        for name in self.further:
            if name not in LEARNED_READINGS:
                raise LeakproError(
                    f"learned: further holds {name!r}{nearest_match(str(name), LEARNED_READINGS)}: "
                    f"known are {', '.join(LEARNED_READINGS)}"
                )

    def readings(self, view: MembershipView) -> tuple[Reading, ...]:
        """Give what can be read beyond the loss; see `MembershipAttack.readings`."""
        return readings_to_learn_from(self.further, view)

    def lacking(self, shadow: ShadowSignals) -> str | None:
        """Refuse where no shadow model can play the target; see `ShadowAttack.lacking`."""
        return lacking_players(shadow)

    def prepared(
        self, shadow: ShadowSignals, facts: RecordFacts, rng: np.random.Generator
    ) -> LearnedAttack:
        """Train the classifiers; see `ShadowAttack.prepared`."""
        names = tuple(name for name in self.further if name in shadow.further)
        return replace(self, trained=self._train(shadow, facts, rng, names))

    def played(
        self, shadow: ShadowSignals, facts: RecordFacts, most: int
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
        """Score records by classifiers that were trained on others; see `ShadowAttack.played`."""
        assert self.trained is not None
        for index in range(min(shadow.n_models, most)):
            target = np.asarray(shadow.shadow[index])
            further = {name: values[index] for name, values in shadow.further.items()}
            scores = self.trained.log_odds(target, shadow, facts, index, further)
            yield scores, shadow.included[index]

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Score records of a classifier of whom nothing else is known; see `ShadowAttack`."""
        known = ShadowSignals(shadow, included)
        rng = np.random.default_rng(0)
        return self.score_known(target, known, unknown_facts(len(target)), rng)

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score members and non-members together; see `MembershipAttack.score`."""
        assert view.shadow is not None
        members, nonmembers = view.members, view.nonmembers
        target = np.concatenate([members.negative_loss, nonmembers.negative_loss])
        facts = facts_of(view, regression=view.regression)
        known = view.shadow.take(np.arange(len(target)))
        further = {
            reading.name: view.further(reading)
            for reading in self.readings(view)
            if reading.name in known.further
        }
        scores = self.score_known(target, known, facts, rng, further)
        return scores[: len(members)], scores[len(members) :]

    def score_known(
        self,
        target: NDArray[Any],
        shadow: ShadowSignals,
        facts: RecordFacts,
        rng: np.random.Generator,
        further: Mapping[str, NDArray[Any]] | None = None,
    ) -> NDArray[np.float64]:
        """Score records on which there are facts.

        Parameters
        ----------
        target : ndarray of shape (n,)
            The attacked model's signals.
        shadow : ShadowSignals
            On the same records.
        facts : RecordFacts
            On the same records; units numbered as where the attack learned, if it has already.
        rng : numpy.random.Generator
            For the folds, if it has not.
        further : mapping of str to ndarray of shape (q, n), optional
            What else was read of the attacked model; what `shadow` holds under the same names is
            learned from.

        Returns
        -------
        ndarray of shape (n,)
            Mean log-odds of being a member.

        Raises
        ------
        LeakproError
            Where no shadow model can play the target.
        """
        further = further or {}
        names = tuple(name for name in self.further if name in shadow.further and name in further)
        trained = self.trained
        if trained is None or trained.features.names != names:
            trained = self._train(shadow, facts, rng, names)
        versions = pairs_left_out(shadow.n_models)
        scores = np.zeros(len(target))
        for without in versions:
            scores += trained.log_odds(target, shadow, facts, without, further)
        scores /= len(versions)
        return scores

    def _train(
        self,
        shadow: ShadowSignals,
        facts: RecordFacts,
        rng: np.random.Generator,
        names: tuple[str, ...] = (),
    ) -> Trained:
        lacking = self.lacking(shadow)
        if lacking is not None:
            raise LeakproError(f"the attack {self.name!r} does not match: {lacking}")
        folds = rng.permutation(facts.n_units) % self.folds
        seed = int(rng.integers(2**31))
        n_plays = min(shadow.n_models, self.most_targets)
        most = max(1, self.most_rows // n_plays)
        if shadow.n_records > most:
            positions = np.linspace(0, shadow.n_records - 1, most).astype(np.intp)
            shadow, facts = shadow.take(positions), facts.take(positions)
        further = {name: shadow.further[name] for name in names}
        features = ShadowFeatures(shadow.shadow, regression=facts.regression, further=further)
        shape = n_plays, shadow.n_records
        columns = scratch_array((*shape, features.n_features), np.float32)
        for index in range(n_plays):
            target = np.asarray(shadow.shadow[index])
            own = {name: values[index] for name, values in further.items()}
            columns[index] = read_columns(features, target, shadow, facts, index, own)
        saw = shadow.included[:n_plays]
        kept = even_counts(shadow.included, rng)[:n_plays]
        # Loaded before, since only threads of libraries that are loaded already are held back.
        import_module("sklearn.ensemble")
        boosters = []
        with one_thread():
            for fold in range(self.folds):
                rows = kept & (folds[facts.units] != fold)
                boosters.append(_fit(columns[rows], saw[rows], seed))
        return Trained(features, folds, tuple(boosters))


def _fit(columns: NDArray[np.float32], saw: NDArray[np.bool_], seed: int) -> Any:
    """Fit one classifier; None where all rows are of one kind."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    if saw.all() or not saw.any():
        return None
    return HistGradientBoostingClassifier(**_BOOSTER, random_state=seed).fit(columns, saw)
