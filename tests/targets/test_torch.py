"""Torch modules and tensors."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from pytest_leakpro import Classifier, LeakproError, PytestLeakproWarning, Regressor
from tests.targets.examples import never, regression_sides, side, sides, softmax

torch = pytest.importorskip("torch")
nn = torch.nn

(X, Y), (X2, Y2) = sides(n_classes=3)


def tensors(x, y):
    return torch.tensor(x), torch.tensor(y)


def net(outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, outputs))


def expected_logits(module, x):
    module.eval()
    with torch.no_grad():
        return module(torch.tensor(np.asarray(x), dtype=torch.float32)).double().numpy()


CONTAINERS = {
    "float64": np.asarray,
    "float32": lambda x: x.astype(np.float32),
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "reversed": lambda x: x[:, ::-1].copy()[:, ::-1],
    "big-endian": lambda x: x.astype(">f8"),
    "tensor": torch.tensor,
    "half": lambda x: torch.tensor(x).half(),
    "gradient": lambda x: torch.tensor(x, requires_grad=True),
    "frame": pd.DataFrame,
    "nullable": lambda x: pd.DataFrame(x).convert_dtypes(),
    "sparse": sp.csr_matrix,
    "lists": lambda x: x.tolist(),
    "rows": list,
    "list of tensors": lambda x: list(torch.tensor(x)),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_module_takes_every_container(name):
    module = net()
    convert = CONTAINERS[name]
    view = Classifier(module, (convert(X), Y), (convert(X2), Y2), batch_size=16).prepare(0)
    expected = softmax(expected_logits(module, X))
    tolerance = 1e-2 if name == "half" else 1e-5
    np.testing.assert_allclose(np.exp(view.members.log_probabilities), expected, rtol=tolerance)
    assert view.output == "logits"
    assert view.members.log_odds.dtype == np.float64
    assert view.queries == 80


def test_a_module_with_one_logit():
    module = net(1)
    view = Classifier(module, (X, Y % 2), (X2, Y2 % 2), output="logits", name="net").prepare(0)
    z = expected_logits(module, X)[:, 0]
    np.testing.assert_allclose(view.members.true_log_odds, (2 * (Y % 2) - 1) * z, rtol=1e-5)


def test_modes_are_restored_one_by_one():
    class Watch(nn.Module):
        def __init__(self, fails):
            super().__init__()
            self.body, self.frozen, self.fails = net(), nn.BatchNorm1d(3), fails
            self.seen = []

        def forward(self, x):
            self.seen.append([part.training for part in self.modules()])
            self.seen.append(torch.is_grad_enabled())
            if self.fails:
                raise ValueError("no")
            return self.body(self.frozen(x))

    for fails in (False, True):
        module = Watch(fails).train()
        module.frozen.eval()
        before = [part.training for part in module.modules()]
        state = {key: value.clone() for key, value in module.state_dict().items()}
        view = Classifier(module, (X, Y), (X2, Y2)).prepare(0)
        if fails:
            with pytest.raises(LeakproError, match="ValueError while scoring the members"):
                view.members  # noqa: B018
        else:
            assert len(view.members) == 40
        assert [part.training for part in module.modules()] == before
        assert not any(module.seen[0])
        assert module.seen[1] is False
        assert torch.is_grad_enabled()
        for key, value in module.state_dict().items():
            assert torch.equal(value, state[key])


def test_modules_are_asked_in_batches():
    class Count(nn.Module):
        sizes = ()

        def forward(self, x):
            self.sizes += (len(x),)
            return x

    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(n, 2)), np.arange(n) % 2) for n in (2049, 20)]
    module = Count()
    Classifier(module, *pairs, output="logits").prepare(0).members  # noqa: B018
    assert module.sizes == (683, 683, 683)
    module = Count()
    Classifier(module, *pairs, output="logits", batch_size=5).prepare(0).nonmembers  # noqa: B018
    assert module.sizes == (5, 5, 5, 5)


def test_without_parameters_the_type_is_left():
    class Plain(nn.Module):
        def forward(self, x):
            assert x.dtype == torch.float64
            return x

    assert len(Classifier(Plain(), (X, Y), (X2, Y2)).prepare(0).members) == 40


def test_whole_numbers_stay_for_embeddings():
    rng = np.random.default_rng(0)
    tokens = [rng.integers(0, 50, size=(40, 6)) for _ in range(2)]
    module = nn.Sequential(nn.Embedding(50, 4), nn.Flatten(), nn.Linear(24, 3))
    view = Classifier(module, (tokens[0], Y), (tokens[1], Y)).prepare(0)
    assert view.members.n_classes == 3


def test_whole_numbers_that_should_be_floats_are_explained():
    rng = np.random.default_rng(0)
    counts = [rng.integers(0, 10**6, size=(40, 3)) for _ in range(2)]
    view = Classifier(net(), (counts[0], Y), (counts[1], Y)).prepare(0)
    with pytest.raises(LeakproError, match=r"members: .* cast X to float32") as caught:
        view.members  # noqa: B018
    assert isinstance(caught.value.__cause__.__cause__, RuntimeError)


def test_double_precision_modules_get_doubles():
    module = net().double()
    view = Classifier(module, (X.astype(np.float32), Y), (X2.astype(np.float32), Y2)).prepare(0)
    assert view.members.n_classes == 3


def test_bfloat16_modules():
    view = Classifier(net().bfloat16(), tensors(X, Y), tensors(X2, Y2)).prepare(0)
    assert np.isfinite(view.members.log_odds).all()


def test_objects_with_logits_are_understood():
    class Wrapped(nn.Module):
        def forward(self, x):
            return SimpleNamespace(logits=x, loss=None)

    view = Classifier(Wrapped(), (X, Y), (X2, Y2)).prepare(0)
    np.testing.assert_allclose(np.exp(view.members.log_probabilities), softmax(X))


@pytest.mark.parametrize(
    "x",
    [
        np.array([["a", "b", "c"]] * 40),
        pd.DataFrame({"a": ["x"] * 40, "b": 1.0}),
        [{"a": 1}] * 40,
        [torch.ones(n + 1) for n in range(40)],
        [[1.0] * (n + 1) for n in range(40)],
    ],
    ids=["texts", "frame", "dictionaries", "tensors", "ragged"],
)
def test_what_is_no_tensor_is_explained(x):
    view = Classifier(net(), (x, Y), (x, Y2), allow_overlap=True).prepare(0)
    with pytest.raises(LeakproError, match=r"members: a torch module takes .* callable"):
        view.members  # noqa: B018


def test_a_class_is_no_module():
    with pytest.raises(LeakproError, match="class Linear, not an instance"):
        Classifier(nn.Linear, (X, Y), (X2, Y2))


def test_regression_with_a_module():
    members, others = regression_sides(outputs=2)
    module = net(2)
    view = Regressor(module, tensors(*members), tensors(*others)).prepare(0)
    np.testing.assert_allclose(
        view.members.predictions, expected_logits(module, members[0]), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(view.members.labels, members[1])
    assert Regressor(net(1), members, others).name == "Sequential"


def test_a_callable_gets_tensors_and_may_return_them():
    seen = []

    def model(x):
        seen.append(x)
        return x.requires_grad_() * 2

    members, others = tensors(X, Y), tensors(X2, Y2)
    view = Classifier(model, members, others, audit_size=30).prepare(0)
    assert view.members.n_classes == 3
    assert all(torch.is_tensor(call) for call in seen)
    lists = Classifier(lambda x: list(x), members, others).prepare(0)
    np.testing.assert_allclose(np.exp(lists.members.log_probabilities), softmax(X))


def test_an_estimator_gets_arrays():
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(X, Y)
    view = Classifier(model, tensors(X, Y), tensors(X2, Y2)).prepare(0)
    np.testing.assert_allclose(
        np.exp(view.members.log_probabilities), model.predict_proba(X), rtol=1e-9
    )


def test_tensors_and_arrays_are_not_mixed():
    with pytest.raises(LeakproError, match="same kind of container"):
        Classifier(net(), (torch.tensor(X), Y), (X2, Y2))


@pytest.mark.parametrize(
    "kind",
    [torch.tensor, lambda x: torch.tensor(x).bfloat16(), lambda x: list(torch.tensor(x))],
)
def test_overlap_of_tensors(kind):
    (x, y), (x2, y2) = side(200, 1), side(200, 2)
    x, x2 = x[:, :, None] * np.ones(4), x2[:, :, None] * np.ones(4)
    x2[5] = x[7]
    with pytest.warns(PytestLeakproWarning, match="1 of 200 members"):
        view = Classifier(never, (kind(x), y), (kind(x2), y2)).prepare(0)
    assert 7 not in view.member_ids()


def test_tensors_of_different_type_are_compared_by_value():
    x = torch.arange(120).reshape(40, 3)
    with pytest.raises(LeakproError, match="very same set"):
        Classifier(never, (x, Y), (x.float(), Y)).prepare(0)


def test_reprs_show_no_weight():
    module = nn.Linear(3, 3)
    nn.init.constant_(module.weight, 7291083.0)
    target = Classifier(module, (X, Y), (X2, Y2))
    assert all("7291083" not in repr(value) for value in [target, *vars(target).values()])
