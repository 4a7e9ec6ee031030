"""Reconstruction from the stationarity conditions of a trained network."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier, LeakproError, PytestLeakproWarning, audit
from pytest_leakpro.attacks.reconstruction.homogeneous_network import (
    HomogeneousNetwork,
    homogeneous_network,
)
from pytest_leakpro.attacks.reconstruction.kkt import KktReconstruction, Stationarity
from pytest_leakpro.attacks.reconstruction.nearness import judge
from pytest_leakpro.attacks.reconstruction.record_space import nearest_distances

torch = pytest.importorskip("torch")
nn = torch.nn

D, N = 20, 10


def network(hidden=(8,), inputs=D, outputs=1, *, seed=0, begun=1.0, bias=False):
    """Build fully connected layers with ReLU, the first one smaller by a factor."""
    torch.manual_seed(seed)
    layers = []
    for place, (entering, leaving) in enumerate(itertools.pairwise((inputs, *hidden, outputs))):
        layers += [nn.Linear(entering, leaving, bias=bias or place == 0), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).double()
    with torch.no_grad():
        for value in model[0].parameters():
            value.mul_(begun)
    return model


def descend(model, X, y, until):
    """Train by full-batch gradient descent on the logistic loss, in steps that grow."""
    inputs, signs = torch.tensor(X), torch.tensor(2.0 * y - 1)
    weights, rate, last = list(model.parameters()), 0.01, np.inf
    kept = [value.detach().clone() for value in weights]
    for _ in range(20_000):
        loss = nn.functional.softplus(-signs * model(inputs)[:, 0]).mean()
        with torch.no_grad():
            if float(loss) <= last:
                kept, last = [value.clone() for value in weights], float(loss)
                slopes, rate = torch.autograd.grad(loss, weights), rate * 1.005
            else:
                rate /= 2
            if last <= until:
                break
            for value, old, slope in zip(weights, kept, slopes, strict=True):
                value.copy_(old - rate * slope)
    assert last <= until
    return model


def sphere(seed=0):
    """Draw records of length 3, of which the first ten are trained on, with labels in turn."""
    X = np.random.default_rng(seed).normal(size=(2 * N, D))
    X *= 3 / np.linalg.norm(X, axis=1, keepdims=True)
    y = np.arange(2 * N) % 2
    return (X[:N], y[:N]), (X[N:], y[N:])


def target_of(model, seed=0, **options):
    members, nonmembers = sphere(seed)
    return Classifier(
        model, members, nonmembers, **({"access": "white-box", "train": False} | options)
    )


def two_points():
    """Give a network that meets the conditions exactly, its records and their multipliers.

    Each of two neurons sees one record (x, 1) alone, to which it is parallel; with multipliers of
    1 over the length of (x, 1) both layers are the sum of gradients.
    """
    X = np.array([[2.0, 1.0], [-1.0, -3.0]])
    multipliers = 1 / np.sqrt((X**2).sum(1) + 1)
    last = np.array([[0.7, -1.3]])
    factors = multipliers * np.abs(last[0])
    return HomogeneousNetwork((factors[:, None] * X, last), factors), X, multipliers


def test_nothing_is_missing_at_a_stationary_point_and_all_without_multipliers():
    exact, X, multipliers = two_points()
    for layers in ("first", "all"):
        state = Stationarity.of(exact, 2, layers=layers, double=True)
        shares = torch.tensor(multipliers / state.multiplier)
        assert float(state(torch.tensor(X), shares, np.inf)) < 1e-15
        assert float(state(torch.tensor(X), 0 * shares, np.inf)) == 1
        for shift in ([0.1, 0], [0, 0.1]):
            assert float(state(torch.tensor(X + shift), shares, np.inf)) > 1e-4
        # A smooth derivative of ReLU comes to the step as it becomes steep.
        gaps = [float(state(torch.tensor(X), shares, steep)) for steep in (1, 3, 10, 100)]
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[-1] < 1e-9


@pytest.mark.parametrize("hidden", [(7,), (7, 5), (6, 5, 4)])
def test_what_is_missing_is_what_autograd_says(hidden):
    model = network(hidden, inputs=4)
    rng = np.random.default_rng(1)
    X, shares = rng.normal(size=(6, 4)), rng.uniform(size=6)
    for layers, used in (("first", 2), ("all", None)):
        state = Stationarity.of(homogeneous_network(model, (4,)), 6, layers=layers, double=True)
        weighted = (
            state.multiplier
            * torch.tensor(shares * [1, -1, 1, -1, 1, -1])
            * model(torch.tensor(X))[:, 0]
        )
        weights = list(model.parameters())[:used]
        sums = torch.autograd.grad(weighted.sum(), weights)
        missing = sum(
            float((a - b).detach().square().sum()) for a, b in zip(weights, sums, strict=True)
        )
        whole = sum(float(a.detach().square().sum()) for a in weights)
        found = float(state(torch.tensor(X), torch.tensor(shares), np.inf))
        assert found == pytest.approx(missing / whole, rel=1e-10)


def test_twice_the_weights_take_twice_to_the_depth_the_outputs():
    X = np.random.default_rng(0).normal(size=(5, D))
    model = network((8, 6))
    before = homogeneous_network(model, (D,))(X)
    assert before == pytest.approx(model(torch.tensor(X))[:, 0].detach().numpy())
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(2)
    assert homogeneous_network(model, (D,))(X) == pytest.approx(8 * before)


def test_of_two_outputs_the_difference_is_read():
    model = nn.Sequential(nn.Flatten(), network(outputs=2))
    X = np.random.default_rng(0).normal(size=(5, D))
    outputs = model(torch.tensor(X)).detach().numpy()
    assert homogeneous_network(model, (4, 5))(X) == pytest.approx(outputs[:, 1] - outputs[:, 0])


class Functional(nn.Module):
    """The same layers with or without ReLU in a forward of their own."""

    def __init__(self, between):
        super().__init__()
        self.first, self.last = nn.Linear(D, 8), nn.Linear(8, 1, bias=False)
        self.between = between

    def forward(self, inputs):
        return self.last(self.between(self.first(inputs)))


def test_what_a_module_computes_counts_and_not_where_it_says_so():
    assert isinstance(homogeneous_network(Functional(torch.relu), (D,)), HomogeneousNetwork)
    assert "something else" in homogeneous_network(Functional(torch.tanh), (D,))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (network(bias=True), "not homogeneous"),
        (nn.Sequential(nn.Linear(D, 1)), "at least one hidden layer"),
        (nn.Sequential(nn.Linear(D, 4), nn.Dropout(), nn.Linear(4, 1, bias=False)), "Dropout"),
        (nn.Sequential(nn.Linear(D, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)), "BatchNorm1d"),
        (nn.Sequential(nn.Conv1d(1, 1, 3), nn.Linear(18, 1)), "Conv1d"),
        (nn.Sequential(nn.Linear(D, 4, bias=False), nn.ReLU(), nn.Linear(4, 1, bias=False)),
         "how large records are"),
        (network(outputs=3), "two classes"),
        (network(inputs=D + 1), "does not take the records as they are"),
        (LogisticRegression().fit(np.eye(2, D), [0, 1]), "torch module"),
    ],
)  # fmt: skip
def test_other_networks_are_refused_with_the_reason(model, says):
    assert says in KktReconstruction().mismatch(target_of(model))


def test_weights_must_be_seen():
    assert "white-box" in KktReconstruction().mismatch(target_of(network(), access="scores"))


def test_weights_of_zero_tell_nothing():
    model = network(begun=0.0)
    view = target_of(model).prepare(0)
    with pytest.raises(LeakproError, match="are 0"):
        KktReconstruction().rebuild(view, np.random.default_rng(0), print)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"step_size": 0.0},
        {"sharpness": -1.0},
        {"least_multiplier": -0.1},
        {"layers": "last"},
        {"bounds": (1.0, 0.0)},
        {"attempts": 5},
    ],
)
def test_wrong_settings_are_errors(options):
    with pytest.raises(LeakproError, match=f"{next(iter(options))} of the attack"):
        KktReconstruction(**options)


def test_two_candidates_per_member_and_at_least_400():
    model = network()
    assert KktReconstruction().n_attempts(target_of(model).prepare(0)) == 400
    X = np.random.default_rng(0).normal(size=(1000, D))
    y = np.arange(500) % 2
    view = Classifier(
        model, (X[:300], y[:300]), (X[500:], y), access="white-box", train=False
    ).prepare(0)
    assert KktReconstruction().n_attempts(view) == 600
    assert KktReconstruction(attempts=20).n_attempts(view) == 20


def rebuilt(model, seed=0):
    """Rebuild, and give mean distances from both sides' records, and near counts of both."""
    view = target_of(model, seed).prepare(0)
    attack = KktReconstruction(attempts=2 * N)
    attempts = attack.rebuild(view, np.random.default_rng(0), lambda _: None)
    evidence = judge(view, attempts, np.random.default_rng(0), attack.name)
    distances = [nearest_distances(X, attempts.records)[0].mean() for X, _ in sphere(seed)]
    near = [int((part["near"] <= 0.5).sum()) for part in (evidence.quality, evidence.baseline)]
    return distances, near, attempts


