"""The learned attack: nobody learns from what it scores, and it finds what others find."""

import numpy as np
import pytest
from scipy import special

from pytest_leakpro import Classifier, LeakproError, ShadowSignals
from pytest_leakpro.attacks.membership import learned
from pytest_leakpro.attacks.membership.learned import LearnedAttack
from pytest_leakpro.attacks.membership.lira import LikelihoodRatio
from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.record_facts import RecordFacts, facts_of, unknown_facts
from pytest_leakpro.auditing import ranking
from pytest_leakpro.auditing.ranking import best_variant, rank_attacks
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.roc import auc
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from pytest_leakpro.store import scratch
from tests.attacks.shadow_views import simulated

# As strong for what is asked here, and quick.
SMALL = LearnedAttack(most_targets=4, folds=2)


def rng():
    return np.random.default_rng(0)


def power(evidence, fpr=0.01):
    cut = np.sort(evidence.nonmembers)[-int(fpr * len(evidence.nonmembers))]
    return float(np.mean(evidence.members > cut))


@pytest.mark.parametrize("n_classes", [2, pytest.param(10, marks=pytest.mark.slow), 100])
def test_it_finds_nothing_where_nothing_is(n_classes):
    # As in test_shadow_attacks.py, but it learns once, and who is a member is drawn each time.
    random = rng()
    included = np.stack(Assignment(600, 8, 4, 0))
    classes = random.integers(0, n_classes, 600)
    difficulty = random.normal(0, 2, n_classes)[classes] + random.normal(0, 1, 600)
    # The shadow models leak, so that there is something to learn.
    shadow = difficulty + included + random.normal(0, 0.7, (8, 600))
    facts = RecordFacts(classes, np.arange(600), 600)
    attack = SMALL.prepared(ShadowSignals(shadow, included), facts, random)
    runs, failed = 120, 0
    # All runs are scored at once, as so many records: the same ones over and over.
    again = np.tile(np.arange(600), runs)
    signals = difficulty[again] + random.normal(0, 0.7, len(again))
    scores = attack.score_known(
        signals,
        ShadowSignals(shadow[:, again], included[:, again]),
        facts.take(again),
        random,
    )
    k = choose_rank(300, 300, 0.05, 0.05, 0.025)
    for run in scores.reshape(runs, 600):
        sides = np.split(run[random.permutation(600)], 2)
        above = int(np.sum(sides[0] > np.sort(sides[1])[-k]))
        failed += tpr_p_value(above, 300, k, 300, 0.05, 0.05) <= 0.025
    assert failed / runs <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / runs)


class Recorder:
    """Stands for a classifier: remembers the last column of what it learned from and scored."""

    def __init__(self, columns, saw, seed):
        self.learned = set(columns[:, -1])
        self.scored = set()

    def decision_function(self, columns):
        self.scored |= set(columns[:, -1])
        return np.zeros(len(columns))


def test_who_scores_a_record_never_learned_from_its_unit(monkeypatch):
    monkeypatch.setattr(learned, "_fit", Recorder)
    view = simulated(0, 100, gain=1.0)
    units = np.arange(200) // 4  # their number stands for the class, and so in the last column
    for most_rows in (100_000, 400):  # of which the second learns from some of the records only
        attack = LearnedAttack(most_rows=most_rows)
        attack = attack.prepared(view.shadow, RecordFacts(units, units, 50), rng())
        facts = RecordFacts(units, units, 50)
        for scores, _ in attack.played(view.shadow, facts, 16):
            assert scores.shape == (200,)
        boosters = attack.trained.boosters
        assert len(boosters) == 5
        for booster in boosters:
            assert booster.learned
            assert not booster.learned & booster.scored
        assert sorted(unit for booster in boosters for unit in booster.scored) == list(range(50))


