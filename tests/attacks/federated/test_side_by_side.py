"""Updates of many batches are those of each batch by itself."""

import numpy as np
import pytest
import torch
from torch import nn

from pytest_leakpro.attacks.federated.restarts import descend
from pytest_leakpro.attacks.federated.side_by_side import Simulator, distances
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.targets.federated_update import FederatedUpdate
from tests.attacks.federated.tables_and_texts import Residual, made, people, silent


def looking(outputs, labels):
    """A loss that looks at values, which cannot be computed for many batches at once."""
    loss = nn.functional.cross_entropy(outputs, labels)
    return loss * 2 if loss.item() > 0 else loss


def normalised():
    return nn.Sequential(nn.Linear(16, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


@pytest.mark.parametrize("model", [Residual, normalised])
@pytest.mark.parametrize("loss", [None, looking])
@pytest.mark.parametrize(
    "training",
    [{}, {"kind": "delta", "local_steps": 3, "local_batch_size": 2, "learning_rate": 0.5}],
)
def test_each_batch_has_its_own_update(model, loss, training):
    model = made(model).double()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    update = [torch.ones_like(value) for value in model.parameters()]
    X, y = people(0, 12)
    target = FederatedUpdate(model, update, (X[:4], y[:4]), loss=loss, **training)
    view = target.prepare(0)[0].view
    inputs, labels = X.double().reshape(3, 4, 16), y.reshape(3, 4)
    inputs.requires_grad_(True)
    together = Simulator(view).updates(inputs, labels, differentiable=True)
    for place in range(3):
        alone = view.simulate(inputs[place], labels[place])
        for mine, theirs in zip(alone, together, strict=True):
            torch.testing.assert_close(theirs[place], mine)
        theirs, mine = (
            torch.autograd.grad(sum(part.square().sum() for part in parts), inputs)[0][place]
            for parts in ([part[place] for part in together], alone)
        )
        torch.testing.assert_close(theirs, mine)
        together = Simulator(view).updates(inputs, labels, differentiable=True)
    for name, value in view.model.state_dict().items():
        assert torch.equal(value, before[name])


def test_distances_do_not_depend_on_scale_and_are_one_minus_the_cosine():
    torch.manual_seed(0)
    sent = (torch.randn(3, 2).double(), torch.randn(4).double())
    many = tuple(torch.stack([part, -2 * part, torch.randn_like(part)]) for part in sent)
    found = distances(sent, many)
    flat = torch.cat([part.flatten() for part in sent])
    other = torch.cat([part[2].flatten() for part in many])
    cosine = torch.cosine_similarity(flat, other, dim=0)
    torch.testing.assert_close(found, torch.stack([0 * cosine, 0 * cosine + 2, 1 - cosine]))
    assert torch.equal(distances(sent, tuple(5 * part for part in many)) > 1e-9, found > 1e-9)
    # Cauchy and Schwarz: a sum of m absolute values is at most root m times the length.
    added = distances(sent, many, alpha=1.0) - found
    assert (added <= (2 * found).sqrt() + 1e-12).all()
    assert added[0] < 1e-12


def test_every_start_descends_by_itself():
    goals = torch.tensor([1.0, -2.0, 30.0])
    ended = descend(
        [torch.zeros(3)],
        lambda places: (places[0] - goals).square(),
        steps=300,
        rates=torch.tensor([0.1, 0.1, 0.0]),
        watch=Watch(None, silent),
        what="goals",
        confine=lambda places: places[0].data.clamp_(min=-1.5),
    )
    np.testing.assert_allclose(ended.places[0], [1.0, -1.5, 0.0], atol=1e-2)
    np.testing.assert_allclose(ended.losses, [0.0, 0.25, 900.0], atol=1e-3)


def test_a_clock_ends_a_search():
    watch = Watch(1e-9, silent)
    ended = descend(
        [torch.ones(1)],
        lambda places: places[0].square(),
        steps=10**6,
        rates=torch.ones(1),
        watch=watch,
        what="nothing",
    )
    assert watch.cut
    assert ended.losses[0] == 1
