"""Many torch modules at once are as one after the other."""

import json

import numpy as np
import pytest

from pytest_leakpro import Classifier, LeakproError, Recipe, TorchTrainer, audit
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.shadow import executor, group, stacked_execution, stacked_training
from pytest_leakpro.shadow.stacked_training import train_group
from pytest_leakpro.shadow.way import group_size, way_for
from pytest_leakpro.targets.one_thread import one_thread

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 8)).astype(np.float32)
Y = RNG.integers(0, 3, 400)
# The last two differ in how many minibatches an epoch has, and in the size of the last one.
SIZES = (200, 200, 137, 260)
POSITIONS = [np.sort(RNG.permutation(400)[:size]) for size in SIZES]
SEEDS = (3, 4, 5, 6)
OPTIMISERS = {
    "sgd": {"optimizer": "sgd", "lr": 0.1},
    "momentum": {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    "adam": {"optimizer": "adam", "weight_decay": 0.01, "schedule": "cosine"},
    "adamw": {"optimizer": "adamw"},
}


@pytest.fixture(autouse=True)
def _on_one_thread():
    with one_thread():
        yield


def mlp(dropout=0.0):
    return nn.Sequential(
        nn.Linear(8, 16),
        nn.ReLU(),
        nn.Sequential(nn.LayerNorm(16), nn.Dropout(dropout), nn.Linear(16, 16, bias=False)),
        nn.GELU(),
        nn.Linear(16, 3),
    )


class Residual(nn.Module):
    """No sequence: what batched products cannot know."""

    def __init__(self):
        super().__init__()
        self.inner, self.norm, self.outer = nn.Linear(8, 8), nn.GroupNorm(2, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.outer(x + self.norm(torch.relu(self.inner(x))))


def small_cnn():
    return nn.Sequential(
        nn.Unflatten(1, (1, 2, 4)), nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(6, 3)
    )


def furthest(first, second):
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max(float((a - b).abs().max().detach()) for a, b in pairs)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize(
    ("way", "module"),
    [("products", mlp), ("vmap", mlp), ("vmap", Residual), ("vmap", small_cnn)],
)
def test_stacked_models_are_those_of_the_loop(way, module, optimiser):
    trainer = TorchTrainer(module=module, epochs=2, batch_size=32, **OPTIMISERS[optimiser])
    together, finite = train_group(trainer, way, (X, Y), POSITIONS, SEEDS)
    assert finite == [True] * 4
    for positions, seed, module in zip(POSITIONS, SEEDS, together, strict=True):
        alone = trainer(X[positions], Y[positions], seed)
        assert furthest(alone, module) < 1e-4
        assert not module.training


@pytest.mark.parametrize("way", ["products", "vmap"])
def test_losses_of_any_kind(way):
    targets = (X @ RNG.normal(size=8)).astype(np.float64)
    for loss in ("mse", lambda outputs, targets: nn.functional.l1_loss(outputs[:, 0], targets)):
        trainer = TorchTrainer(module=lambda: nn.Linear(8, 1), loss=loss, epochs=1, batch_size=50)
        together, _ = train_group(trainer, way, (X, targets), POSITIONS, SEEDS)
        alone = trainer(X[POSITIONS[2]], targets[POSITIONS[2]], SEEDS[2])
        assert furthest(alone, together[2]) < 1e-6


@pytest.mark.parametrize("way", ["products", "vmap"])
def test_records_may_have_several_axes_and_weights_may_be_frozen_or_shared(way):
    def module():
        shared = nn.Linear(4, 4)
        net = nn.Sequential(shared, nn.Tanh(), shared, nn.LayerNorm(4), nn.Flatten())
        net.append(nn.Linear(8, 3))
        net[3].weight.requires_grad_(False)
        return net

    sequences = X.reshape(400, 2, 4)
    trainer = TorchTrainer(module=module, epochs=2, lr=0.01)
    together, _ = train_group(trainer, way, (sequences, Y), POSITIONS, SEEDS)
    alone = trainer(sequences[POSITIONS[0]], Y[POSITIONS[0]], SEEDS[0])
    assert furthest(alone, together[0]) < 1e-5
    assert together[0][0] is together[0][2]


@pytest.mark.parametrize("way", ["products", "vmap"])
def test_dropout_differs_from_model_to_model_and_drops_its_share(way):
    seen = []

    def watched(outputs, targets):
        seen.append(outputs)
        return outputs.mean() * 0

    # With weights of one, an output is the number of inputs that were kept, over what is kept.
    def module():
        net = nn.Sequential(nn.Dropout(0.25), nn.Linear(100, 1, bias=False))
        nn.init.ones_(net[1].weight)
        return net

    trainer = TorchTrainer(module=module, epochs=1, loss=watched, batch_size=400)
    ones = np.ones((400, 100))
    everything = [np.arange(400)] * 4
    train_group(trainer, "products", (ones, Y), everything, SEEDS)
    outputs = torch.stack(seen).detach()[..., 0]
    assert not torch.equal(outputs[0], outputs[1])
    # 160,000 draws: the mean of these is within five standard errors but once in a million times.
    assert abs(float(outputs.mean()) - 100) < 5 * 100 * (0.25 / 0.75 / 160_000) ** 0.5

    trainer = TorchTrainer(module=lambda: mlp(0.5), epochs=1)
    first, _ = train_group(trainer, way, (X, Y), everything, (3, 3, 3, 3))
    again, _ = train_group(trainer, way, (X, Y), everything, (3, 3, 3, 3))
    assert furthest(first[0], again[0]) == 0
    assert furthest(first[0], first[1]) > 1e-4


def test_each_model_s_minibatch_is_augmented():
    sizes = []

    def augment(batch):
        sizes.append(tuple(batch.shape))
        return -batch

    trainer = TorchTrainer(module=mlp, epochs=1, augment=augment, batch_size=200)
    together, _ = train_group(trainer, "products", (X, Y), POSITIONS[:2], SEEDS[:2])
    assert sizes == [(200, 8)] * 2
    plain = TorchTrainer(module=mlp, epochs=1, batch_size=200)
    alone = plain(-X[POSITIONS[0]], Y[POSITIONS[0]], SEEDS[0])
    assert furthest(alone, together[0]) < 1e-6


# The table


class Wide(nn.Linear):
    """A layer of the user's own, which may do anything."""


def with_hook():
    module = nn.Sequential(nn.Linear(8, 3))
    module[0].register_forward_hook(lambda *_: None)
    return module


@pytest.mark.parametrize(
    ("module", "device", "way", "reason"),
    [
        (mlp, "cpu", "products", "known layers"),
        (Residual, "cpu", "vmap", "Residual is no layer"),
        (lambda: nn.Sequential(Wide(8, 3)), "cpu", "vmap", "Wide is no layer"),
        (lambda: nn.Sequential(nn.PReLU(), nn.Linear(8, 3)), "cpu", "vmap", "PReLU"),
        (with_hook, "cpu", "vmap", "hooks"),
        (small_cnn, "cpu", "processes", "stacked convolutions are slower"),
        (small_cnn, "cuda:0", "vmap", "Unflatten is no layer"),
        (lambda: nn.Linear(3000, 3000), "cpu", "processes", "above 4,000,000 weights"),
        (lambda: nn.Linear(3000, 3000), "cuda", "products", "known layers"),
        (lambda: nn.Sequential(nn.Linear(8, 3), nn.BatchNorm1d(3)), "cpu", "processes", "BatchN"),
        (lambda: nn.LSTM(8, 3), "cuda", "processes", "LSTM is a recurrent layer"),
    ],
)
def test_the_way_follows_from_the_module(module, device, way, reason):
    trainer = TorchTrainer(module=module, epochs=1, device=device)
    chosen = way_for(trainer, module(), 16)
    assert chosen.name == way
    assert reason in chosen.reason
    assert chosen.stacked == (way != "processes")


def test_a_pin_is_kept_to_or_refused():
    def chosen(module, **settings):
        return way_for(TorchTrainer(module=module, epochs=1, **settings), module(), 16)

    assert chosen(mlp, stack="vmap", group=5).group == 5
    assert chosen(small_cnn, stack="vmap").name == "vmap"
    assert chosen(mlp, stack="processes").name == "processes"
    with pytest.raises(LeakproError, match="stack='products' is not possible: Residual"):
        chosen(Residual, stack="products")
    with pytest.raises(LeakproError, match="not possible: BatchNorm1d keeps running statistics"):
        chosen(lambda: nn.Sequential(nn.Linear(8, 3), nn.BatchNorm1d(3)), stack="vmap")


def test_groups_are_even_and_bounded():
    assert group_size(mlp(), 16, "cpu") == 8
    assert group_size(mlp(), 64, "cpu") == 16
    assert group_size(mlp(), 35, "cpu") == 12
    assert group_size(mlp(), 3, "cpu") == 2
    assert group_size(nn.Linear(1000, 1000), 16, "cpu") == 1
    assert group_size(mlp(), 64, "cuda") == 64


# In an audit

SAME = nn.Linear(8, 2)

SIDE = RNG.normal(size=(240, 8)).astype(np.float32)
LABELS = (SIDE[:, 0] + RNG.normal(size=240) > 0).astype(int)


def two_classes():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))


