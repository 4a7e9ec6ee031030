"""Attacks on trajectories: nobody learns from what it scores, and a known answer is found."""

import numpy as np
import pytest

from pytest_leakpro import Classifier, LeakproError, Recipe, Regressor, TorchTrainer, audit
from pytest_leakpro.attacks.membership.confidence import ConfidenceThreshold
from pytest_leakpro.attacks.membership.distillation import Students
from pytest_leakpro.attacks.membership.loss_trajectory import LossTrajectory
from pytest_leakpro.attacks.membership.record_facts import RecordFacts
from pytest_leakpro.attacks.membership.seqmia import SequenceAttack
from pytest_leakpro.attacks.membership.trajectory_features import TrajectoryFeatures
from pytest_leakpro.attacks.membership.trajectory_reading import (
    CLASS_METRICS,
    CheckpointTrajectory,
)
from pytest_leakpro.auditing.suite import choose_suite
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.roc import auc
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from pytest_leakpro.targets.model_reader import Meter, ModelReader
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from tests.attacks.shadow_views import simulated

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")

QUICK = LossTrajectory(most_targets=4, folds=2)
ATTACKS = {
    "trajectory": QUICK,
    "seqmia": SequenceAttack(most_targets=4, folds=2, most_rows=4000),
}
STEPS = 4


def trajectories(random, inside, level, gain):
    """Metrics of one model: the level of a record, a common noise, and a rise of who was seen.

    The final step alone tells members by half of the gain; the rise in between by all of it.
    """
    steps = np.arange(1, STEPS + 1)[:, None]
    common = random.normal(0, 1.5, level.shape)
    losses = (
        level
        + common
        + gain * inside * steps / STEPS
        + random.normal(0, 0.3, (STEPS, *level.shape))
    )
    others = random.normal(size=((CLASS_METRICS - 1) * STEPS, *level.shape))
    return np.concatenate([losses, others])


