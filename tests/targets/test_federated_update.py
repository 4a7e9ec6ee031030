"""What a client sends, read and brought to one form."""

import numpy as np
import pytest

from pytest_leakpro import FederatedUpdate, LeakproError, PytestLeakproWarning

torch = pytest.importorskip("torch")
nn, functional = torch.nn, torch.nn.functional


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))


def batch(n=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 6)).astype(np.float32), rng.integers(3, size=n)


def gradients(model, pair):
    loss = functional.cross_entropy(model(pair[0]), pair[1])
    return list(torch.autograd.grad(loss, list(model.parameters())))


def flat(parts):
    return torch.cat([part.reshape(-1) for part in parts])


def sent(target, seed=0):
    return flat(target.prepare(seed)[0].view.update)


PLAIN = flat(gradients(network(), tuple(map(torch.as_tensor, batch()))))


def trained(steps, size=None, rate=0.1):
    def fit(model, pair):
        optimiser = torch.optim.SGD(model.parameters(), lr=rate)
        for step in range(steps):
            n = size or len(pair[0])
            first = step * n % len(pair[0])
            optimiser.zero_grad()
            part = slice(first, first + n)
            functional.cross_entropy(model(pair[0][part]), pair[1][part]).backward()
            optimiser.step()
        return model

    return fit


def test_every_kind_is_brought_to_the_gradient():
    model, pair = network(), batch()
    change = [-0.1 * part for part in gradients(model, tuple(map(torch.as_tensor, pair)))]
    after = [old.detach() + new for old, new in zip(model.parameters(), change, strict=True)]
    by_name = dict(zip(dict(model.named_parameters()), after, strict=True))
    given = [
        FederatedUpdate(model, None, pair),
        FederatedUpdate(model, [-10 * part for part in change], pair),
        FederatedUpdate(model, change, pair, kind="delta", learning_rate=0.1),
        FederatedUpdate(model, after, pair, kind="weights", learning_rate=0.1),
        FederatedUpdate(model, by_name, pair, kind="weights", learning_rate=0.1),
        FederatedUpdate.from_gradient(model, pair, functional.cross_entropy, client=gradients),
        FederatedUpdate.from_training(model, pair, trained(1), learning_rate=0.1),
    ]
    for target in given:
        torch.testing.assert_close(sent(target), PLAIN, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [None, 2, 3])
def test_several_local_steps_are_simulated_as_the_client_takes_them(size):
    pair = batch(6)
    target = FederatedUpdate.from_training(
        network(), pair, trained(4, size), learning_rate=0.1, local_steps=4, local_batch_size=size
    )
    entry = target.prepare(0)[0]
    simulated = entry.view.simulate(entry.inputs, entry.labels, differentiable=False)
    torch.testing.assert_close(flat(simulated), flat(entry.view.update), rtol=1e-4, atol=1e-6)


def test_a_simulation_can_be_differentiated_by_the_inputs():
    target = FederatedUpdate.from_training(
        network(), batch(), trained(3), learning_rate=0.1, local_steps=3
    )
    view = target.prepare(0)[0].view
    inputs = torch.zeros(4, 6, requires_grad=True)
    flat(view.simulate(inputs, torch.zeros(4, dtype=torch.long))).square().sum().backward()
    assert inputs.grad.abs().sum() > 0
    assert all(value.grad is None for value in view.model.parameters())


def test_the_user_s_model_is_left_as_it_was():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    target = FederatedUpdate.from_training(
        model, batch(), trained(2), learning_rate=0.1, local_steps=2, statistics="sent"
    )
    target.prepare(0)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name])


def test_draws_follow_from_the_seed_and_are_batches_of_the_data():
    pair = batch(20)
    target = FederatedUpdate.from_gradient(network(), data=pair, draws=5, batch_size=3)
    found, again, other = target.prepare(0), target.prepare(0), target.prepare(1)
    assert target.n_batches == len(found) == 5
    records = {tuple(row) for row in pair[0]}
    for entry, same in zip(found, again, strict=True):
        rows = {tuple(row) for row in entry.inputs.numpy()}
        assert len(rows) == 3
        assert rows <= records
        torch.testing.assert_close(entry.inputs, same.inputs)
    assert any(
        not torch.equal(one.inputs, two.inputs) for one, two in zip(found, other, strict=True)
    )