def target_of(**settings):
    trainer = TorchTrainer(**{"module": two_classes, "epochs": 3, "batch_size": 32, **settings})
    members, nonmembers = (SIDE[:120], LABELS[:120]), (SIDE[120:], LABELS[120:])
    model = TorchTrainer(module=two_classes, epochs=3)(*members, 0)
    return Classifier(model, members, nonmembers, train=trainer)


@pytest.fixture
def said(tmp_path):
    lines = []
    settings = SessionDefaults(
        cache_dir=str(tmp_path), workers=2, shadow_models=6, attacks=["lira"], say=lines.append
    )
    token = session_variable.set(settings)
    yield lines
    session_variable.reset(token)


def files(tmp_path):
    return sorted(tmp_path.rglob("*.npy"))


def test_an_audit_trains_in_groups_and_keeps_each_model(said, tmp_path, monkeypatch):
    target = target_of(group=4)
    first = audit(target, "auc <= 0.9")
    assert len(said) == 1
    assert said[0].startswith("6 shadow models in groups of 4 x ")
    note = "shadow models were trained 4 at a time as batched matrix products"
    assert any(line.startswith(note) for line in first.notes)
    assert first.details["training"] == {
        "way": "products",
        "group": 4,
        "reason": "a sequence of known layers",
    }
    assert len(files(tmp_path)) == 6

    # Whatever is missing, the figures are the same: the whole group of four is trained for one.
    trained = []
    plain = stacked_training.train_group

    def counting(trainer, way, data, positions, seeds, stopped):
        trained.append(len(seeds))
        return plain(trainer, way, data, positions, seeds, stopped)

    monkeypatch.setattr(group, "train_group", counting)
    next(path for path in files(tmp_path) if path.name.startswith("2-")).unlink()
    assert audit(target, "auc <= 0.9").measurements[0].low == first.measurements[0].low
    assert trained == [4]
    audit(target, "auc <= 0.9")
    assert trained == [4]
    # Another group size is another training.
    audit(target_of(group=3), "auc <= 0.9")
    assert sorted(trained) == [3, 3, 4]


