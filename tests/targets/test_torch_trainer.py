"""A recipe for torch modules, training one."""

import copy

import numpy as np
import pytest

from pytest_leakpro import LeakproError, TorchTrainer
from pytest_leakpro.shadow.stacked_training import train_group
from pytest_leakpro.targets import torch_trainer
from pytest_leakpro.targets.torch_training import image_layout

torch = pytest.importorskip("torch")
nn = torch.nn

X = np.random.default_rng(0).normal(size=(150, 4))
Y = (X[:, 0] > 0).astype(int)


def net():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def weights(module):
    return torch.cat([value.detach().flatten() for value in module.parameters()])


@pytest.mark.parametrize(
    ("settings", "optimiser"),
    [
        (
            {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
        ),
        ({}, torch.optim.Adam),
        ({"optimizer": "adamw"}, torch.optim.AdamW),
    ],
)
def test_it_trains_as_a_plain_loop_does(settings, optimiser):
    seen, starts = [], []

    def factory():
        starts.append(net())
        return starts[-1]

    def watched(outputs, targets):
        seen.append(targets)
        return nn.functional.cross_entropy(outputs, targets)

    # The records are told apart by their labels, so that the loop can follow.
    y = np.arange(150)
    trainer = TorchTrainer(
        module=lambda: nn.Sequential(nn.Linear(4, 150)), epochs=2, batch_size=64, **settings
    )
    order = TorchTrainer(module=trainer.module, loss=watched, epochs=2, batch_size=64, **settings)
    trained = order(X, y, 5)
    assert torch.equal(weights(trained), weights(trainer(X, y, 5)))
    assert [len(batch) for batch in seen] == [64, 64, 22] * 2
    assert sorted(torch.cat(seen[:3]).tolist()) == list(range(150))
    assert not torch.equal(torch.cat(seen[:3]), torch.cat(seen[3:]))

    with torch.random.fork_rng():
        torch.manual_seed(5)
        plain = trainer.module()
    steps = optimiser(plain.parameters())
    for batch in seen:
        steps.zero_grad()
        inputs = torch.tensor(X[batch.numpy()], dtype=torch.float32)
        nn.functional.cross_entropy(plain(inputs), batch).backward()
        steps.step()
    assert torch.allclose(weights(plain), weights(trained), atol=1e-5)


def test_all_follows_from_the_seed_and_the_global_state_is_left_alone():
    trainer = TorchTrainer(
        module=lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2)),
        augment=lambda batch: batch + 0.1 * torch.randn_like(batch),
        epochs=2,
    )
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = trainer(X, Y, 3)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(weights(first), weights(trainer(X, Y, 3)))
    assert not torch.equal(weights(first), weights(trainer(X, Y, 4)))
    assert not first.training


def test_the_rate_follows_the_schedule():
    settings = {"module": net, "epochs": 4}
    assert TorchTrainer(**settings).rate(3) == 1e-3
    cosine = TorchTrainer(schedule="cosine", lr=0.2, **settings)
    reference = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(reference, 4)
    for epoch in range(4):
        assert cosine.rate(epoch) == pytest.approx(schedule.get_last_lr()[0])
        reference.step()
        schedule.step()
    assert TorchTrainer(schedule=lambda epoch: 1 / (1 + epoch), **settings).rate(1) == 5e-4