def test_a_network_that_learned_nothing_gives_no_records_away():
    members, _ = sphere()
    model = descend(network((300,), begun=0.03), *members, 0.69)  # of ln 2 = 0.693
    (at_members, at_others), near, _ = rebuilt(model)
    assert near == [0, 0]
    assert at_members > 0.9 * at_others


def test_a_trained_network_gives_its_records_away(monkeypatch):
    """Ten records of length 3 in 20 dimensions: of other ones the nearest candidate is 2.7 away.

    Seeds are fixed; see the slow test for others.
    """
    members, _ = sphere()
    model = descend(network((300,), begun=0.03), *members, 1e-6)
    (at_members, at_others), near, attempts = rebuilt(model)
    assert at_members < 2.2
    assert at_others > 2.7
    assert near[0] >= 3
    assert near[1] == 0
    assert "20 candidates make up the first layer's weights" in attempts.notes[0]
    assert attempts.notes[0].endswith("with outputs near 14")

    # The audit counts the same.
    monkeypatch.setattr(KktReconstruction, "rebuild", lambda *_: attempts)
    with pytest.warns(PytestLeakproWarning, match="cannot PASS with 20 attempts"):
        found = audit(
            target_of(model, output="logits"),
            "reconstruction[near] <= 1%",
            attacks=[KktReconstruction(attempts=2 * N)],
        )
    measured = found.measurements[0]
    assert (measured.attack, measured.access) == ("kkt_reconstruction", "white-box")
    assert measured.value == pytest.approx(near[0] / (2 * N))
    assert f"kkt_reconstruction: {attempts.notes[0]}" in found.notes


