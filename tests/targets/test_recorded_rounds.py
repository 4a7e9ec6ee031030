"""Recorded rounds give models and updates by name, whatever the order in which they were sent."""

import numpy as np
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.store.exchanges import CLIENT, GLOBAL, SERVER, Exchange, Place
from pytest_leakpro.targets.recorded_rounds import recorded_rounds

BEFORE = {"w": np.array([1.0, 2.0]), "b": np.array([3.0])}
AFTER = {"b": np.array([5.0]), "w": np.array([1.5, 2.5])}


def client(root, *, received=BEFORE, sent=AFTER, node=11, number=1, run=7, partition=0, **metrics):
    facts = {"metrics": metrics, "partition": partition, "message": "m"}
    arrays = {"received": received, "sent": sent}
    Exchange(arrays, facts).save(root, Place(run, number, CLIENT, node))


def server(root, sent, node=11, number=1):
    Exchange({"sent": sent}, {"metrics": {}}).save(root, Place(7, number, SERVER, node))


def global_model(root, sent, number):
    Exchange({"sent": sent}, {}).save(root, Place(7, number, GLOBAL))


def test_an_update_is_taken_by_name(tmp_path):
    client(tmp_path)
    update = recorded_rounds(tmp_path).update(11, 1)
    assert list(update) == ["b", "w"]
    np.testing.assert_array_equal(update["w"], [0.5, 0.5])
    np.testing.assert_array_equal(update["b"], [2.0])


def test_of_a_server_that_recorded_alone(tmp_path):
    global_model(tmp_path, BEFORE, 0)
    server(tmp_path, AFTER)
    rounds = recorded_rounds(tmp_path)
    np.testing.assert_array_equal(rounds.update(11, 1)["b"], [2.0])
    with pytest.raises(LeakproError, match=r"0 nodes .* partition 0 \(recorded: none\).* 11"):
        rounds.node_of(0)


def test_of_clients_that_recorded_alone(tmp_path):
    for number in (1, 2):
        for node in (11, 12):
            received = {name: array + number for name, array in BEFORE.items()}
            client(tmp_path, received=received, node=node, number=number)
    rounds = recorded_rounds(tmp_path)
    np.testing.assert_array_equal(rounds.global_state(1)["b"], [5.0])
    with pytest.raises(LeakproError, match="after round 2 of run 7 was not recorded"):
        rounds.global_state(2)


def test_different_models_for_different_nodes_are_no_global_model(tmp_path):
    client(tmp_path)
    client(tmp_path, received=AFTER, node=12)
    with pytest.raises(LeakproError, match="different models in round 1"):
        recorded_rounds(tmp_path).global_state(0)


def test_something_else_than_weights_is_no_update(tmp_path):
    client(tmp_path, sent={"w": np.zeros(3)})
    rounds = recorded_rounds(tmp_path)
    with pytest.raises(LeakproError, match="node 11 in round 1 sent 'w'"):
        rounds.update(11, 1)
    assert rounds.sent(11, 1)["w"].shape == (3,)


def test_the_number_of_examples(tmp_path):
    client(tmp_path, **{"num-examples": 9})
    client(tmp_path, number=2, num_examples=4)
    client(tmp_path, number=3, loss=0.1)
    rounds = recorded_rounds(tmp_path)
    assert (rounds.n_examples(11, 1), rounds.n_examples(11, 2)) == (9, 4)
    with pytest.raises(LeakproError, match=r"no 'num-examples' in round 3 \(its metrics: loss\)"):
        rounds.n_examples(11, 3)
    with pytest.raises(LeakproError, match=r"node 12 in round 1 .*nodes: 11; rounds: 1, 2, 3"):
        rounds.n_examples(12, 1)


def test_nodes_by_their_partition(tmp_path):
    client(tmp_path, node=90, partition=0)
    client(tmp_path, node=20, partition=1)
    client(tmp_path, node=21, partition=1)
    rounds = recorded_rounds(tmp_path)
    assert rounds.nodes == (20, 21, 90)
    assert rounds.node_of(0) == 90
    with pytest.raises(LeakproError, match="2 nodes of run 7 had partition 1"):
        rounds.node_of(1)