@pytest.mark.parametrize("stack", ["products", "vmap", "processes"])
def test_the_number_of_workers_changes_nothing(said, monkeypatch, stack):
    figures = []
    for workers in (1, 2):
        settings = SessionDefaults(
            cache_dir=None, workers=workers, shadow_models=4, attacks=["lira"], say=said.append
        )
        token = session_variable.set(settings)
        outcome = audit(target_of(stack=stack, group=2), "auc <= 0.9")
        session_variable.reset(token)
        figures.append(json.dumps(outcome.to_plain()[0]["figures"]))
        assert outcome.details["training"]["way"] == stack
    assert figures[0] == figures[1]


def test_free_memory_decides_when_not_what(said, monkeypatch):
    at_once = []
    plain = executor.train_in_threads

    def watched(job, trainer, missing, limit):
        at_once.append((limit, job.way.group))
        return plain(job, trainer, missing, limit)

    monkeypatch.setattr(executor, "train_in_threads", watched)
    monkeypatch.setattr(stacked_execution.os, "sysconf", lambda name: 1, raising=False)
    audit(target_of(group=2, weight_decay=0.1), "auc <= 0.9")
    assert at_once == [(1, 2)]


def test_a_model_that_diverges_is_named_and_the_others_are_kept(said, tmp_path):
    made = []

    def module():
        made.append(two_classes())
        # Two are made to choose the way, then six for the groups: this one is the second of them.
        if len(made) == 4:
            made[-1][0].weight.data.fill_(float("inf"))
        return made[-1]

    target = target_of(module=module, group=3, lr=0.01)
    target.trainer_version = "1"
    settings = session_variable.get()
    with pytest.raises(LeakproError, match=r"shadow model \d of 6: the loss or the weights became"):
        audit(target, "auc <= 0.9")
    assert settings is session_variable.get()
    assert len(files(tmp_path)) == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, r"the loss returned shape \(32,\)"),
        (
            {"loss": nn.CrossEntropyLoss(reduction="none"), "stack": "vmap"},
            r"the loss returned shape \(32,\)",
        ),
        ({"module": lambda: SAME}, "the same module twice"),
        ({"module": lambda: Stateful(), "stack": "vmap"}, 'changes its own buffers.*"processes"'),
        ({"module": lambda: Asking(), "stack": "vmap"}, 'cannot stack this module.*"processes"'),
    ],
)
def test_what_cannot_be_stacked_is_said(said, settings, message):
    with pytest.raises(LeakproError, match=message):
        audit(target_of(**settings), "auc <= 0.9")


class Stateful(nn.Module):
    """Counts its calls."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(8, 2)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.inner(x)


class Asking(nn.Module):
    """Looks at its values to decide what to do."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(8, 2)

    def forward(self, x):
        return self.inner(x) if float(x.mean()) < 100 else x[:, :2]


@pytest.mark.parametrize(("group", "message"), [(1, "one model"), (3, "3 shadow models at a")])
def test_too_little_memory_is_said(said, monkeypatch, group, message):
    def hungry(self, stopped):
        raise MemoryError

    monkeypatch.setattr(stacked_training._Group, "train", hungry)
    with pytest.raises(LeakproError, match=f"the memory is too small for {message}"):
        audit(target_of(group=group), "auc <= 0.9")


def test_a_recipe_trains_its_target_by_it(said):
    trainer = TorchTrainer(module=two_classes, epochs=2)
    outcome = audit(Recipe(trainer, SIDE, LABELS), "auc <= 0.9")
    assert outcome.target == "TorchTrainer"
    assert outcome.details["training"]["way"] == "products"