@pytest.mark.slow
def test_stopping_early_does_not_help_and_a_first_layer_that_begins_large_does():
    """Of thirty records of three networks each; seeds are fixed."""
    counts = dict.fromkeys(("full", "early", "large"), 0)
    for seed in range(3):
        members, _ = sphere(seed)
        model = network((300,), begun=0.03, seed=seed)
        for name, until in (("early", 0.5), ("full", 1e-6)):
            counts[name] += rebuilt(descend(model, *members, until), seed)[1][0]
        large = descend(network((300,), seed=seed), *members, 1e-6)
        counts["large"] += rebuilt(large, seed)[1][0]
    assert counts["full"] >= 8
    assert counts["early"] >= 8
    assert counts["large"] <= 4


def test_the_same_seed_gives_the_same_candidates():
    view = target_of(network()).prepare(0)
    attack = KktReconstruction(attempts=2 * N, steps=30)
    first, again, other = (
        attack.rebuild(view, np.random.default_rng(seed), lambda _: None).records
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_candidates_are_kept_within_bounds():
    view = target_of(network((300,))).prepare(0)
    attack = KktReconstruction(attempts=2 * N, steps=200)
    free, kept = (
        one.rebuild(view, np.random.default_rng(0), lambda _: None).records
        for one in (attack, KktReconstruction(attempts=2 * N, steps=200, bounds=(-0.1, 0.1)))
    )
    assert np.abs(free).max() > 0.5
    assert np.abs(kept).max() < 0.5 * np.abs(free).max()
