"""The rounds of a federated training as a target: what is taken, and what is refused by name."""

import copy

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import FederatedRounds, LeakproError, audit
from pytest_leakpro.targets.access import Access
from tests.targets.examples import CANARY, sides

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
MEMBERS, NONMEMBERS = sides(40)
RNG = np.random.default_rng(9)
OWN = RNG.normal(size=(20, 3)), np.arange(20) % 2
NETS = {"output": "logits"}


def net(width=4):
    torch = pytest.importorskip("torch")
    return torch.nn.Sequential(
        torch.nn.Linear(3, width), torch.nn.ReLU(), torch.nn.Linear(width, 2)
    )


def update(model):
    return [value.detach() * 0 + 0.1 for value in model.parameters()]


def estimators():
    return [LogisticRegression(C=c).fit(*MEMBERS) for c in (0.1, 1.0, 10.0)]


def target(models=None, **options):
    return FederatedRounds(
        [net(), net(), net()] if models is None else models, MEMBERS, NONMEMBERS, **options
    )


def test_the_attacker_is_named_and_sees_weights():
    models = [net(), net()]
    client, server = target(models), target(models, access="server")
    assert (str(client.participant), client.access) == ("client, honest", Access.WHITE_BOX)
    assert client.model is models[1]
    assert client.checkpoints == tuple(models)
    assert str(target(models, name="rounds")) == (
        "FederatedRounds('rounds', models=2, members=(40, 3), nonmembers=(40, 3), "
        "access='client', behaviour='honest')"
    )
    for each, who in ((client, "client, honest"), (server, "server, honest")):
        (entry, *_) = audit(each, "auc <= 0.9", attacks=["loss", "gradient"]).measurements
        assert entry.access == who
        assert who in entry.strength
    active = target(models, behaviour="malicious", continue_round=lambda model, seed: model)
    (entry,) = audit(active, "auc <= 0.9", attacks=["active_ascent"]).measurements
    assert entry.access == "client, malicious"


def test_weights_are_loaded_into_the_model_there_is(tmp_path):
    torch = pytest.importorskip("torch")
    models = [net(), net(), net()]
    path = tmp_path / "last.pt"
    torch.save(models[2].state_dict(), path)
    found = target([models[0].state_dict(), models[1], path])
    for there, given in zip(found.checkpoints, models, strict=True):
        assert torch.equal(there[0].weight, given[0].weight)
    assert found.checkpoints[1] is models[1]
    assert found.model is found.checkpoints[2]


def test_estimators_have_rounds_too():
    found = target(estimators(), own=OWN, population=(OWN[0] + 1, OWN[1]))
    assert audit(found, attacks=["round_trajectory", "loss"]).measurements[0].n_members == 40
    with pytest.raises(LeakproError, match="updates= of a LogisticRegression: updates are read"):
        target(estimators(), access="server", updates=[[], []])
    with pytest.raises(LeakproError, match="LogisticRegression: only torch modules"):
        target(estimators(), behaviour="malicious", continue_round=lambda model, seed: model)


@pytest.mark.parametrize("kind", ["list", "arrays", "dict", "gradient"])
def test_updates_are_brought_to_one_form(kind):
    torch = pytest.importorskip("torch")
    models = [net(), net()]
    given = update(models[0])
    if kind == "arrays":
        given = [value.numpy() for value in given]
    if kind == "dict":
        names = [name for name, _ in models[0].named_parameters()]
        given = dict(zip(names, given, strict=True))
    if kind == "gradient":
        given = [-value for value in given]
    found = target(
        models,
        access="server",
        updates=[given],
        updates_are="gradient" if kind == "gradient" else "delta",
    )
    (moves,) = found.updates
    assert list(moves) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(torch.all(value == 0.1) for value in moves.values())
    assert found.deltas == (kind != "gradient")


def test_statistics_of_normalisation_and_frozen_weights_may_be_sent_or_not():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)
    )
    model[0].requires_grad_(False)
    models = [model, copy.deepcopy(model)]
    models[1][2].weight.data += 1
    whole = {name: value * 0 for name, value in model.state_dict().items()}
    some = [value * 0 for value in model.parameters() if value.requires_grad]
    for given, n_weights in ((whole, 6), (some, 4)):
        found = target(models, access="server", updates=[given], **NETS)
        assert len(found.updates[0]) == n_weights
        scores = audit(found, attacks=["update_alignment", "round_trajectory"])
        assert scores.measurements[0].n_members == 40


def test_own_records_stand_nowhere_else():
    mixed = tuple(np.concatenate(pair)[9:] for pair in zip(MEMBERS, OWN, strict=True))
    for options in ({"own": mixed}, {"own": OWN, "population": OWN}):
        with pytest.raises(LeakproError, match=r"own: (31|20) of \d+ records stand among members"):
            target(**options).prepare(0)
    assert target(own=OWN).prepare(0).own.side == "own"


def test_no_record_is_shown():
    X = np.full((20, 3), CANARY)
    found = target(own=(X, OWN[1]))
    shown = [repr(found), repr(found.prepare(0)), repr(found.sight)]
    with pytest.raises(LeakproError) as error:
        FederatedRounds(
            [net(), net()], MEMBERS, NONMEMBERS, own=(X, OWN[1]), population=(X, OWN[1])
        ).prepare(0)
    assert str(CANARY)[:6] not in "".join([*shown, str(error.value)])


