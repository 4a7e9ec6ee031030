"""Attackers who see weights: gradients alone, calibrated, and as columns of the learned attack."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier, LeakproError, Regressor, ShadowSignals, audit
from pytest_leakpro.attacks.membership.gradient_lira import GradientLikelihoodRatio
from pytest_leakpro.attacks.membership.gradient_norm import GradientNorm
from pytest_leakpro.attacks.membership.learned import LearnedAttack
from pytest_leakpro.attacks.membership.record_facts import RecordFacts
from pytest_leakpro.auditing.ranking import best_variant
from pytest_leakpro.auditing.suite import choose_suite
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.likelihood_ratio import lira_online
from pytest_leakpro.stats.roc import auc
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from pytest_leakpro.store import scratch
from pytest_leakpro.targets.gradients import GradientReading, gradient_reading

SMALL = LearnedAttack(most_targets=4, folds=2)
WHITE = {"access": "white-box", "output": "probabilities"}


def rng(seed=0):
    return np.random.default_rng(seed)


def overfitted(size=60, width=400, n_classes=2):
    """A classifier with more weights than records, and nothing to learn: it knows them by heart."""
    y = np.r_[np.arange(size) % n_classes, np.arange(size) % n_classes]
    X = rng().normal(size=(2 * size, width))
    model = LogisticRegression(C=10.0, max_iter=200).fit(X[:size], y[:size])
    return model, (X[:size], y[:size]), (X[size:], y[size:])


def failures(scores_of, sizes, runs, seed=0):
    """Count false alarms at a budget without room, where sides are drawn at random."""
    random, size = rng(seed), sizes // 2
    k = choose_rank(size, size, 0.05, 0.05, 0.025)
    failed = 0
    for run in range(runs):
        sides = np.split(random.permutation(scores_of(run)), 2)
        above = int(np.sum(sides[0] > np.sort(sides[1])[-k]))
        failed += tpr_p_value(above, size, k, size, 0.05, 0.05) <= 0.025
    return failed / runs


# At a true error of 2.5 % more come with probability below 1e-4.
ALLOWED = 0.025 + 4 * np.sqrt(0.025 * 0.975 / 120)


@pytest.mark.parametrize("n_classes", [2, pytest.param(10, marks=pytest.mark.slow), 100])
def test_gradients_find_nothing_where_nothing_is(n_classes):
    random = rng()
    n = 120 * 600
    y = random.integers(0, n_classes, n)
    X = random.normal(size=(n, 20)) + np.eye(n_classes, 20)[y]
    model = LogisticRegression(max_iter=30).fit(X[:2000], y[:2000])  # not among the scored
    reading = gradient_reading(model)
    sides = (X[2000:], y[2000:]), (X[:2000], y[:2000])
    view = Classifier(model, *sides, **WHITE).prepare(0)
    scores = GradientNorm().run(view, random).members
    assert np.array_equal(scores, -view.further(reading)[0, : len(scores)])
    runs = scores[: 110 * 600].reshape(110, 600)
    assert failures(lambda run: runs[run], 600, 110) <= ALLOWED


def drawn(seed, n, n_classes, n_models=8, n_rows=3, gain=1.5):
    """Shadow models that leak, by the loss and by gradients of which each row is noisy."""
    random = rng(seed)
    included = np.stack(Assignment(n, n_models, n_models // 2, seed))
    classes = random.integers(0, n_classes, n)
    level = random.normal(0, 2, n_classes)[classes] + random.normal(size=n)

    def read(inside):
        shape = (*inside.shape[:-1], n_rows, n)
        rows = -level - gain * inside[..., None, :] + random.normal(size=shape)
        return level + inside + 2 * random.normal(size=inside.shape), rows

    shadow, rows = read(included)
    known = ShadowSignals(shadow, included, {"gradients": rows})
    return known, RecordFacts(classes, np.arange(n), n), read


@pytest.mark.parametrize("n_classes", [2, pytest.param(10, marks=pytest.mark.slow), 100])
@pytest.mark.parametrize("attack", [GradientLikelihoodRatio(), SMALL], ids=lambda a: a.name)
def test_calibrated_attacks_find_nothing_where_nothing_is(attack, n_classes):
    known, facts, read = drawn(0, 400, n_classes)
    attack = attack.prepared(known, facts, rng())
    again = np.tile(np.arange(400), 120)  # all runs at once, as so many records
    target, rows = (
        np.concatenate(part, axis=-1) for part in zip(*map(read, np.zeros((120, 400))), strict=True)
    )
    further = {"gradients": known.further["gradients"][:, :, again]}
    shadow = ShadowSignals(known.shadow[:, again], known.included[:, again], further)
    if attack.name == "learned":
        own = {"gradients": rows}
        scores = attack.score_known(target, shadow, facts.take(again), rng(), own)
    else:
        scores = attack.score_further(rows, further["gradients"], shadow.included)
    runs = scores.reshape(120, 400)
    assert failures(lambda run: runs[run], 400, 120) <= ALLOWED


def test_the_ratio_of_norms_is_that_of_lira():
    known, facts, read = drawn(1, 300, 2)
    rows, shadow = read(known.included[0])[1], known.further["gradients"]
    scores = GradientLikelihoodRatio().score_further(rows, shadow, known.included)
    assert np.array_equal(scores, lira_online(-shadow[:, 0], known.included, -rows[0]))
    power, _ = best_variant(
        GradientLikelihoodRatio(), known, None, regression=False, facts=facts, seed=0
    )
    assert power > 0.75


def test_scores_do_not_depend_on_who_is_a_member():
    model, *sides = overfitted()
    there, back = (
        GradientNorm().run(Classifier(model, *pair, **WHITE).prepare(0), rng())
        for pair in (sides, sides[::-1])
    )
    assert np.array_equal(there.members, back.nonmembers)
    assert np.array_equal(there.nonmembers, back.members)


def test_a_model_that_knows_its_data_by_heart():
    model, members, nonmembers = overfitted(300, 3000)
    target = Classifier(model, members, nonmembers, **WHITE)
    found = audit(target, "tpr@1%fpr <= 5%", attacks=["gradient"])
    assert found.verdict.value == "FAIL"
    assert found.measurements[0].value > 0.9
    assert found.measurements[0].figures[0].queries == 600


def test_a_constant_model_leaks_nothing():
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 2)
    with torch.no_grad():
        module.weight.zero_()
        module.bias.zero_()
    random = rng()
    X = np.sign(random.normal(size=(400, 3)))  # all of one length
    y = random.integers(0, 2, 400)
    target = Classifier(
        module,
        (X[:200], y[:200]),
        (X[200:], y[200:]),
        allow_overlap=True,
        access="white-box",
        output="logits",
    )
    found = audit(target, "auc <= 0.6", attacks=["gradient"])
    assert found.measurements[0].value == pytest.approx(0.5, abs=1e-6)


def further_columns(seed):
    known, facts, read = drawn(seed, 1500, 2, n_models=8, gain=2.0)
    saw = rng(seed).permutation(1500) < 750
    target, rows = read(saw)
    return known, facts, target, rows, saw


def test_learning_from_gradients_finds_more():
    known, facts, target, rows, saw = further_columns(2)
    without = ShadowSignals(known.shadow, known.included)
    less = SMALL.score_known(target, without, facts, rng())
    more = SMALL.score_known(target, known, facts, rng(), {"gradients": rows})
    assert auc(more[saw], more[~saw]) > auc(less[saw], less[~saw]) + 0.15
    # As before wherever gradients are known of one side only, or not asked for.
    assert np.array_equal(SMALL.score_known(target, known, facts, rng()), less)
    assert np.array_equal(
        SMALL.score_known(target, without, facts, rng(), {"gradients": rows}), less
    )
    none = LearnedAttack(most_targets=4, folds=2, further=())
    assert np.array_equal(none.score_known(target, known, facts, rng(), {"gradients": rows}), less)


def test_what_a_ranking_learned_is_kept():
    known, facts, target, rows, _ = further_columns(3)
    power, ranked = best_variant(SMALL, known, None, regression=False, facts=facts, seed=0)
    assert power > 0.85
    assert ranked.trained.features.names == ("gradients",)
    again = ranked.score_known(target, known, facts, rng(), {"gradients": rows})
    boosters = ranked.trained.boosters
    assert ranked.score_known(target, known, facts, rng(5), {"gradients": rows}) == pytest.approx(
        again, abs=0
    )
    assert boosters is ranked.trained.boosters
    # Without the target's gradients it learns anew, from losses.
    assert np.array_equal(
        ranked.score_known(target, known, facts, rng()),
        SMALL.score_known(target, known, facts, rng()),
    )


def test_further_columns_follow_the_records_whatever_holds_them(monkeypatch):
    known, facts, target, rows, _ = further_columns(4)
    usual = SMALL.score_known(target, known, facts, rng(), {"gradients": rows})
    monkeypatch.setattr(scratch, "_SMALL", 0)
    positions = np.r_[0, np.arange(1500)]
    again = SMALL.score_known(
        target, known.take(positions).take(np.arange(1, 1501)), facts, rng(), {"gradients": rows}
    )
    assert np.array_equal(usual, again)


@pytest.mark.parametrize(
    ("further", "said"),
    [
        (("gradient",), "'gradient' .did you mean 'gradients'"),
        (["gradients"], "a list: give a tup"),
    ],
)
def test_readings_that_cannot_be(further, said):
    with pytest.raises(LeakproError, match=f"learned: further .*{said}"):
        LearnedAttack(further=further)


def test_who_reads_gradients():
    model, members, nonmembers = overfitted()
    white = Classifier(model, members, nonmembers, **WHITE)
    assert LearnedAttack().readings(white.prepare(0)) == (GradientReading(1),)
    for target in (
        Classifier(model, members, nonmembers),
        Classifier(
            RandomForestClassifier(5).fit(*members), members, nonmembers, access="white-box"
        ),
    ):
        assert LearnedAttack().readings(target.prepare(0)) == ()
        reasons = [
            attack.mismatch(target) for attack in (GradientNorm(), GradientLikelihoodRatio())
        ]
        assert None not in reasons
        assert not {"gradient", "gradient_lira"} & {
            attack.name for attack in choose_suite(target, "all", shadows=True)
        }
    both = {attack.name for attack in choose_suite(white, "all", shadows=True)}
    assert {"gradient", "gradient_lira"} <= both
    with pytest.raises(LeakproError, match="RandomForestClassifier gives no gradients: of torch"):
        audit(target, "auc <= 0.6", attacks=["gradient"])


def test_signals_brought_along_hold_no_gradients():
    model, members, nonmembers = overfitted()
    included = np.stack(Assignment(120, 8, 4, 0))
    signals = ShadowSignals(rng().normal(size=(8, 120)), included)
    target = Classifier(model, members, nonmembers, signals=signals, **WHITE)
    with pytest.raises(LeakproError, match="signals= brings their losses only: give train="):
        audit(target, "auc <= 0.6", attacks=["gradient_lira"])
    plain = Classifier(model, members, nonmembers, signals=signals, output="probabilities")
    values = [audit(entry, attacks=["learned"]).measurements[0].value for entry in (target, plain)]
    assert values[0] == values[1]


@pytest.mark.parametrize("regression", [False, True])
def test_an_audit_with_shadow_models(regression):
    torch = pytest.importorskip("torch")
    from pytest_leakpro import TorchTrainer

    random = rng(0)
    X = random.normal(size=(120, 40)).astype(np.float32)
    y = random.normal(size=(120, 1)) if regression else random.integers(0, 2, 120)
    outputs = 1 if regression else 2
    train = TorchTrainer(
        module=lambda: torch.nn.Sequential(
            torch.nn.Linear(40, 16), torch.nn.ReLU(), torch.nn.Linear(16, outputs)
        ),
        loss="mse" if regression else "cross_entropy",
        epochs=40,
        lr=0.01,
        batch_size=16,
    )
    kind = Regressor if regression else Classifier
    target = kind(
        train(X[:60], y[:60], 0),
        (X[:60], y[:60]),
        (X[60:], y[60:]),
        train=train,
        access="white-box",
    )
    found = audit(
        target,
        "auc <= 0.6",
        attacks=["learned", "gradient_lira", "gradient"],
        shadow_models=6,
        workers=1,
    )
    assert found.verdict.value == "FAIL"
    assert found.measurements[0].value > 0.8


class Closed(LogisticRegression):
    """Whose weights nobody but itself looks at."""

    asking = 0

    def __getattribute__(self, name):
        value = object.__getattribute__(self, name)
        if name in {"predict", "predict_proba", "decision_function"}:

            def ask(inputs):
                Closed.asking += 1
                try:
                    return value(inputs)
                finally:
                    Closed.asking -= 1

            return ask
        if name in {"coef_", "intercept_"} and not Closed.asking:
            raise AssertionError(f"{name} was looked at")
        return value


@pytest.mark.parametrize("access", ["label", "scores"])
def test_others_never_look_at_weights(access):
    _, members, nonmembers = overfitted(n_classes=3)
    model = LogisticRegression().fit(*members)
    model.__class__ = Closed
    signals = ShadowSignals(rng().normal(size=(8, 120)), np.stack(Assignment(120, 8, 4, 0)))
    target = Classifier(
        model, members, nonmembers, access=access, signals=signals, train=False, population=None
    )
    (entry,) = audit(target, "auc <= 0.9", attacks="all").measurements
    assert "gap" in {figures.attack for figures in entry.figures}
    with pytest.raises(AssertionError, match="coef_ was looked at"):
        audit(Classifier(model, members, nonmembers, **WHITE), "auc <= 0.9", attacks=["gradient"])