def known(seed, n, gain, n_models=8, n_classes=2):
    random = np.random.default_rng(seed)
    included = np.stack(Assignment(n, n_models, n_models // 2, seed))
    classes = random.integers(0, n_classes, n)
    level = random.normal(0, 2, n_classes)[classes] + random.normal(0, 1, n)
    further = np.stack([trajectories(random, row, level, gain) for row in included])
    shadow = ShadowSignals(further[:, STEPS - 1], included, {"trajectory": further})
    return shadow, RecordFacts(classes, np.arange(n), n), level, random


@pytest.mark.parametrize("n_classes", [2, pytest.param(10, marks=pytest.mark.slow), 100])
@pytest.mark.parametrize("name", ATTACKS)
def test_they_find_nothing_where_nothing_is(name, n_classes):
    # As in test_learned.py: the shadow models leak, so that there is something to learn.
    shadow, facts, level, random = known(0, 200, 2.0, n_classes=n_classes)
    attack = ATTACKS[name].prepared(shadow, facts, random)
    runs, failed = 120, 0
    again = np.tile(np.arange(200), runs)
    target = trajectories(random, 0, level[again], 0.0)
    scores = attack._score(
        target, attack._known(shadow.take(again), facts), facts.take(again), random
    )
    k = choose_rank(100, 100, 0.05, 0.05, 0.025)
    for run in scores.reshape(runs, 200):
        sides = np.split(run[random.permutation(200)], 2)
        above = int(np.sum(sides[0] > np.sort(sides[1])[-k]))
        failed += tpr_p_value(above, 100, k, 100, 0.05, 0.05) <= 0.025
    assert failed / runs <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / runs)


@pytest.mark.parametrize("name", ATTACKS)
def test_they_find_what_only_the_way_there_tells(name):
    # A common noise per record hides the final loss, and cancels in differences along the way:
    # the exact test of those has AUC Phi(3.7 / sqrt 2) = 0.996, that of the final loss 0.82.
    shadow, facts, level, random = known(1, 1000, 2.0)
    attack = ATTACKS[name].prepared(shadow, facts, random)
    saw = random.permutation(1000) < 500
    target = trajectories(random, saw, level, 2.0)
    scores = attack._score(target, attack._known(shadow, facts), facts, random)
    final = target[STEPS - 1] - shadow.shadow.mean(axis=0)
    assert auc(final[saw], final[~saw]) < 0.85
    assert auc(scores[saw], scores[~saw]) > 0.93
    played = [
        auc(found[inside], found[~inside]) for found, inside in attack.played(shadow, facts, 2)
    ]
    assert min(played) > 0.93


class Recorder:
    """Stands for what learns: remembers the classes that it learned from and scored."""

    def __init__(self, classes):
        self.learned, self.scored = set(classes), set()

    def log_odds(self, features, classes):
        self.scored |= set(classes)
        return np.zeros(len(features))


@pytest.mark.parametrize("kind", [LossTrajectory, SequenceAttack])
def test_who_scores_a_record_never_learned_from_its_unit(kind, monkeypatch):
    monkeypatch.setattr(kind, "teach", lambda self, features, classes, saw, seed: Recorder(classes))
    shadow, _, _, random = known(0, 200, 1.0)
    units = np.arange(200) // 4  # their number stands for the class
    facts = RecordFacts(units, units, 50)
    for most_rows in (100_000, 400):
        attack = kind(most_rows=most_rows).prepared(shadow, facts, random)
        assert all(scores.shape == (200,) for scores, _ in attack.played(shadow, facts, 16))
        judges = attack.trained.judges
        for judge in judges:
            assert judge.learned
            assert not judge.learned & judge.scored
        assert sorted(unit for judge in judges for unit in judge.scored) == list(range(50))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_is_learned_again(name):
    n_records = {"trajectory": 300, "seqmia": 80}[name]
    shadow, facts, _, _ = known(2, n_records, 1.0)
    target = shadow.further["trajectory"][0]

    def scores(seed):
        random = np.random.default_rng(seed)
        attack = ATTACKS[name].prepared(shadow, facts, random)
        return attack._score(target, attack._known(shadow, facts), facts, random)

    assert np.array_equal(scores(3), scores(3))
    assert not np.array_equal(scores(3), scores(4))


def test_features_are_distances_in_units_of_the_spread():
    random = np.random.default_rng(0)
    included = np.stack(Assignment(50, 8, 4, 0))
    further = random.normal(3, 2, (8, 6, 50))
    features = TrajectoryFeatures(further, 2, regression=False)
    read = features.read(further[0], further, included, 0)
    assert read.shape == (50, 3, 10)
    low, high = np.quantile(further[:, 4], [0.05, 0.95])  # second metric, second step
    scaled = (further[:, 4] - (low + high) / 2) / (high - low)
    others, record = np.arange(2, 8), 7  # models come in pairs, and 0 and 1 are left out
    seen = included[others, record]
    values = scaled[others, record]
    expected = [
        scaled[0, record],
        scaled[0, record] - values[seen].mean(),
        scaled[0, record] - values[~seen].mean(),
        values[seen].std(ddof=1),
        values[~seen].std(ddof=1),
    ]
    assert read[record, 1, 5:] == pytest.approx(expected, rel=1e-5)


X = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 400)


def net():
    return nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 3))


def sides(**options):
    return {
        "members": (X[:120], Y[:120]),
        "nonmembers": (X[120:240], Y[120:240]),
        "population": (X[240:], Y[240:]),
        **options,
    }


def test_a_trajectory_is_read_metric_by_metric_and_every_checkpoint_counts_as_queries():
    models = [net() for _ in range(3)]
    view = Classifier(models[2], **sides(), checkpoints=models[:2], output="logits").prepare(0)
    reading = LossTrajectory().reading(view)
    assert reading == CheckpointTrajectory(False, 3)
    view.queries_of()
    read = view.further(reading)
    assert view.queries_of() == 3 * 240
    assert read.shape == (15, 240)
    members = view.members
    assert read[2, :120] == pytest.approx(members.true_log_odds)
    assert read[5, :120] == pytest.approx(ConfidenceThreshold().score_predictions(members))
    p = np.exp(members.log_probabilities)
    assert read[8, :120] == pytest.approx((p * np.log(p)).sum(axis=1))
    assert read[14, :120] == pytest.approx(p.std(axis=1))
    first = Classifier(models[0], **sides()).prepare(0)
    assert read[0, 120:] == pytest.approx(first.nonmembers.true_log_odds)


def test_an_audit_with_checkpoints_finds_an_overfitted_model():
    trainer = TorchTrainer(module=net, epochs=40, batch_size=40, lr=0.02, checkpoints=4)
    trained = trainer(X[:120], Y[:120], 0)
    target = Classifier(trained[-1], **sides(), checkpoints=trained, train=trainer)
    found = audit(target, "auc <= 0.6", attacks=[QUICK], shadow_models=6, workers=1)
    assert found.verdict.value == "FAIL"
    assert found.measurements[0].value > 0.8
    assert not found.measurements[0].weak_suite


