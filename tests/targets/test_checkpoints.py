"""Checkpoints of a training: what is taken, and what is refused by name."""

import copy

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDRegressor
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import Classifier, LeakproError, Recipe, Regressor, TorchTrainer
from pytest_leakpro.shadow.stacked_training import train_group
from pytest_leakpro.targets.torch_training import kept_epochs

torch = pytest.importorskip("torch")
nn = torch.nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
SIDES = (X[:40], Y[:40]), (X[40:], Y[40:])


def net(width=8):
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))


def target(model, checkpoints, **options):
    return Classifier(model, *SIDES, checkpoints=checkpoints, **options)


def test_modules_state_dicts_and_files_are_read_alike(tmp_path):
    nets = [net() for _ in range(4)]
    path = tmp_path / "third.pt"
    torch.save(nets[2].state_dict(), path)
    found = target(nets[3], [nets[0], nets[1].state_dict(), path]).checkpoints
    assert len(found) == 4
    assert found[3] is nets[3]
    for module, given in zip(found, nets, strict=True):
        assert torch.equal(module[0].weight, given[0].weight)
    assert found[1] is not nets[1]
    assert target(nets[3], None).checkpoints == ()


@pytest.mark.parametrize("as_last", [lambda m: m, copy.deepcopy, lambda m: m.state_dict()])
def test_the_model_is_the_last_and_stands_there_once(as_last):
    model = net()
    found = target(model, [net(), as_last(model)]).checkpoints
    assert len(found) == 2
    assert found[1] is model


def prefixed(module):
    return {f"module.{name}": value for name, value in module.state_dict().items()}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([], "checkpoints is empty"),
        ("epoch_3.pt", "checkpoints is a str"),
        (net().state_dict(), "checkpoints is a OrderedDict"),
        ([net()] * 101, "101 are too many: give at most 100"),
        (
            [net(), net(9)],
            r"checkpoint 2 is of another arch.* 0.weight has shape \(9, 4\)",
        ),
        ([prefixed(net())], "checkpoint 1 is of another architecture .* 0.weight, 0.bias"),
        ([{"epoch": 3, **net().state_dict()}], r"holds more than weights \(epoch\)"),
        ([net(), LogisticRegression()], "checkpoint 2 is a LogisticRegression"),
        (["nowhere.pt"], "checkpoint 1 cannot be read from nowhere.pt"),
    ],
)
def test_what_is_no_checkpoint_of_a_module_is_refused(wrong, says):
    with pytest.raises(LeakproError, match=says):
        target(net(), wrong)


def test_nothing_is_unpickled(tmp_path):
    torch.save(net(), tmp_path / "whole.pt")
    with pytest.raises(LeakproError, match="nothing is unpickled"):
        target(net(), [tmp_path / "whole.pt"])


def test_states_that_training_went_on_with_are_refused():
    model = net()
    with pytest.raises(LeakproError, match=r"checkpoints 1 and 2 are one and the same"):
        target(model, [model, model])
    with pytest.raises(LeakproError, match=r"checkpoints 1 and 3 are one and the same"):
        target(model, [model.state_dict(), net()])
    with pytest.raises(LeakproError, match="nothing before it"):
        target(model, [model])
    first, second = net(), net()
    second[0] = first[0]  # a frozen part may be shared
    assert len(target(net(), [first, second]).checkpoints) == 3


def test_estimators_and_functions():
    trees = [DecisionTreeClassifier(max_depth=depth).fit(X, Y) for depth in (1, 2, 3)]
    assert target(trees[2], trees).checkpoints == tuple(trees)
    other = DecisionTreeClassifier().fit(X, Y + (X[:, 1] > 1))
    for wrong, says in (
        ([DecisionTreeClassifier().fit(X[:, :3], Y)], "checkpoint 1 takes 3 columns, the model 4"),
        ([trees[0], other], r"checkpoint 2 knows other classes than the model \(3 and 2 of them\)"),
        ([LogisticRegression().fit(X, Y)], "checkpoint 1 is a LogisticRegression, the model a Dec"),
        ([trees[0], trees[0]], "checkpoints 1 and 2 are one and the same"),
        ([DecisionTreeClassifier()], "checkpoint 1: .*fit"),
    ):
        with pytest.raises(LeakproError, match=says):
            target(trees[2], wrong)

    def early(X):
        return X[:, :2]

    def late(X):
        return 2 * X[:, :2]

    assert target(late, [early], output="logits").checkpoints == (early, late)
    with pytest.raises(LeakproError, match="checkpoint 1 is a DecisionTreeClassifier"):
        target(late, [trees[0]], output="logits")
    fitted = [SGDRegressor(max_iter=n, tol=None).fit(X, Y) for n in (5, 10)]
    assert Regressor(fitted[1], *SIDES, checkpoints=fitted).checkpoints == tuple(fitted)


def test_a_list_for_a_model_is_told_where_it_belongs():
    with pytest.raises(LeakproError, match="pass the last, and the list as checkpoints="):
        Classifier([net(), net()], *SIDES)


def test_a_recipe_takes_them_from_what_train_returns():
    trainer = TorchTrainer(module=net, epochs=6, checkpoints=3)
    found = Recipe(trainer, X, Y).realise(0)
    assert len(found.checkpoints) == 3
    assert found.model is found.checkpoints[-1]
    assert Recipe(TorchTrainer(module=net, epochs=1), X, Y).realise(0).checkpoints == ()
    with pytest.raises(LeakproError, match="a Recipe takes no checkpoints"):
        Recipe(trainer, X, Y, checkpoints=[net()])


@pytest.mark.parametrize(
    ("epochs", "k", "kept"), [(6, 3, [1, 3, 5]), (5, 2, [1, 4]), (3, 3, [0, 1, 2])]
)
def test_states_are_kept_evenly_and_at_last(epochs, k, kept):
    assert kept_epochs(epochs, k) == kept


def flat(module):
    return torch.cat([value.detach().flatten() for value in module.parameters()])


def test_a_trainer_keeps_what_shorter_trainings_end_with():
    trained = TorchTrainer(module=net, epochs=4, checkpoints=2)(X, Y, 5)
    half, whole = (TorchTrainer(module=net, epochs=epochs)(X, Y, 5) for epochs in (2, 4))
    assert torch.equal(flat(trained[0]), flat(half))
    assert torch.equal(flat(trained[1]), flat(whole))
    assert not any(module.training for module in trained)


@pytest.mark.parametrize("way", ["products", "vmap"])
def test_stacked_models_keep_the_states_of_single_ones(way):
    trainer = TorchTrainer(module=net, epochs=4, batch_size=16, checkpoints=2)
    rows = [np.arange(40), np.arange(20, 70)]
    together, finite = train_group(trainer, way, (X, Y), rows, (3, 4))
    assert finite == [True, True]
    for run, chosen, seed in zip(together, rows, (3, 4), strict=True):
        alone = trainer(X[chosen], Y[chosen], seed)
        assert len(run) == len(alone) == 2
        for one, other in zip(run, alone, strict=True):
            assert flat(one).numpy() == pytest.approx(flat(other).numpy(), abs=1e-5)
        assert not torch.allclose(flat(run[0]), flat(run[1]), atol=1e-4)


@pytest.mark.parametrize("value", [1, -1, 2.0, True, 7, "3"])
def test_a_trainer_refuses_numbers_of_checkpoints(value):
    with pytest.raises(LeakproError, match="TorchTrainer: checkpoints"):
        TorchTrainer(module=net, epochs=6, checkpoints=value)