def test_attacks_that_train_models_refuse_and_others_run():
    found = target([net(), net(), net()], **NETS)
    for name in ("lira", "trajectory", "seqmia", "yoqo"):
        with pytest.raises(LeakproError, match="not done again here: audit the last model"):
            audit(found, attacks=[name])
    (entry, *_) = audit(found, "auc <= 0.9", attacks="all").measurements
    ran = {figures.attack for figures in entry.figures}
    assert {"loss", "gradient", "round_trajectory", "gap"} <= ran
    assert not {"lira", "update_alignment", "active_ascent"} & ran


def test_groups_slices_and_sizes_hold_as_for_a_classifier():
    ids = np.repeat(np.arange(20), 2)
    found = target(groups=(ids, ids + 20), audit_size=15, **NETS)
    (entry, *_) = audit(found, attacks=["round_trajectory"]).measurements
    assert (entry.n_members, entry.n_nonmembers) == (15, 15)
    sliced = target(slices={"half": (np.arange(40) % 2, np.arange(40) % 2)}, **NETS)
    (entry, *_) = audit(sliced, "auc <= 0.9", attacks=["round_trajectory"]).measurements
    assert len(entry.slices) == 2


def test_queries_are_counted():
    models = [net(), net(), net()]
    found = target(models, access="server", updates=[update(m) for m in models[:2]], **NETS)
    done = audit(found, "auc <= 0.9", attacks=["update_alignment", "round_trajectory"])
    queries = {entry.attack: entry.queries for entry in done.measurements[0].figures}
    # Two rounds; two global models and the client's two.
    assert queries == {"update_alignment": 160, "round_trajectory": 320}


BAD_UPDATES = [
    (lambda u: [u], "updates: 1 of them, and 3 models: .* so give 2, or 3 where"),
    (lambda u: [u] * 4, "updates: 4 of them, and 3 models"),
    (lambda u: [None, None], "had no part in any round"),
    (lambda u: u[0], "updates is a Tensor: give a list with one update per round"),
    (lambda u: [u, u[:3]], r"updates\[1\] has 3 tensors, and the model 4 weights"),
    (lambda u: [u, 3], r"updates\[1\] is a int: give a list of tensors"),
    (lambda u: [[u[0].T, *u[1:]], u], r"updates\[0\], 0.weight has shape \(3, 4\), the weight"),
    (lambda u: [[u[0] / 0, *u[1:]], u], r"updates\[0\], 0.weight holds NaN or infinite values"),
    (lambda u: [["a", *u[1:]], u], r"updates\[0\], 0.weight is a str: give a tensor"),
    (lambda u: [{"0.weights": u[0]}, u], r"names '0.weights', which .* .did you mean '0.weight'"),
    (lambda u: [{"0.weight": u[0]}, u], r"updates\[0\] lacks 0.bias, 2.weight"),
]


@pytest.mark.parametrize(("make", "says"), BAD_UPDATES)
def test_updates_that_do_not_fit(make, says):
    models = [net(), net(), net()]
    with pytest.raises(LeakproError, match=says):
        target(models, access="server", updates=make(update(models[0])))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"models": ()}, "models: 0 of them: give the global models"),
        ({"models": estimators()[:1]}, "models: 1 of them: .* one model alone is a Classifier"),
        ({"models": "round_1.pt"}, "models is a str: give a list"),
        ({"models": [{}, {}]}, r"models: none is a model \(dict\)"),
        ({"access": "clinet"}, "access='clinet' is not known .did you mean 'client'"),
        ({"access": "white-box"}, "access='white-box' is not known.*give 'client' or 'server'"),
        ({"access": None}, "access= is a NoneType"),
        ({"behaviour": "malicous"}, "'malicous' is not known .did you mean 'malicious'"),
        ({"behaviour": "malicious"}, "'malicious' takes continue_round="),
        ({"behaviour": "malicious", "continue_round": 3}, "manipulated model, not a int"),
        ({"continue_round": lambda model, seed: model}, "an honest participant manipulates"),
        ({"updates": []}, "updates= with access='client': a client does not see"),
        ({"access": "server", "own": OWN}, "own= with access='server'"),
        ({"access": "server", "updates": [], "updates_are": "deltas"}, "did you mean 'delta'"),
        ({"own": (OWN[0][:5], OWN[1][:5])}, "own: 5 records are too few"),
        ({"own": (OWN[0][:, :2], OWN[1])}, r"own: each record has shape \(2,\)"),
        ({"own": (OWN[0], OWN[1] + 7)}, "own: "),
    ],
)
def test_arguments_that_do_not_fit(options, says):
    with pytest.raises(LeakproError, match=says):
        target(**({"models": estimators()} | options))


def test_models_that_do_not_fit():
    model = net()
    with pytest.raises(LeakproError, match="models: checkpoints 1 and 2 are one and the same"):
        target([model, model])
    with pytest.raises(LeakproError, match="models: checkpoint 1 is of another architecture"):
        target([net(5), model])
    with pytest.raises(LeakproError, match="models: checkpoint 2 is of another architecture"):
        target([model, net(5).state_dict()])