def test_several_runs_must_be_told_apart(tmp_path):
    with pytest.raises(LeakproError, match="holds no recorded run: put audit_mod first"):
        recorded_rounds(tmp_path)
    client(tmp_path)
    client(tmp_path, run=8, sent=BEFORE)
    with pytest.raises(LeakproError, match=r"2 runs: choose one by run= \(7, 8\)"):
        recorded_rounds(tmp_path)
    with pytest.raises(LeakproError, match=r"no run 9 \(known: 7, 8\)"):
        recorded_rounds(tmp_path, run=9)
    assert not recorded_rounds(tmp_path, run=8).update(11, 1)["b"].any()
    assert repr(recorded_rounds(tmp_path, 7)) == "RecordedRounds(run 7: 1 nodes, 1 rounds)"


def make_model():
    torch = pytest.importorskip("torch")
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))


def weights(seed):
    rng = np.random.default_rng(seed)
    return {
        name: rng.random(tuple(value.shape)).astype(str(value.numpy().dtype))
        for name, value in make_model().state_dict().items()
    }


def test_models_round_by_round(tmp_path):
    states = [weights(seed) for seed in range(3)]
    for number, state in enumerate(states):
        global_model(tmp_path, dict(reversed(state.items())), number)
    models = recorded_rounds(tmp_path).models(make_model)
    assert len(models) == 3
    for model, state in zip(models, states, strict=True):
        assert not model.training
        for name, value in model.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), state[name])


@pytest.mark.parametrize("numbered", ["state", "parameters"])
def test_arrays_that_were_sent_as_a_list(tmp_path, numbered):
    state = weights(0)
    names = [name for name, _ in make_model().named_parameters()]
    sent = state if numbered == "state" else {name: state[name] for name in names}
    listed = {str(number): array for number, array in enumerate(sent.values())}
    global_model(tmp_path, listed, 0)
    (model,) = recorded_rounds(tmp_path).models(make_model)
    for name, value in model.named_parameters():
        np.testing.assert_array_equal(value.detach().numpy(), state[name])


def test_batch_statistics_and_frozen_weights_may_stay_where_they_are(tmp_path):
    model = make_model()
    model[0].weight.requires_grad_(False)
    names = [name for name, value in model.named_parameters() if value.requires_grad]
    global_model(tmp_path, {name: weights(0)[name] for name in names}, 0)
    (loaded,) = recorded_rounds(tmp_path).models(lambda: model)
    np.testing.assert_array_equal(loaded[0].weight, model[0].weight)
    np.testing.assert_array_equal(loaded[0].bias.detach(), weights(0)["0.bias"])


def test_weights_that_do_not_fit(tmp_path):
    state = weights(0)
    wrong = {
        0: ({**state, "0.weights": state["0.bias"]}, "holds '0.weights', which .*mean '0.weight'"),
        1: ({"0.bias": state["0.bias"]}, "nothing of the model's parameter '0.weight'"),
        2: ({**state, "0.bias": np.zeros(5)}, r"0.bias has shape \(5,\), in the model \(2,\)"),
    }
    for number, (sent, message) in wrong.items():
        root = tmp_path / str(number)
        global_model(root, sent, 0)
        rounds = recorded_rounds(root)
        with pytest.raises(LeakproError, match=f"round 0.*{message}"):
            rounds.models(make_model)


def test_an_update_as_a_target(tmp_path):
    torch = pytest.importorskip("torch")
    before, after = weights(0), weights(1)
    client(tmp_path, received=before, sent=dict(reversed(after.items())))
    model = make_model().train()
    batch = torch.zeros(4, 3), torch.tensor([0, 1, 1, 0])
    target = recorded_rounds(tmp_path).federated_update(
        model, 11, 1, batch=batch, loss=torch.nn.functional.cross_entropy, learning_rate=0.5
    )
    assert target.name == "round 1, node 11"
    assert target.model.training
    for name, value in target.model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    (audited,) = target.prepare(0)
    names = [name for name, _ in model.named_parameters()]
    for name, gradient in zip(names, audited.view.update, strict=True):
        expected = (before[name] - after[name]) / 0.5
        np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-5)
