"""YOQO and OSLO: one crafted query per record, by models of the attacker's own."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier, LeakproError, audit
from pytest_leakpro.attacks.membership.oslo import OneShot
from pytest_leakpro.attacks.membership.yoqo import OnlyOneQuery
from pytest_leakpro.stats.roc import auc
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from tests.attacks.own_recipes import Means, bumps, near_boundary, torch_bumps

N = 60
YOQO = OnlyOneQuery(models=8, steps=16, length=0.05)
OSLO = OneShot(models=8, steps=24, length=0.05)
ATTACKS = pytest.mark.parametrize("attack", [YOQO, OSLO], ids=lambda attack: attack.name)


def target_of(train, access="label", **options):
    members, nonmembers = near_boundary(0, N), near_boundary(1, N)
    return Classifier(
        train(*members, 0),
        members,
        nonmembers,
        train=train,
        classes=(0, 1),
        output="logits",
        access=access,
        **options,
    )


@ATTACKS
def test_who_keeps_a_label_beyond_the_boundary_has_seen_the_record(attack):
    """By gradients nearly all are found, although the label of the record itself says nothing."""
    pytest.importorskip("torch")
    view = target_of(torch_bumps).prepare(0)
    assert view.members.correct.all()
    assert view.nonmembers.correct.all()
    members, nonmembers = attack.score(view, np.random.default_rng(0))
    assert auc(members, nonmembers) > 0.95
    # The score's sign is the answer's: the target keeps the label of what it saw alone.
    assert np.mean(members > 0) > 0.9
    assert np.mean(nonmembers > 0) < 0.1


@ATTACKS
def test_a_search_finds_many_of_them_without_gradients(attack):
    """An AUC of 0.5 would come out above 0.7 once in 1e4."""
    view = target_of(bumps).prepare(0)
    members, nonmembers = replace(attack, length=0.1).score(view, np.random.default_rng(0))
    assert auc(members, nonmembers) > 0.7


@ATTACKS
def test_each_record_is_asked_about_once(attack):
    view = target_of(bumps).prepare(0)
    attack.score(view, np.random.default_rng(0))
    assert view.queries == view.queries_of() == 2 * N
    if attack is OSLO:
        replace(attack, thresholds=(0.3, 0.1)).score(view, np.random.default_rng(0))
        assert view.queries_of() == 4 * N


@ATTACKS
def test_both_train_the_same_models_once(attack):
    trained = []

    def train(X, y, seed):
        trained.append(X)
        return bumps(X, y, seed)

    view = target_of(train).prepare(0)
    trained.clear()
    first = attack.score(view, np.random.default_rng(0))
    assert [len(X) for X in trained] == [N] * 8
    pair = np.concatenate(trained[:2])
    assert len(np.unique(pair, axis=0)) == 2 * N
    again = attack.score(view, np.random.default_rng(0))
    YOQO.score(view, np.random.default_rng(0))
    assert len(trained) == 8
    assert np.array_equal(first, again)


def test_with_a_population_no_model_of_oslo_sees_a_record():
    trained = []

    def train(X, y, seed):
        trained.append(X)
        return torch_bumps(X, y, seed)

    pytest.importorskip("torch")
    population = near_boundary(2, 100)
    target = target_of(train, population=population)
    trained.clear()
    members, nonmembers = OSLO.score(target.prepare(0), np.random.default_rng(0))
    assert [len(X) for X in trained] == [60] * 8
    known = set(population[0][:, 0])
    assert all(set(X[:, 0]) <= known for X in trained)
    assert auc(members, nonmembers) > 0.85


@ATTACKS
def test_the_target_is_asked_for_labels_only(attack):
    class Guarded(LogisticRegression):
        def predict_proba(self, X):
            assert not hasattr(self, "guarded"), "the target was asked for more than labels"
            return super().predict_proba(X)

    members, nonmembers = near_boundary(0, 40), near_boundary(1, 40)
    model = Guarded().fit(*members)
    model.guarded = True
    view = Classifier(model, members, nonmembers, access="label").prepare(0)
    scores = np.concatenate(attack.score(view, np.random.default_rng(0)))
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 40


@ATTACKS
def test_models_that_give_labels_only_will_do(attack):
    class Labels:
        def __init__(self, model):
            self.model = model

        def predict(self, X):
            return np.array(["no", "yes"])[self.model(X).argmax(axis=1)]

    def train(X, y, seed):
        return Labels(bumps(X, (np.asarray(y) == "yes").astype(int), seed))

    sides = [(X, np.array(["no", "yes"])[y]) for X, y in (near_boundary(0, N), near_boundary(1, N))]
    target = Classifier(
        train(*sides[0], 0), *sides, train=train, classes=("no", "yes"), access="label"
    )
    attack = replace(attack, length=0.3)  # over the plateaus that labels leave
    members, nonmembers = attack.score(target.prepare(0), np.random.default_rng(0))
    assert auc(members, nonmembers) > 0.62  # an AUC of 0.5 would come out there once in 80


@ATTACKS
def test_persons_are_trained_on_as_one(attack):
    ids = np.repeat(np.arange(N // 2), 2)
    target = target_of(bumps, groups=(ids, 1000 + ids))
    view = target.prepare(0)
    attack.score(view, np.random.default_rng(0))
    (surrogates,) = view.kept.values()
    included = surrogates.included.reshape(8, N, 2)
    assert (included[:, :, 0] == included[:, :, 1]).all()
    assert (surrogates.included.sum(axis=0) == 4).all()
    assert attack.run(view, np.random.default_rng(0)).sizes == (N // 2, N // 2)


@ATTACKS
def test_a_constant_model_leaks_nothing(attack):
    def train(X, y, seed):
        return lambda X: np.tile([1.0, 0.0], (len(X), 1))

    found = audit(target_of(train), "tpr@1%fpr <= 5%", "auc <= 0.6", attacks=[attack])
    assert all(entry.verdict.value != "FAIL" for entry in found.measurements)


@pytest.mark.parametrize("n_classes", [2, 10])
@ATTACKS
def test_no_attack_finds_what_is_not_there(attack, n_classes):
    """A target that saw neither side, attacked by models that saw both.

    More than ``0.025 + 4 sqrt(0.025 * 0.975 / RUNS)`` FAILs at the budget that leaves no room come
    with probability below 1e-3 per test, where the error is 2.5 %.
    """
    runs, size = 40, 100
    attack = replace(attack, steps=2)
    failed = {0.01: 0, 0.1: 0}

    def train(X, y, seed):
        return Means(X, y, n_classes)

    for seed in range(runs):
        rng = np.random.default_rng(seed)
        sides = [(rng.normal(size=(size, 12)), rng.integers(0, n_classes, size)) for _ in range(3)]
        target = Classifier(
            train(*sides[2], 0),
            *sides[:2],
            train=train,
            classes=range(n_classes),
            output="logits",
            access="label",
        )
        evidence = attack.run(target.prepare(seed), np.random.default_rng(seed))
        m, n = evidence.sizes
        for fpr in failed:
            k = choose_rank(m, n, fpr, fpr, 0.025)
            above = evidence.members_above(k)
            failed[fpr] += tpr_p_value(above, m, k, n, fpr, fpr) <= 0.025
    assert max(failed.values()) / runs <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / runs)


@ATTACKS
def test_a_forest_is_found_out_by_one_label_each(attack):
    """On noise a forest knows what it saw; an AUC of 0.5 would come out above 0.65 once in 1e3."""
    rng = np.random.default_rng(3)
    sides = [(rng.normal(size=(100, 5)), rng.integers(0, 2, 100)) for _ in range(2)]
    model = RandomForestClassifier(10, random_state=0).fit(*sides[0])
    view = Classifier(model, *sides, access="label").prepare(0)
    attack = replace(attack, steps=4, length=0.02)
    assert auc(*attack.score(view, np.random.default_rng(0))) > 0.65


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        (OnlyOneQuery, {"models": 6}, "models is a multiple of 4, at least 8, not 6"),
        (OnlyOneQuery, {"steps": 0}, "steps is a whole number"),
        (OnlyOneQuery, {"length": 0.0}, "length is a number above 0"),
        (OnlyOneQuery, {"out_weight": "2"}, "out_weight is a number above 0"),
        (OneShot, {"models": 4}, "models is a multiple of 4, at least 8, not 4"),
        (OneShot, {"steps": 1.5}, "steps is a whole number"),
        (OneShot, {"length": -1}, "length is a number above 0"),
        (OneShot, {"thresholds": ()}, "thresholds are confidences"),
        (OneShot, {"thresholds": (0.5, 1.0)}, "thresholds are confidences"),
    ],
)
def test_bad_settings(kind, options, says):
    with pytest.raises(LeakproError, match=f"{kind.name}: {says}"):
        kind(**options)


@ATTACKS
def test_what_they_do_not_match(attack):
    sides = near_boundary(0, 20), near_boundary(1, 20)
    without = Classifier(Bumpless(), *sides, train=False, access="label")
    assert "give train=" in attack.mismatch(without)
    texts = [([f"text {i}" for i in range(20)], sides[0][1]) for _ in range(2)]
    words = Classifier(Bumpless(), *texts, train=bumps, access="label")
    assert "it perturbs records" in attack.mismatch(words)
    assert attack.mismatch(target_of(bumps)) is None


class Bumpless:
    def __call__(self, X):
        return np.zeros(len(X))


@ATTACKS
def test_errors_of_the_recipe_name_a_surrogate(attack):
    def train(X, y, seed):
        if seed:
            raise ValueError("no")
        return bumps(X, y, seed)

    with pytest.raises(LeakproError, match="a surrogate model: train raised ValueError on 60"):
        attack.score(target_of(train).prepare(0), np.random.default_rng(0))

    def forgets(X, y, seed):
        return None if seed else bumps(X, y, seed)

    with pytest.raises(LeakproError, match="a surrogate model: train returned nothing"):
        attack.score(target_of(forgets).prepare(0), np.random.default_rng(0))