def test_checkpoints_are_read_without_being_asked_for():
    trainer = TorchTrainer(module=net, epochs=2, checkpoints=2)
    run = trainer(X[:120], Y[:120], 0)
    given = {"train": trainer, "checkpoints": run}

    def suite(**options):
        target = Classifier(run[-1], **sides(), **options)
        return {attack.name for attack in choose_suite(target, None, shadows=True)}

    assert suite(**given) == {"learned", "lira", "rmia", "trajectory"}
    assert suite(train=trainer) == {"learned", "lira", "rmia"}
    brought = ShadowSignals(np.zeros((8, 240)), np.stack(Assignment(240, 8, 4, 0)))
    assert "trajectory" not in suite(checkpoints=run, signals=brought)
    assert suite(**given, access="label") == {"label_lira"}


def test_without_checkpoints_the_model_is_distilled_on_a_population():
    trainer = TorchTrainer(module=net, epochs=40, batch_size=40, lr=0.02)
    target = Classifier(trainer(X[:120], Y[:120], 0), **sides(), train=trainer)
    attacks = [
        LossTrajectory(most_targets=4, folds=2, epochs=6, students=3),
        SequenceAttack(most_targets=4, folds=2, epochs=6, students=3),
    ]
    found = audit(target, "auc <= 0.6", attacks=attacks, shadow_models=6, workers=1)
    assert found.verdict.value == "FAIL"
    view = target.prepare(0)
    read = view.further(attacks[0].reading(view))
    assert read.shape == (CLASS_METRICS * 4, 240)
    assert read[3, :120] == pytest.approx(view.members.true_log_odds)
    again = target.prepare(0)
    assert np.array_equal(read, again.further(attacks[0].reading(again)))


def test_a_share_of_the_nonmembers_is_set_aside_to_distil_on():
    trainer = TorchTrainer(module=net, epochs=2)
    given = sides()
    given.pop("population")
    target = Classifier(trainer(X[:120], Y[:120], 0), **given, train=trainer)
    attack = LossTrajectory(most_targets=4, folds=2, epochs=2, students=2)
    assert attack.wants_population(target)
    found = audit(target, "auc <= 0.9", attacks=[attack], shadow_models=6, workers=1)
    assert any("set aside as population" in note for note in found.notes)
    assert found.measurements[0].n_nonmembers == 84


@pytest.mark.parametrize("probabilities", [False, True])
def test_a_student_comes_to_say_what_the_model_says(probabilities):
    def module():
        layers = [nn.Linear(6, 3), nn.Softmax(1)] if probabilities else [nn.Linear(6, 3)]
        return nn.Sequential(*layers)

    torch.manual_seed(0)
    model = module()
    with torch.no_grad():
        model[0].weight.mul_(4)
    output = "probabilities" if probabilities else "logits"
    view = Classifier(model, **sides(), output=output).prepare(0)
    meter = Meter()
    reader = ModelReader(output=output, meter=meter)
    teacher = view.members.log_probabilities
    for factory in (module, None):
        students = Students(factory, "cpu", 200, 2)
        meter.queries = 0
        early, late = students.learn(model, reader, view.records("population"))
        assert meter.queries == 160
        said = [
            students.signals(one, reader, view.records("members")).log_probabilities
            for one in (early, late)
        ]
        assert meter.queries == 160  # asking a student costs nothing
        gaps = [float((np.exp(teacher) * (teacher - each)).sum(axis=1).mean()) for each in said]
        assert gaps[1] < gaps[0]
        assert gaps[1] < 0.1


def test_regressors_have_trajectories_too():
    y = X[:, :1] + np.random.default_rng(2).normal(size=(400, 1)).astype(np.float32)

    def module():
        return nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 1))

    trainer = TorchTrainer(
        module=module, loss="mse", epochs=60, batch_size=30, lr=0.01, checkpoints=3
    )
    trained = trainer(X[:120], y[:120], 0)
    pairs = (X[:120], y[:120]), (X[120:240], y[120:240])
    target = Regressor(trained[-1], *pairs, checkpoints=trained, train=trainer)
    assert "does not attack a Regressor" in SequenceAttack().mismatch(target)
    found = audit(target, "auc <= 0.6", attacks=[QUICK], shadow_models=6, workers=1)
    assert found.verdict.value == "FAIL"
    single = TorchTrainer(module=module, loss="mse", epochs=20)
    plain = Regressor(single(X[:120], y[:120], 0), *pairs, population=(X[240:], y[240:]))
    view = plain.prepare(0)
    reading = LossTrajectory(epochs=20, students=2).reading(view)
    read = view.further(reading)
    assert read.shape == (3, 240)
    assert read[2, :120] == pytest.approx(view.members.negative_loss)
    assert read[1].mean() > read[0].mean()