def test_a_random_defence_follows_from_the_seed_and_leaves_torch_s_own_numbers_alone():
    def noisy(model, pair):
        return [part + torch.randn_like(part) for part in gradients(model, pair)]

    target = FederatedUpdate.from_gradient(network(), batch(), client=noisy)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two, other = sent(target), sent(target), sent(target, 1)
    torch.testing.assert_close(torch.rand(3), expected)
    torch.testing.assert_close(one, two)
    assert not torch.equal(one, other)


def test_what_another_client_learns_is_the_rest_of_the_average():
    """Two clients with shares 1/4 and 3/4: the first subtracts its own."""
    before, others = network(), batch(8, 1)
    own = [torch.ones_like(part) for part in before.parameters()]
    theirs = gradients(before, tuple(map(torch.as_tensor, others)))
    after = network()
    with torch.no_grad():
        for value, mine, other in zip(after.parameters(), own, theirs, strict=True):
            value += 0.25 * mine - 0.75 * 0.1 * other
    target = FederatedUpdate.from_rounds(
        before, after, others, own_update=own, own_share=0.25, learning_rate=0.1
    )
    torch.testing.assert_close(sent(target), flat(theirs), rtol=1e-3, atol=1e-4)
    assert str(target.participant) == "client, honest"


def test_statistics_are_those_of_what_enters_the_layers():
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 3))
    pair = batch(9)
    view = FederatedUpdate.from_gradient(model, pair, statistics="sent").prepare(0)[0].view
    np.testing.assert_allclose(view.statistics[0][0], pair[0].mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(view.statistics[0][1], pair[0].var(0), rtol=1e-4, atol=1e-6)


def test_practice_is_what_the_client_sends_of_the_attacker_s_records():
    population = batch(30, 7)

    def halved(model, pair):
        return [part / 2 for part in gradients(model, pair)]

    target = FederatedUpdate.from_gradient(network(), batch(), client=halved, population=population)
    practice = target.prepare(0)[0].view.practice(np.random.default_rng(0), 2)
    assert len(practice) == 2
    for entry in practice:
        expected = flat(gradients(network(), (entry.inputs, entry.labels))) / 2
        torch.testing.assert_close(flat(entry.view.update), expected)
        assert {tuple(row) for row in entry.inputs.numpy()} <= {tuple(row) for row in population[0]}


def test_forms_are_told_from_shapes():
    images = torch.rand(2, 3, 8, 8), torch.tensor([0, 1])
    convolution = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    assert FederatedUpdate.from_gradient(convolution, images).form == "images"
    assert FederatedUpdate.from_gradient(network(), batch()).form == "table"

    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.last = nn.Embedding(20, 4), nn.Linear(4, 3)

        def forward(self, tokens):
            return self.last(self.table(tokens).mean(1))

    words = torch.randint(20, (2, 5)), torch.tensor([0, 1])
    target = FederatedUpdate.from_gradient(Words(), words)
    assert target.form == "tokens"
    assert target.prepare(0)[0].view.n_tokens == 20


def test_a_client_that_ignores_its_records_is_warned_of():
    def constant(model, pair):
        return [torch.ones_like(part) for part in model.parameters()]

    target = FederatedUpdate.from_gradient(network(), batch(), client=constant)
    with pytest.warns(PytestLeakproWarning, match="does not depend on the batch"):
        target.prepare(0)


def broken(change):
    parts = gradients(network(), tuple(map(torch.as_tensor, batch())))
    change(parts)
    return parts


def nan(parts):
    parts[1][0] = float("nan")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"update": broken(lambda parts: parts.pop())}, "gives 3 tensors, and the model has 4"),
        ({"update": broken(lambda parts: parts.reverse())}, r"tensor 1 has shape \(3,\)"),
        ({"update": broken(nan)}, r"weight '0.bias'\) holds NaN or infinite values \(1 of 5\)"),
        ({"update": 3}, "a list of tensors is wanted"),
        ({"update": {"0.weight": torch.zeros(5, 6)}}, "nothing for the weight '0.bias'"),
        ({"update": [-p for p in broken(lambda _: None)]}, "points against .*cosine -1.00"),
        ({"batch": None}, "give the client's records once"),
        ({"batches": [batch()]}, "give the client's records once"),
        ({"batch": batch()[0]}, "pair"),
        ({"batch": (batch()[0], [0, 1])}, "4 inputs and 2 labels"),
        ({"batch": (np.full((2, 6), np.nan, np.float32), [0, 1])}, "NaN or infinite"),
        ({"batch": (np.zeros((0, 6), np.float32), [])}, "is empty"),
        ({"batch_size": 3}, "4 records, more than the 3 that the update claims"),
        ({"draws": 3}, "drawn from data="),
        ({"kind": "grad"}, "kind='grad' is not known .did you mean 'gradient'"),
        ({"local_steps": 3}, "give learning_rate="),
        ({"local_steps": 3, "learning_rate": 0.1}, "kind='delta' or kind='weights'"),
        ({"local_steps": 0}, "local_steps: give a whole number of at least 1"),
        ({"learning_rate": -1}, "learning_rate: give a positive number"),
        ({"loss": "mse"}, "loss is a str"),
        ({"loss": lambda outputs, labels: outputs.sum().item()}, "cannot be differentiated"),
        (
            {"loss": lambda outputs, labels: (outputs.argmax(1) == labels).float().mean()},
            "cannot be differentiated",
        ),
        ({"loss": lambda outputs, labels: outputs @ labels}, "cannot be computed"),
        ({"statistics": "sent"}, "has no batch normalisation"),
        ({"access": "servr"}, "access='servr' is not known .did you mean 'server'"),
        ({"behaviour": "evil"}, "behaviour='evil' is not known"),
        ({"update": broken(lambda _: None), "behaviour": "malicious"}, "give client="),
        ({"population": (np.zeros((3, 5), np.float32), [0, 1, 2])}, r"records of shape \(5,\)"),
        ({"bounds": (1, 0)}, "least value is not below"),
        ({"bounds": 3}, "least and the largest"),
        ({"columns": {"job": [4, 5, 6]}}, "from 0 to 5"),
        ({"columns": {"job": [4, 5], "town": [5, 3]}}, "stands twice"),
        ({"columns": [1]}, "columns is a list"),
        ({"tolerance": -1}, "tolerance: give a number"),
        ({"form": "image"}, "form='image' is not known"),
        ({"form": "tokens"}, "tokens are whole numbers"),
        ({"client": 3}, "client is a int"),
        ({"name": ""}, "name: give a text"),
    ],
)
def test_what_is_wrong_is_said(arguments, said):
    with pytest.raises(LeakproError, match=said):
        FederatedUpdate(network(), **{"batch": batch(), **arguments})


def test_missing_statistics_are_told():
    model = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 4), nn.BatchNorm1d(4))
    pair = [(torch.zeros(6), torch.ones(6))]
    with pytest.raises(LeakproError, match="1 pairs, and the model has 2 layers"):
        FederatedUpdate.from_gradient(model, batch(), statistics=pair)
    with pytest.raises(LeakproError, match=r"entry 2 is no pair .* of 4 values"):
        FederatedUpdate.from_gradient(model, batch(), statistics=pair * 2)


def test_an_answer_of_the_client_that_does_not_match_is_told():
    target = FederatedUpdate.from_gradient(network(), batch(), client=lambda model, pair: [1])
    with pytest.raises(LeakproError, match="client gives 1 tensors"):
        target.prepare(0)


def test_nothing_of_the_records_is_shown():
    target = FederatedUpdate.from_gradient(network(), batch(), population=batch(9), name="x")
    entry = target.prepare(0)[0]
    assert repr(target) == "FederatedUpdate('x', batches=1, records=4, shape=(6,), access='server')"
    for shown in (repr(entry), repr(entry.view), repr(target.population)):
        assert "tensor" not in shown
        assert len(shown) < 200
