"""Which ways are compared, and which one is proposed."""

import math
import threading

import numpy as np
import pytest

from pytest_leakpro import LeakproError, TorchTrainer
from pytest_leakpro.shadow import trial, tuning
from pytest_leakpro.shadow.trial import FailedWayError, Workload
from pytest_leakpro.shadow.tuning import Candidates, Timing, candidates, measure, proposed_way
from pytest_leakpro.shadow.way import Way

torch = pytest.importorskip("torch")
nn = torch.nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 8)).astype(np.float32)
Y = RNG.integers(0, 3, 100)


def mlp():
    return nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 3))


def normed():
    return nn.Sequential(nn.Linear(8, 3), nn.BatchNorm1d(3))


class Asking(nn.Module):
    """Looks at its values to decide what to do."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(8, 3)

    def forward(self, x):
        return self.inner(x) if float(x.mean()) < 100 else x[:, :3]


def trainer_of(module=mlp, **settings):
    return TorchTrainer(**{"module": module, "epochs": 3, "batch_size": 10, **settings})


def load_of(trainer, workers=1, n_models=4, y=Y):
    return Workload(trainer, X, y, n_models, workers)


# Which ways there are


@pytest.mark.parametrize(
    ("module", "n_models", "marks"),
    [
        (mlp, 16, "products 8|products 4|products 16|vmap 8|vmap 4|vmap 16|processes 1"),
        (mlp, 64, "products 16|products 8|products 32|vmap 16|vmap 8|vmap 32|processes 1"),
        # No larger group than there are models, and shared evenly: 7 are 4 and 3, or 2, 2, 2, 1.
        (mlp, 7, "products 4|products 2|vmap 4|vmap 2|processes 1"),
        (cnn, 16, "processes 1|vmap 8|vmap 4|vmap 16"),
        (normed, 16, "processes 1"),
    ],
)
def test_ways_follow_from_the_module(module, n_models, marks):
    found = candidates(trainer_of(module), n_models)
    assert "|".join(way.mark for way in found.ways) == marks
    assert found.table == found.current == found.ways[0]


def test_what_is_not_possible_has_its_reason():
    assert candidates(trainer_of(), 16).hindrances == {}
    assert candidates(trainer_of(cnn), 16).hindrances.keys() == {"products"}
    reasons = candidates(trainer_of(normed), 16).hindrances
    assert reasons.keys() == {"products", "vmap"}
    assert all("BatchNorm1d keeps running statistics" in why for why in reasons.values())


def test_a_pin_is_compared_with_the_table():
    found = candidates(trainer_of(stack="vmap", group=5), 16)
    assert found.current.mark == found.ways[0].mark == "vmap 5"
    assert found.table.mark == found.ways[1].mark == "products 8"
    with pytest.raises(LeakproError, match="'products' is not possible: BatchNorm1d"):
        candidates(trainer_of(normed, stack="products"), 16)


def test_a_factory_that_fails_is_said():
    with pytest.raises(LeakproError, match=r"module\(\) raised ZeroDivisionError: division by"):
        candidates(trainer_of(lambda: 1 / 0), 16)
    with pytest.raises(LeakproError, match=r"module\(\) returned a int"):
        candidates(trainer_of(lambda: 1), 16)


# Which one is proposed

TABLE, PIN, OTHER = Way("products", "", 8), Way("vmap", "", 5), Way("processes", "")


@pytest.mark.parametrize(
    ("current", "seconds", "proposed"),
    [
        (TABLE, {TABLE: 10, OTHER: 10}, TABLE),
        (TABLE, {TABLE: 10, OTHER: 9}, TABLE),
        (TABLE, {TABLE: 10, OTHER: 8.9}, OTHER),
        (TABLE, {TABLE: 10, PIN: 7, OTHER: 7}, PIN),
        (TABLE, {TABLE: math.inf, OTHER: 7}, OTHER),
        (PIN, {PIN: 10, TABLE: 9.5, OTHER: 9.2}, PIN),
        (PIN, {PIN: 10, TABLE: 8, OTHER: 7.5}, TABLE),
        (PIN, {PIN: 10, TABLE: 9, OTHER: 7}, OTHER),
    ],
)
def test_a_way_is_proposed_for_more_than_a_tenth_of_the_time(current, seconds, proposed):
    timings = [Timing(way, float(took)) for way, took in seconds.items()]
    assert proposed_way(timings, Candidates(TABLE, current, tuple(seconds), {})) == proposed


# How it is measured


def test_a_load_counts_what_an_audit_does():
    load = load_of(trainer_of(batch_size=15), workers=2, n_models=9)
    assert (load.n_records, load.steps_per_epoch, load.steps) == (50, 4, 12)
    for group, at_once, rounds in ((1, 2, 5), (3, 2, 2), (5, 2, 1), (9, 1, 1)):
        way = Way("products", "", group)
        assert (load.at_once(way), load.rounds(way)) == (at_once, rounds)


@pytest.mark.parametrize(
    ("asked", "seen", "epochs", "records"),
    [(1, 1, 1, 10), (3, 3, 1, 30), (5, 5, 1, 50), (11, 10, 2, 50), (99, 15, 3, 50)],
)
def test_a_trial_trains_no_more_than_it_should(asked, seen, epochs, records, monkeypatch):
    jobs = []
    plain = trial.train_here

    def watched(job, trainer, groups, workers):
        jobs.append((trainer.epochs, job.assignment.sum(1).tolist(), groups, workers))
        return plain(job, trainer, groups, workers)

    monkeypatch.setattr(trial, "train_here", watched)
    seconds, steps = load_of(trainer_of(), workers=2).train(Way("products", "", 2), asked)
    assert steps == seen
    assert seconds > 0
    assert jobs == [(epochs, [records] * 4, [range(2), range(2, 4)], 2)]


@pytest.mark.parametrize(
    ("way", "module", "why"),
    [
        (Way("vmap", "", 2), Asking, r"^\w*Error: vmap: It looks like you're"),
        (Way("vmap", "", 2), lambda: Failing(), "^ZeroDivisionError: division by zero$"),
        (Way("processes", ""), lambda: Failing(), "^ZeroDivisionError: division by zero$"),
    ],
)
def test_a_way_that_fails_says_why(way, module, why):
    with pytest.raises(FailedWayError, match=why):
        load_of(trainer_of(module)).train(way, 1)


class Failing(Asking):
    """Raises in its forward pass."""

    def forward(self, x):
        return 1 / 0


def test_a_trainer_that_does_not_take_the_records_is_said():
    with pytest.raises(LeakproError, match="not train on these records: RuntimeError: mat1 and"):
        load_of(trainer_of(lambda: nn.Linear(7, 3))).check()
    with pytest.raises(LeakproError, match="the whole numbers 0, 1"):
        load_of(trainer_of(), y=np.array(["a", "b"] * 50)).check()


def test_what_cannot_travel_is_trained_one_after_the_other():
    lock = threading.Lock()

    def module():
        with lock:
            return mlp()

    load = load_of(trainer_of(module), workers=2)
    assert load.at_once(Way("processes", "")) == 1
    assert load.at_once(Way("products", "", 2)) == 2


def test_all_ways_are_measured_and_those_that_fail_are_named():
    trainer = trainer_of(Asking)
    found = candidates(trainer, 4)
    said = []
    timings = measure(found.ways, load_of(trainer), 60.0, said.append)
    assert [timing.way for timing in timings] == list(found.ways)
    for timing in timings:
        assert bool(timing.failure) == (timing.way.name == "vmap") == math.isinf(timing.seconds)
    assert said[0] == "each way was tried once"


def test_time_that_is_over_ends_it(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(tuning, "monotonic", lambda: next(clock))
    found = candidates(trainer_of(), 16)
    timings = measure(found.ways, load_of(trainer_of(), n_models=16), 0.5)
    # The first way is measured however short the time.
    assert [bool(timing.failure) for timing in timings] == [False] + [True] * 6
    assert timings[1].failure == "the time was over before its turn"


def test_what_is_reported_is_the_fastest_training_for_all_models(monkeypatch):
    took = iter([5.0, 1.0, 0.5, 0.25, 0.75, *[1.0] * 100])
    monkeypatch.setattr(Workload, "train", lambda self, way, steps: (next(took), 1))
    way = Way("products", "", 2)
    (timing,) = measure([way], load_of(trainer_of(), n_models=6), 60.0)
    # 3 epochs of 5 minibatches, three times.
    assert timing == Timing(way, 0.25 * 15 * 3)