def test_losses_alone_are_a_trajectory_of_one_step():
    view = simulated(0, 400, gain=3.0, n_models=8)
    target = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    for attack in ATTACKS.values():
        scores = attack.score_records(target, view.shadow.shadow, view.shadow.included)
        assert auc(scores[:400], scores[400:]) > 0.9


def test_shadow_models_without_the_same_checkpoints_are_refused():
    models = [net() for _ in range(3)]

    def target(**options):
        return Classifier(models[2], **sides(), checkpoints=models[:2], **options)

    attack = LossTrajectory()
    assert "give TorchTrainer(..., checkpoints=3)" in attack.mismatch(
        target(train=TorchTrainer(module=net, epochs=4, checkpoints=2))
    )
    for kept, says in ((1, "returned one model, and"), (2, "returned a list of 2 models, and")):

        def train(X, y, seed, kept=kept):
            found = TorchTrainer(module=net, epochs=2, checkpoints=2)(X, y, seed)
            return found[-1] if kept == 1 else found

        with pytest.raises(LeakproError, match=says):
            audit(target(train=train), attacks=["trajectory"], shadow_models=6, workers=1)
    brought = ShadowSignals(
        np.random.default_rng(0).normal(size=(8, 240)), np.stack(Assignment(240, 8, 4, 0))
    )
    with pytest.raises(LeakproError, match="signals= brings their losses only"):
        audit(target(signals=brought), attacks=["trajectory"])


def test_clones_leave_no_checkpoints():
    from sklearn.tree import DecisionTreeClassifier

    trees = [DecisionTreeClassifier(max_depth=d).fit(X[:120], Y[:120]) for d in (1, 9)]
    target = Classifier(trees[1], **sides(), checkpoints=trees)
    assert "clones of a scikit-learn estimator leave none" in LossTrajectory().mismatch(target)

    def train(X, y, seed):
        return [DecisionTreeClassifier(max_depth=d, random_state=seed).fit(X, y) for d in (1, 9)]

    own = Recipe(train, X, Y).realise(0)
    assert LossTrajectory().mismatch(own) is None
    found = audit(own, "auc <= 0.6", attacks=[QUICK], shadow_models=6, workers=1)
    assert found.verdict.value == "FAIL"


def test_columns_that_change_along_the_training_are_refused():
    def early(X):
        return X[:, :2]

    def late(X):
        return X[:, :3]

    view = Classifier(late, **sides(), checkpoints=[early], output="logits").prepare(0)
    with pytest.raises(LeakproError, match=r"checkpoint 1: .*2 columns"):
        view.further(LossTrajectory().reading(view))


@pytest.mark.parametrize(
    "wrong", [{"folds": 1}, {"epochs": 2.5}, {"students": 31}, {"most_rows": True}]
)
@pytest.mark.parametrize("kind", [LossTrajectory, SequenceAttack])
def test_hyper_parameters_are_checked(kind, wrong):
    with pytest.raises(LeakproError, match=f"{kind.name}: {next(iter(wrong))}"):
        kind(**wrong)


def test_where_torch_is_missing_they_say_so(monkeypatch):
    from pytest_leakpro.attacks.membership import trajectory_attack

    models = [net(), net()]
    with_checkpoints = Classifier(models[1], **sides(), checkpoints=models)
    without = Classifier(models[1], **sides())
    monkeypatch.setattr(trajectory_attack, "find_spec", lambda name: None)
    assert LossTrajectory().mismatch(with_checkpoints) is None
    assert "it distils the model with torch" in LossTrajectory().mismatch(without)
    assert "it learns with torch" in SequenceAttack().mismatch(with_checkpoints)


def test_labels_alone_do_not_do():
    models = [net(), net()]
    target = Classifier(models[1], **sides(), checkpoints=models, access="label")
    assert "it needs access to scores" in LossTrajectory().mismatch(target)
