"""The blind classifier: what it reads, its level, and that it never asks the model."""

import subprocess
import sys

import numpy as np
import pytest

from pytest_leakpro import Regressor
from pytest_leakpro.auditing.checks.blind import blind_test
from pytest_leakpro.auditing.checks.columns import UnreadableError, input_columns
from pytest_leakpro.auditing.checks.ground_truth import check_ground_truth
from pytest_leakpro.auditing.checks.sample import draw_sample
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.units import record_units
from tests.auditing.checks import splits

pytestmark = pytest.mark.long

AUC = parse_metric("auc")
METRICS = [parse_metric(text) for text in ("tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage")]


def check(members, nonmembers, seed=0, **options):
    view = splits.target(members, nonmembers, **options).prepare(seed)
    found = check_ground_truth(view, seed, 0.05)
    assert view.queries == 0
    return found


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
@pytest.mark.parametrize("kind", splits.KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_record_is_read(kind):
    # A share of 0.001 of the splits without a difference would be found by chance.
    rng = np.random.default_rng(1)
    alike = check(kind(rng, 240, 0), kind(rng, 240, 0)).blind.read(AUC, 0.0125)
    other = check(kind(rng, 240, 1), kind(rng, 240, 0)).blind.read(AUC, 0.0125)
    assert not alike.beyond_chance
    assert other.beyond_chance
    assert alike.low <= alike.value <= alike.high
    assert 0.5 < other.low <= other.value <= other.high


def test_where_both_sides_are_alike_scores_are_those_of_chance():
    # 40 halves of 60 + 60: their mean AUC has a standard error of 0.0083. P-values of at most
    # 0.05 are at most 0.05 of all; more than 7 of 40 would come up once in 1,400 times.
    aucs, small, blocked = [], 0, 0
    definition = metric_named("auc")
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found = check(splits.table(rng, 120, 0), splits.table(rng, 120, 0), seed)
        for half in found.blind.halves:
            reading = definition.read(AUC, half, 0.5, 0.05, 0.05)
            aucs.append(definition.estimate(AUC, half))
            small += reading.p_value <= 0.05
        blocked += any(found.blind.read(metric, 0.0125).beyond_chance for metric in METRICS)
    assert abs(np.mean(aucs) - 0.5) < 0.029
    assert small <= 7
    assert blocked == 0


def test_a_difference_is_bounded_from_both_sides():
    # Shifted by 0.5 in six columns: the best score has AUC Phi(0.5 sqrt 6 / sqrt 2) = 0.807.
    rng = np.random.default_rng(0)
    found = check(splits.table(rng, 2000, 0.5), splits.table(rng, 2000, 0))
    for half in found.blind.halves:
        assert metric_named("auc").estimate(AUC, half) == pytest.approx(0.807, abs=0.035)
    reading = found.blind.read(AUC, 0.0125)
    assert reading.low < 0.807 < reading.high
    assert found.blind.read(parse_metric("tpr@1%fpr"), 0.0125).low > 0.01
    assert found.details["blind"]["auc"] == reading.value
    text = str(reading)
    assert text.startswith("members and non-members differ without the model: a blind classifier")
    assert text.endswith("where chance is 0.500")


def test_labels_count():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(800, 2)), rng.normal(size=800)
    y[:400] += 1

    def predict(X):
        return np.zeros(len(X))

    view = Regressor(predict, (X[:400], y[:400]), (X[400:], y[400:]), train=False).prepare(0)
    assert check_ground_truth(view, 0, 0.05).blind.read(AUC, 0.0125).beyond_chance


def test_the_order_of_the_records_does_not_count():
    rng = np.random.default_rng(0)
    members, nonmembers = splits.table(rng, 400, 0), splits.table(rng, 400, 0)
    members = members[np.argsort(members[:, 0])]
    assert not check(members, nonmembers).blind.read(AUC, 0.0125).beyond_chance


