"""What attacks on the rounds of a federated training find where there is something to find."""

import numpy as np
import pytest

from pytest_leakpro import FederatedRounds, LeakproError, audit
from pytest_leakpro.attacks.federated.active_ascent import ActiveAscent
from pytest_leakpro.attacks.federated.round_trajectory import RoundTrajectory
from pytest_leakpro.attacks.federated.standardising import standardised
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.auditing.suite import choose_suite
from pytest_leakpro.stats.roc import auc
from tests.attacks.federated.rounds import Federation, network, trained

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")


@pytest.fixture(scope="module")
def federations():
    return [Federation(seed, rounds=4, size=150, epochs=15, batch=25) for seed in (1, 3)]


def area(attack, target):
    attack = builtin_attacks()[attack] if isinstance(attack, str) else attack
    found = attack.run(target.prepare(0), np.random.default_rng(0))
    return auc(found.members, found.nonmembers)


def test_rounds_tell_more_than_the_last_model(federations):
    """Mean AUC over two trainings, with half the lead that these two have.

    Over eight trainings the means are 0.584 for the loss, 0.615 learned, 0.682 and 0.678.
    """
    found = {"loss": [], "learned": [], "own models": [], "alignment": []}
    for federation in federations:
        client = federation.target(own=federation.other, population=federation.population)
        server = federation.target(
            access="server", updates=federation.updates, population=federation.population
        )
        found["loss"].append(area("loss", client))
        found["learned"].append(area("round_trajectory", client))
        found["own models"].append(area("round_trajectory", server))
        found["alignment"].append(area("update_alignment", server))
    mean = {name: np.mean(values) for name, values in found.items()}
    assert mean["learned"] > mean["loss"] + 0.04
    assert mean["own models"] > mean["loss"] + 0.04
    assert mean["alignment"] > mean["loss"] + 0.04


def test_without_own_records_the_rise_of_the_log_odds_is_the_score(federations):
    federation = federations[0]
    target = federation.target(own=federation.other)
    found = RoundTrajectory().run(target.prepare(0), np.random.default_rng(0))
    X, y = federation.client

    def log_odds(model):
        with torch.no_grad():
            logs = torch.log_softmax(model(torch.as_tensor(X)).double(), 1).numpy()
        own = logs[np.arange(len(y)), y]
        return own - np.log(-np.expm1(own))

    values = np.array([log_odds(model) for model in federation.models])
    assert found.members == pytest.approx((values[1:] - values[0]).mean(axis=0), abs=1e-2)


def linear(n=20, width=4000, as_gradient=False, lr=0.5):
    """One step of gradient descent from nothing on n random records: a sum of y x."""
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(3 * n, width)).astype(np.float32), np.arange(3 * n) % 2
    before, after = (torch.nn.Linear(width, 2, bias=False).requires_grad_(True) for _ in range(2))
    with torch.no_grad():
        before.weight.zero_()
        pull = ((np.eye(2)[y[:n]] - 0.5).T @ X[:n] / n).astype(np.float32)
        after.weight.copy_(torch.as_tensor(lr * pull))
    update = [torch.as_tensor(-pull if as_gradient else lr * pull)]
    target = FederatedRounds(
        [before, after],
        (X[:n], y[:n]),
        (X[n : 2 * n], y[n : 2 * n]),
        access="server",
        updates=[update],
        updates_are="gradient" if as_gradient else "delta",
        output="logits",
    )
    return target, X, 2 * y - 1, n


@pytest.mark.parametrize("as_gradient", [False, True])
def test_alignment_with_one_step_of_descent_is_the_closed_form(as_gradient):
    target, X, sign, n = linear(as_gradient=as_gradient)
    found = builtin_attacks()["update_alignment"].run(target.prepare(0), np.random.default_rng(0))
    signed = sign[:, None] * X.astype(float)
    pull = signed[:n].sum(axis=0)
    cosines = signed @ pull / np.linalg.norm(signed, axis=1) / np.linalg.norm(pull)
    assert found.members == pytest.approx(cosines[:n], abs=1e-5)
    assert found.nonmembers == pytest.approx(cosines[n : 2 * n], abs=1e-5)
    # Random records are nearly orthogonal: a share of 1 / sqrt(n) against a spread of 1 / sqrt(d).
    assert found.members.mean() == pytest.approx(1 / np.sqrt(n), abs=0.01)
    assert auc(found.members, found.nonmembers) == 1


def test_a_client_that_sent_nothing_gives_nothing_away():
    target, *_ = linear()
    target.updates[0]["weight"].zero_()
    found = builtin_attacks()["update_alignment"].run(target.prepare(0), np.random.default_rng(0))
    assert not found.members.any()
    assert not found.nonmembers.any()