def test_persons_and_classes_of_a_view_are_known_without_its_model():
    random = rng()
    sides = [(random.normal(size=(40, 3)), random.integers(0, 3, 40)) for _ in range(2)]
    groups = [f"m{i // 2}" for i in range(40)], [f"n{i // 4}" for i in range(40)]

    def model(X):
        raise AssertionError

    view = Classifier(model, *sides, classes=range(3), groups=groups).prepare(0)
    facts = facts_of(view, regression=False)
    assert facts.n_units == 20 + 10
    assert np.array_equal(facts.units, np.r_[np.arange(40) // 2, 20 + np.arange(40) // 4])
    assert np.array_equal(facts.classes, np.r_[sides[0][1], sides[1][1]])
    some = facts.take(np.array([3, 70]))
    assert (some.n_units, list(some.units)) == (30, [1, 27])
    assert not facts_of(view, regression=True).classes.any()


def test_it_learns_the_same_alone_and_when_ranked():
    view = simulated(1, 300, gain=1.5)
    alone = SMALL.run(view, derive_rng(7, "attack", "learned"))
    facts = facts_of(view, regression=False)
    found, ranked = best_variant(SMALL, view.shadow, 0.01, regression=False, facts=facts, seed=7)
    assert 0 < found <= 1
    assert ranked == SMALL  # what it learned is no parameter
    again = ranked.run(view, rng())
    assert np.array_equal(alone.members, again.members)
    assert np.array_equal(alone.nonmembers, again.nonmembers)
    other = SMALL.run(view, derive_rng(8, "attack", "learned"))
    assert not np.array_equal(alone.members, other.members)


def test_it_is_near_the_optimal_test():
    # Signals are normal with known means: the exact likelihood ratio is a shift of gain / spread.
    view = simulated(1, 3000, gain=1.5, n_models=16)
    exact = special.ndtr(special.ndtri(0.01) + 1.5 / 0.7)
    likelihood = power(LikelihoodRatio(signal="logit").run(view, rng()))
    assert power(LearnedAttack().run(view, rng())) > max(0.75 * exact, 0.9 * likelihood)


def spread_out(seed, n, n_models=8):
    """Models that saw a record lie higher and closer together, more so for some records."""
    random = np.random.default_rng(seed)
    included = np.stack(Assignment(n, n_models, n_models // 2, seed))
    saw = random.permutation(n) < n // 2
    level, kind = random.normal(0, 2, n), random.uniform(size=n) < 0.2

    def signals(inside):
        gain = np.where(kind, 4.0, 0.2) * inside
        width = np.where(inside & kind, 0.3, 1.5)
        return level + gain + width * random.normal(size=n)

    shadow = np.stack([signals(row) for row in included])
    return signals(saw), shadow, included, saw


def test_it_finds_more_where_records_differ():
    target, shadow, included, saw = spread_out(0, 4000)
    found = {}
    attacks = [LearnedAttack(), *LikelihoodRatio().variants(regression=False)]
    for attack in attacks:
        scores = attack.score_records(target, shadow, included)
        cut = np.sort(scores[~saw])[-20]
        found[getattr(attack, "signal", "learned")] = float(np.mean(scores[saw] > cut))
    loss = float(np.mean(target[saw] > np.sort(target[~saw])[-20]))
    best = found.pop("learned")
    assert best > 2 * loss
    assert best > max(found.values())


@pytest.mark.parametrize("n_in", [4, 6])
def test_counts_teach_nothing(n_in):
    # Counts differ from record to record, and spreads would tell them; signals leak nothing.
    random = rng()
    included = random.uniform(size=(12, 1500)) < n_in / 12
    enough = (included.sum(axis=0) >= 3) & (included.sum(axis=0) <= 9)
    included = included[:, enough]
    shadow = random.normal(size=included.shape)
    known, facts = ShadowSignals(shadow, included), unknown_facts(included.shape[1])
    # The counts themselves stand for the class.
    facts = RecordFacts(included.sum(axis=0), facts.units, facts.n_units)
    attack = LearnedAttack(most_targets=12, folds=2).prepared(known, facts, random)
    # Among records of equal counts alike: a score that follows counts would show in the sum.
    scores = attack.score_records(random.normal(size=included.shape[1]), shadow, included)
    log_odds = np.concatenate([s - s.mean() for s, _ in attack.played(known, facts, 12)])
    assert abs(np.corrcoef(np.tile(facts.classes, 12), log_odds)[0, 1]) < 0.2
    assert scores.std() < 0.3


def test_a_constant_model_teaches_nothing_and_extremes_do_no_harm():
    view = simulated(2, 50, gain=1.0, n_models=6)
    flat = ShadowSignals(np.zeros((6, 100)), view.shadow.included)
    scores = SMALL.score_records(np.zeros(100), flat.shadow, flat.included)
    assert np.ptp(scores) < 1e-12
    for sure in (690.0, -690.0):
        shadow = np.full((6, 100), sure)
        scores = SMALL.score_records(np.linspace(-700, 700, 100), shadow, flat.included)
        assert np.isfinite(scores).all()


def test_one_kind_of_row_is_nothing_to_learn_from():
    assert learned._fit(np.zeros((9, 3), np.float32), np.ones(9, bool), 0) is None
    features = learned.ShadowFeatures(np.zeros((6, 3)), regression=False)
    trained = learned.Trained(features, np.zeros(3, np.intp), (None,))
    included = np.repeat([[True], [False]], 3, axis=0) & np.ones(3, bool)
    known = ShadowSignals(np.zeros((6, 3)), included)
    assert (trained.log_odds(np.zeros(3), known, unknown_facts(3), 0) == 0).all()


@pytest.mark.parametrize(("n_models", "n_in"), [(7, 3), (9, 6), (16, 4)])
def test_unequal_shares_do(n_models, n_in):
    random = rng()
    included = np.stack(Assignment(1000, n_models, n_in, 0))
    saw = random.permutation(1000) < 500
    shadow = random.normal(0, 3, 1000) + 2 * included + random.normal(0, 0.5, (n_models, 1000))
    # Of the same records: the level of each is what the models have in common.
    level = np.where(included, shadow - 2, shadow).mean(axis=0)
    target = level + 2 * saw + random.normal(0, 0.5, 1000)
    scores = SMALL.score_records(target, shadow, included)
    assert auc(scores[saw], scores[~saw]) > 0.9


def test_too_few_shadow_models():
    view = simulated(3, 30, n_models=4)
    assert "at least 3 shadow models" in LearnedAttack().lacking(view.shadow)
    with pytest.raises(LeakproError, match="'learned' does not match: each record must be in at"):
        LearnedAttack().run(view, rng())


@pytest.mark.parametrize("options", [{"folds": 1}, {"most_targets": 0}, {"most_rows": 1.5}])
def test_parameters_that_cannot_be(options):
    with pytest.raises(LeakproError, match=r"learned: .* is a whole number of at least"):
        LearnedAttack(**options)


def test_scores_follow_the_records_whatever_holds_them(monkeypatch, tmp_path):
    view = simulated(4, 100, gain=1.0)
    facts = unknown_facts(200)
    attack = SMALL.prepared(view.shadow, facts, rng())
    target = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    shadow, included = view.shadow.shadow, view.shadow.included
    straight = attack.score_records(target, shadow, included)
    np.save(tmp_path / "shadow.npy", shadow)
    monkeypatch.setattr(scratch, "_SMALL", 0)
    mapped = ShadowSignals(tmp_path / "shadow.npy", included)
    assert np.array_equal(
        SMALL.prepared(mapped, facts, rng()).score_records(target, mapped.shadow, included),
        straight,
    )


def test_what_a_ranking_learned_from_some_records_scores_all(monkeypatch):
    view = simulated(5, 1000, gain=1.5)
    facts = facts_of(view, regression=False)
    monkeypatch.setattr(ranking, "_MOST_RECORDS", 500)
    first = rank_attacks([SMALL, LossThreshold()], view.shadow, None, regression=False, facts=facts)
    assert [attack.name for attack in first] == ["learned", "loss"]
    assert first[0].trained.folds.shape == (2000,)
    evidence = first[0].run(view, rng())
    assert evidence.sizes == (1000, 1000)
    assert auc(evidence.members, evidence.nonmembers) > 0.8