def test_persons_are_counted_and_stay_in_one_half():
    # Each person has records of a kind of their own, which a classifier that saw some of them
    # would know again: only then would a split of persons look different.
    rng = np.random.default_rng(0)
    own = rng.normal(size=(120, 8)) * 10
    X = own[np.repeat(np.arange(120), 10)] + rng.normal(size=(1200, 8)) / 100
    ids = np.repeat(np.arange(120), 10)
    found = check(X[:600], X[600:], groups=(ids[:600], ids[600:]))
    assert not found.blind.read(AUC, 0.0125).beyond_chance
    assert found.details["blind"]["members"] == 60
    assert sum(half.sizes[0] for half in found.blind.halves) == 60
    apart = check(X[:600], X[600:])
    assert apart.blind.read(AUC, 0.0125).beyond_chance


def test_the_same_seed_gives_the_same_scores():
    rng = np.random.default_rng(0)
    members, nonmembers = splits.frame(rng, 100, 0), splits.frame(rng, 100, 0)
    one, other, third = (check(members, nonmembers, seed).blind.halves for seed in (3, 3, 4))
    assert all(np.array_equal(a.members, b.members) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0].members, third[0].members)


def test_of_many_records_a_share_is_looked_at(monkeypatch):
    monkeypatch.setattr("pytest_leakpro.auditing.checks.sample._MOST_UNITS", 100)
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(300), 5)
    view = splits.target(
        splits.table(rng, 1500, 0), splits.table(rng, 1500, 0), groups=(ids, ids + 1000)
    ).prepare(0)
    sample = draw_sample(view, np.random.default_rng(0))
    assert sample.sizes == (100, 100)
    assert np.bincount(sample.units).tolist() == [2] * 200
    assert len(sample.inputs) == len(sample.labels) == 400
    for side, drawn, start in (("members", sample.drawn[0], 0), ("nonmembers", sample.drawn[1], 1)):
        records = view.records(side)
        rows = sample.inputs[200 * start : 200 * (start + 1)]
        known = {tuple(row) for row in records.inputs[np.isin(records.units.codes, drawn)]}
        assert {tuple(row) for row in rows} <= known


def test_few_records_and_constant_ones():
    rng = np.random.default_rng(0)
    few = check(splits.table(rng, 15, 0), splits.table(rng, 60, 0))
    assert few.blind is None
    assert "skipped" in few.details["blind"]
    assert any("was not checked: it takes 20 members" in note for note in few.notes)
    smallest = check(splits.table(rng, 20, 0), splits.table(rng, 20, 0))
    assert not smallest.blind.read(AUC, 0.0125).beyond_chance
    # One value per side at most, else all would stand on both sides: labels alone are left.
    lone = draw_sample(splits.target(np.ones((30, 1)), np.zeros((30, 1))).prepare(0), rng)
    assert blind_test(lone, rng).read(AUC, 0.0125).value == 1.0


def test_what_cannot_be_read_is_said(monkeypatch):
    class Odd:
        """A record of the user's own."""

    sides = [
        Records(side, [Odd()] * 5, np.zeros(5), record_units(5), [0] * 5, np.arange(5))
        for side in ("members", "nonmembers")
    ]
    with pytest.raises(UnreadableError, match="objects of type Odd"):
        input_columns(sides, [np.arange(5)] * 2)
    monkeypatch.setattr("pytest_leakpro.auditing.checks.columns._columns", lambda *given: 1 / 0)
    rng = np.random.default_rng(0)
    found = check(splits.table(rng, 50, 0), splits.table(rng, 50, 0))
    assert found.blind is None
    assert "was not checked: records are a ndarray that cannot be read" in found.notes[0]


def test_threads_are_held_back_in_a_process_that_had_not_loaded_scikit_learn():
    code = """
import sys, numpy as np, threadpoolctl
real, loaded = threadpoolctl.threadpool_limits, []
def limits(*given, **named):
    loaded.append({"sklearn.ensemble", "sklearn.neighbors"} & set(sys.modules))
    return real(*given, **named)
threadpoolctl.threadpool_limits = limits
from pytest_leakpro import Classifier
from pytest_leakpro.auditing.checks.ground_truth import check_ground_truth
rng, y = np.random.default_rng(0), np.arange(60) % 2
sides = [(rng.normal(size=(60, 2)), y) for _ in range(2)]
view = Classifier(lambda X: X, *sides, output="logits", classes=[0, 1], train=False).prepare(0)
assert not any(name.startswith("sklearn.ensemble") for name in sys.modules)
check_ground_truth(view, 0, 0.05)
assert "sklearn.ensemble" in loaded[0] and "sklearn.neighbors" in loaded[-1], loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)