def test_frozen_weights_stay():
    def half_frozen():
        module = net()
        module[0].weight.requires_grad_(False)
        return module

    trained = TorchTrainer(module=half_frozen, epochs=3, lr=0.1)(X, Y, 0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        start = net()
    assert torch.equal(trained[0].weight, start[0].weight)
    assert not torch.equal(trained[2].weight, start[2].weight)


def test_numbers_are_learnt_by_the_mean_square():
    targets = X @ np.array([1.0, -2.0, 0.5, 0.0])
    trained = TorchTrainer(
        module=lambda: nn.Linear(4, 1), loss="mse", optimizer="sgd", lr=0.1, epochs=30
    )(X, targets, 0)
    assert trained.weight[0].tolist() == pytest.approx([1.0, -2.0, 0.5, 0.0], abs=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": "sgd"}, "sgd needs a learning rate"),
        ({"optimizer": "adma"}, r"optimizer='adma' \(did you mean 'adam'\?\)"),
        ({"loss": "crossentropy"}, "did you mean 'cross_entropy'"),
        ({"stack": "product"}, "did you mean 'products'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"epochs": 0}, "epochs is a whole number of at least 1"),
        ({"group": 0}, "group is a whole number"),
        ({"lr": float("nan")}, "lr is a number of at least 0"),
        ({"momentum": 0.9}, "momentum belongs to sgd"),
        ({"module": 3}, "module is a int"),
        ({"module": nn.Linear(4, 2)}, "module is a module already"),
        ({"augment": "flip"}, "augment is a str"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(LeakproError, match=message):
        TorchTrainer(**{"module": net, "epochs": 1, **settings})


SAME = net()


@pytest.mark.parametrize(
    ("settings", "y", "message"),
    [
        ({"module": lambda: SAME}, Y, "the same module twice"),
        ({"module": lambda: copy.copy(SAME)}, Y, "share weights"),
        ({"module": lambda: 3}, Y, "returned a int"),
        ({"module": nn.ReLU}, Y, "without weights"),
        ({"module": lambda: nn.Linear(4, 1)}, Y, "at least two outputs"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, Y, r"the loss returned shape \(128,\)"),
        ({"loss": lambda outputs, targets: 0.0}, Y, "the loss returned a float"),
        ({"loss": "mse"}, Y, "as many outputs as targets"),
        ({}, np.where(Y, "yes", "no"), "whole numbers"),
        ({}, Y + 0.5, "whole numbers"),
        ({}, Y - 1, "counted from 0"),
        ({"lr": 1e30, "optimizer": "sgd", "epochs": 9}, Y, "NaN or infinite"),
    ],
)
def test_what_cannot_be_trained_is_said(settings, y, message):
    with pytest.raises(LeakproError, match=message):
        TorchTrainer(**{"module": net, "epochs": 1, **settings})(X, y, 0)


class Viewing(nn.Module):
    """What only runs where images lie in memory as usual."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(4 * 6 * 6, 2)

    def forward(self, x):
        return self.out(self.conv(x).view(len(x), -1))


def flattening():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
    )


def test_convolutions_have_the_layout_in_which_they_are_fastest(monkeypatch):
    images = np.random.default_rng(1).normal(size=(150, 1, 8, 8)).astype(np.float32)
    found = []

    def watched(*arguments):
        found.append(image_layout(*arguments))
        return found[-1]

    monkeypatch.setattr(torch_trainer, "image_layout", watched)
    for module, layout in (
        (flattening, torch.channels_last),
        (Viewing, torch.contiguous_format),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), torch.contiguous_format),
    ):
        trained = TorchTrainer(module=module, epochs=2)(images, Y, 3)
        assert found.pop() == layout
        assert all(value.is_contiguous() for value in trained.parameters())
        monkeypatch.setattr(torch_trainer, "image_layout", lambda *_: torch.contiguous_format)
        usual = TorchTrainer(module=module, epochs=2)(images, Y, 3)
        monkeypatch.setattr(torch_trainer, "image_layout", watched)
        assert torch.allclose(weights(trained), weights(usual), atol=1e-5)
        assert torch.equal(weights(trained), weights(usual)) == (layout != torch.channels_last)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("writeable", [True, False])
def test_modules_that_write_into_their_inputs_leave_the_records_alone(writeable):
    class Writing(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = flattening()

        def forward(self, x):
            return self.inner(x.mul_(0.5))

    images = np.random.default_rng(1).normal(size=(150, 1, 8, 8)).astype(np.float32)
    images.flags.writeable = writeable
    before = images.copy()
    trainer = TorchTrainer(module=Writing, epochs=1, batch_size=150)
    trainer(images, Y, 0)
    assert np.array_equal(images, before)
    train_group(trainer, "vmap", (images, Y), [np.arange(100), np.arange(50, 150)], (0, 1))
    assert np.array_equal(images, before)