def test_rounds_without_the_client_are_left_out():
    target, X, sign, n = linear()
    y = (sign + 1) // 2
    sides = (X[:n], y[:n]), (X[n : 2 * n], y[n : 2 * n])
    models = [
        target.checkpoints[0],
        target.checkpoints[1],
        torch.nn.Linear(X.shape[1], 2, bias=False),
    ]
    more = FederatedRounds(
        models, *sides, access="server", output="logits", updates=[target.updates[0], None, None]
    )
    attack = builtin_attacks()["update_alignment"]
    found = [attack.run(each.prepare(0), np.random.default_rng(0)) for each in (target, more)]
    assert found[0].members == pytest.approx(found[1].members, abs=1e-6)


@pytest.fixture(scope="module")
def by_heart():
    """Rounds that know a few random records by heart, and nothing else there is to learn."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(80, 100)).astype(np.float32)
    y = rng.integers(0, 2, 80)
    members, nonmembers = (X[:40], y[:40]), (X[40:], y[40:])

    def continue_round(model, seed):
        return trained(model, members, seed, epochs=10, rate=0.2)

    models = [network(0, 32, 100, 2)]
    models.append(trained(models[0], members, 0, epochs=1, rate=0.05))
    return FederatedRounds(
        models,
        members,
        nonmembers,
        behaviour="malicious",
        continue_round=continue_round,
        output="logits",
    )


def test_owners_pull_back(by_heart):
    assert area("active_ascent", by_heart) > 0.95
    assert area("active_ascent", by_heart) > area("loss", by_heart) + 0.1


def test_ascent_changes_nothing_of_the_users(by_heart):
    before = [value.clone() for value in by_heart.model.parameters()]
    area("active_ascent", by_heart)
    for value, old in zip(by_heart.model.parameters(), before, strict=True):
        assert torch.equal(value, old)
        assert value.requires_grad


def test_as_many_rounds_are_continued_as_said(by_heart):
    seeds = []

    def continue_round(model, seed):
        seeds.append(seed)
        return model

    target = FederatedRounds(
        list(by_heart.checkpoints),
        (by_heart._members.inputs, by_heart._members.y),
        (by_heart._nonmembers.inputs, by_heart._nonmembers.y),
        behaviour="malicious",
        continue_round=continue_round,
        output="logits",
    )
    found = audit(target, attacks=[ActiveAscent(groups=3, rounds=2, most_steps=4)])
    assert len(set(seeds)) == 6
    (figures,) = found.measurements[0].figures
    assert np.isfinite(area(ActiveAscent(groups=100, rounds=1, most_steps=1), target))
    # Both sides once, after each round a third of them, and at most four times while climbing.
    assert 80 + 2 * 80 < figures.queries <= 80 + 2 * 80 + 2 * 4 * 80
    assert found.details["queries"] == figures.queries


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (lambda model: None, "returned a NoneType"),
        (lambda model: network(0, 8, 100, 2), "without the weight '0.weight'"),
        (lambda model: model.requires_grad_(False).apply(spoil), "NaN or infinite values in"),
    ],
)
def test_rounds_that_do_not_continue(by_heart, returned, says):
    target = FederatedRounds(
        list(by_heart.checkpoints),
        (by_heart._members.inputs, by_heart._members.y),
        (by_heart._nonmembers.inputs, by_heart._nonmembers.y),
        behaviour="malicious",
        continue_round=lambda model, seed: returned(model),
        output="logits",
    )
    with pytest.raises(LeakproError, match=says):
        area("active_ascent", target)


def spoil(module):
    for value in module.parameters():
        value.fill_(float("nan"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ActiveAscent(groups=1), "groups is a whole number of at least 2, not 1"),
        (lambda: ActiveAscent(rise=0), "rise is a positive number"),
        (lambda: ActiveAscent(step=True), "step is a positive number"),
        (lambda: RoundTrajectory(strength=float("inf")), "strength is a positive number"),
    ],
)
def test_attacks_that_cannot_be(make, says):
    with pytest.raises(LeakproError, match=says):
        make()


def test_default_suites(federations):
    federation = federations[0]
    known = {"population": federation.population}
    server = {"access": "server", "updates": federation.updates}
    active = {"behaviour": "malicious", "continue_round": federation.continue_round}

    def names(**options):
        return [attack.name for attack in choose_suite(federation.target(**options), None)]

    assert names() == ["round_trajectory", "loss", "modified_entropy"]
    assert names(own=federation.other, **known) == ["round_trajectory", "qmia", "loss"]
    assert names(**server) == ["update_alignment", "round_trajectory", "loss"]
    assert names(**server, **active) == ["update_alignment", "round_trajectory", "active_ascent"]


def test_rows_are_standardised_one_by_one():
    reference = np.array([[1.0, 3.0], [5.0, 5.0]])
    assert standardised(np.array([[4.0], [6.0]]), reference).tolist() == [[2.0], [1.0]]
