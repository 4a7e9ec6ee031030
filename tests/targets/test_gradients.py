"""Gradients of single records against closed forms, plain autograd, and each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import special
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.svm import LinearSVC

from pytest_leakpro import Classifier, LeakproError, Regressor
from pytest_leakpro.targets import torch_gradients
from pytest_leakpro.targets.gradient_statistics import Norms, layer_groups, statistics
from pytest_leakpro.targets.gradients import gradient_reading, gradients_lacking
from pytest_leakpro.targets.model_reader import Meter, ModelReader
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.torch_gradients import module_statistics
from pytest_leakpro.targets.units import record_units
from tests.targets.examples import never, regression_sides, side, sides, softmax

torch = pytest.importorskip("torch")
nn = torch.nn

X, Y = side(30, 1, 5, 3)
WHITE = ModelReader(weights=True)


def records(x=X, y=Y):
    return Records("members", x, np.asarray(y), record_units(len(y)), y, np.arange(len(y)))


def read(model, x=X, y=Y, reader=WHITE):
    return gradient_reading(model).read(model, reader, records(x, y))


def linear(outputs=3, width=5):
    torch.manual_seed(0)
    return nn.Linear(width, outputs)


def layers(*sizes):
    torch.manual_seed(0)
    pairs = pairwise(sizes)
    parts = [part for a, b in pairs for part in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(*parts[:-1])


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        torch.manual_seed(0)
        self.body, self.head = kind(5, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.body(x)[0][:, -1])


class Doubled(torch.autograd.Function):
    """With a backward of its own, which torch.func does not go through."""

    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient


class Doubling(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = linear()

    def forward(self, x):
        return Doubled.apply(self.head(x))


def plainly(module, x, y, loss):
    """Each record's gradient by autograd, as one vector per weight."""
    module.eval()
    rows = []
    for record, label in zip(torch.as_tensor(x), torch.as_tensor(y), strict=True):
        record = record.float() if record.is_floating_point() else record
        value = loss(module(record[None]), label[None])
        parts = torch.autograd.grad(value, list(module.parameters()))
        rows.append([part.to_dense().double().numpy().ravel() for part in parts])
    return rows


def expected_norms(rows):
    vectors = [np.concatenate(parts) for parts in rows]
    return np.log([[np.linalg.norm(v, order) for v in vectors] for order in (2, 1, np.inf)])


cross_entropy = nn.functional.cross_entropy


def test_softmax_regression_in_closed_form():
    module = linear()
    found = read(module, reader=ModelReader(output="logits", weights=True))
    with torch.no_grad():
        logits = module(torch.tensor(X, dtype=torch.float32)).double().numpy()
    residual = np.linalg.norm(softmax(logits) - np.eye(3)[Y], axis=1)
    inputs = np.linalg.norm(np.column_stack([X, np.ones(30)]), axis=1)
    assert found.shape == (5, 30)
    for row, expected in ((0, residual * inputs), (3, residual), (4, inputs)):
        np.testing.assert_allclose(found[row], np.log(expected), atol=1e-5)


def test_linear_regression_in_closed_form():
    x, y = regression_sides(30, 2)[0]
    module = linear(2, x.shape[1])
    found = read(module, x, y, ModelReader(regression=True, weights=True))
    with torch.no_grad():
        predicted = module(torch.tensor(x, dtype=torch.float32)).double().numpy()
    size = np.linalg.norm(predicted - y, axis=1)  # of the mean of two squares
    inputs = np.linalg.norm(np.column_stack([x, np.ones(30)]), axis=1)
    np.testing.assert_allclose(found[0], np.log(size * inputs), atol=1e-5)
    np.testing.assert_allclose(found[3], np.log(size), atol=1e-5)


IMAGES = np.random.default_rng(0).normal(size=(30, 1, 8, 8))
TOKENS = np.random.default_rng(0).integers(0, 20, (30, 4))
SERIES = np.random.default_rng(0).normal(size=(30, 6, 5))
MODULES = {
    "layers": (lambda: layers(5, 7, 6, 3), X, True),
    "convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), linear(3, 144)
        ),
        IMAGES,
        True,
    ),
    "embedding": (
        lambda: nn.Sequential(nn.Embedding(20, 3), nn.Flatten(), linear(3, 12)),
        TOKENS,
        True,
    ),
    "sparse": (
        lambda: nn.Sequential(nn.Embedding(20, 3, sparse=True), nn.Flatten(), linear(3, 12)),
        TOKENS,
        None,
    ),
    "lstm": (lambda: Recurrent(nn.LSTM), SERIES, None),
    "gru": (lambda: Recurrent(nn.GRU), SERIES, False),
    "own backward": (Doubling, X, False),
}


@pytest.mark.parametrize("name", MODULES)
def test_any_module_as_autograd_has_it(name, monkeypatch):
    make, x, together = MODULES[name]
    module = make()
    alone = []
    monkeypatch.setattr(
        torch_gradients,
        "_one_by_one",
        lambda *given, real=torch_gradients._one_by_one: (
            alone.append(len(given[2])) or real(*given)
        ),
    )
    found = module_statistics(module, x, Y, "logits", batch_size=20)
    np.testing.assert_allclose(
        found[:3], expected_norms(plainly(module, x, Y, cross_entropy)), atol=1e-4
    )
    if together is not None:  # which of the others can go together depends on torch's version
        assert (20 not in alone) == together


def test_groups_are_norms_of_layers():
    module = layers(5, 4, 4, 4, 4, 4, 4, 4, 3)  # eight layers in six groups
    found = module_statistics(module, X, Y, "logits")
    assert found.shape == (3 + 6 + 2, 30)
    rows = plainly(module, X, Y, cross_entropy)
    groups = [(0,), (1, 2), (3, 4), (5,), (6,), (7,)]
    for place, group in enumerate(groups):
        parts = [np.concatenate([row[2 * at + i] for at in group for i in (0, 1)]) for row in rows]
        np.testing.assert_allclose(
            found[3 + place], np.log([np.linalg.norm(part) for part in parts]), atol=1e-4
        )
    np.testing.assert_allclose(np.logaddexp.reduce(2 * found[3:9]) / 2, found[0], atol=1e-6)
    np.testing.assert_allclose(found[8] - found[9], found[10], atol=1e-6)


@pytest.mark.parametrize(
    ("ending", "outputs", "output"),
    [
        (nn.Softmax(1), 3, "probabilities"),
        (nn.Sigmoid(), 1, "probabilities"),
        (nn.Flatten(0), 1, "logits"),
    ],
)
def test_probabilities_and_single_outputs_give_what_logits_give(ending, outputs, output):
    inner = linear(outputs)
    labels = Y if outputs > 1 else Y % 2
    found = module_statistics(nn.Sequential(inner, ending), X, labels, output)
    with torch.no_grad():
        logits = inner(torch.tensor(X, dtype=torch.float32)).double().numpy()
    p = softmax(logits) if outputs > 1 else special.expit(logits)
    truth = np.eye(3)[labels] if outputs > 1 else labels[:, None]
    size = np.linalg.norm(p - truth, axis=1) * np.linalg.norm(
        np.column_stack([X, np.ones(30)]), axis=1
    )
    np.testing.assert_allclose(found[0], np.log(size), atol=1e-4)


def test_what_a_module_returns_is_told_as_for_its_signals():
    inner = linear()
    told = read(nn.Sequential(inner, nn.Softmax(1)))
    np.testing.assert_allclose(told[0], read(inner)[0], atol=1e-4)


def test_sure_predictions_keep_their_order():
    module = linear()
    with torch.no_grad():
        module.weight.zero_()
        module.bias.copy_(torch.tensor([1.0, 0, 0]))
    sure = []
    for scale in (10.0, 20.0, 40.0, 80.0):  # 1 - p is far below the resolution of single precision
        with torch.no_grad():
            module.bias[0] = scale
        sure.append(module_statistics(module, X[:10], np.zeros(10, int), "logits")[0])
    assert (np.diff(sure, axis=0) < -5).all()


def test_a_gradient_of_nothing_is_finite():
    module = nn.Sequential(linear(4), nn.ReLU(), linear(3, 4))
    with torch.no_grad():
        module[0].bias.fill_(-100.0)  # no unit ever wakes up
    found = module_statistics(module, X, Y, "logits")
    assert (found[3] == -100).all()
    assert np.isfinite(found).all()


@pytest.mark.parametrize("together", [True, False])
def test_the_module_is_as_it_was(together):
    module = nn.Sequential(linear(6), nn.BatchNorm1d(6), nn.Dropout(0.5), Doubling())
    module[3].head = linear(3, 6)
    if together:
        module[3] = module[3].head
    module.train()
    module[1].eval()
    module[0].requires_grad_(False)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    assert module_statistics(module, X, Y, "logits").shape == (3 + 3 + 2, 30)
    after = module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert modes == [part.training for part in module.modules()]
    flags = [value.requires_grad for value in module.parameters()]
    assert flags == [False, False, True, True, True, True]
    assert all(value.grad is None for value in module.parameters())


def test_memory_is_bounded(monkeypatch):
    module, sizes = layers(5, 7, 3), []
    n_weights = sum(value.numel() for value in module.parameters())
    usual = module_statistics(module, X, Y, "logits")
    real = torch_gradients._together
    monkeypatch.setattr(
        torch_gradients, "_together", lambda *given: sizes.append(len(given[2])) or real(*given)
    )
    monkeypatch.setattr(torch_gradients, "_ELEMENTS", 7 * n_weights + 1)
    np.testing.assert_allclose(module_statistics(module, X, Y, "logits"), usual, atol=1e-5)
    assert sizes == [7, 7, 7, 7, 7, 2]  # the first of them to see whether it can be done
    sizes.clear()
    module_statistics(module, X, Y, "logits", batch_size=4)
    assert max(sizes) == 4
    monkeypatch.setattr(torch_gradients, "_ELEMENTS", 1)
    sizes.clear()
    module_statistics(module, X[:3], Y[:3], "logits")
    assert sizes == [1, 1, 1, 1]
    assert torch_gradients._chunk(1 << 40) == 1


def one_layer(model, x, y, link):
    """An estimator's weights in a torch module, read there."""
    module = nn.Linear(x.shape[1], len(np.atleast_2d(model.coef_)), dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(torch.tensor(np.atleast_2d(model.coef_)))
        module.bias.copy_(torch.tensor(np.atleast_1d(model.intercept_)))
    return module_statistics(module, x, y, link)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_as_torch_has_it(n_classes):
    x, y = side(30, 4, 5, n_classes)
    model = LogisticRegression().fit(x, y)
    np.testing.assert_allclose(read(model, x, y), one_layer(model, x, y, "logits"), atol=1e-9)


def test_one_against_all_others():
    x, y = side(30, 4, 5, 2)
    model = LogisticRegression(solver="liblinear", fit_intercept=False).fit(x, y)
    residual = special.expit(x @ model.coef_[0]) - y
    size = np.abs(residual) * np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(read(model, x, y)[0], np.log(size), atol=1e-9)


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize("model", [LinearRegression(), Ridge(), ElasticNet(0.01)])
def test_linear_regressors_as_torch_has_them(model, outputs):
    x, y = regression_sides(30, outputs)[0]
    model.fit(x, y)
    targets = y.reshape(30, -1)
    found = read(model, x, targets, ModelReader(regression=True, weights=True))
    np.testing.assert_allclose(found, one_layer(model, x, targets, "predictions"), atol=1e-9)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_perceptrons_as_torch_has_them(activation, n_classes):
    kind = MLPClassifier if n_classes else MLPRegressor
    x, y = side(30, 4, 5, n_classes) if n_classes else regression_sides(30)[0]
    model = kind(hidden_layer_sizes=(6, 4), activation=activation, max_iter=20, random_state=0).fit(
        x, y
    )
    between = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "identity": nn.Identity}
    parts = []
    for weights, bias in zip(model.coefs_, model.intercepts_, strict=True):
        layer = nn.Linear(*weights.shape, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weights.T))
            layer.bias.copy_(torch.tensor(bias))
        parts += [layer, between[activation]()]
    labels = y if n_classes else y.reshape(30, 1)
    reader = ModelReader(regression=not n_classes, weights=True)
    expected = module_statistics(
        nn.Sequential(*parts[:-1]), x, labels, "logits" if n_classes else "predictions"
    )
    np.testing.assert_allclose(read(model, x, labels, reader), expected, atol=1e-8)


def test_the_last_step_of_a_pipeline_or_search_is_read():
    scaler = StandardScaler().fit(X)
    model = make_pipeline(StandardScaler(), "passthrough", LogisticRegression()).fit(X, Y)
    expected = read(model[-1], scaler.transform(X))
    np.testing.assert_allclose(read(model), expected, atol=1e-12)
    search = GridSearchCV(model, {"logisticregression__C": [1.0]}, cv=2).fit(X, Y)
    np.testing.assert_allclose(read(search), expected, atol=1e-12)
    np.testing.assert_allclose(read(model, torch.tensor(X)), expected, atol=1e-12)
    sparse = make_pipeline(MaxAbsScaler(), LogisticRegression()).fit(sp.csr_matrix(X), Y)
    np.testing.assert_allclose(read(sparse, sp.csr_matrix(X)), read(sparse), atol=1e-12)


def test_batches_of_estimators_change_nothing():
    model = LogisticRegression().fit(X, Y)
    some = ModelReader(batch_size=7, weights=True)
    np.testing.assert_allclose(read(model, reader=some), read(model), atol=1e-12)


def test_a_model_that_never_saw_a_class():
    classes = ModelReader(classes=(0, 1, 2, 3), weights=True)
    model = LogisticRegression().fit(X, Y + 1)
    known = LogisticRegression().fit(X, Y)
    shifted = read(model, X, Y + 1, classes)
    np.testing.assert_allclose(shifted, read(known), atol=1e-6)
    p = np.linalg.norm(model.predict_proba(X), axis=1)
    np.testing.assert_allclose(read(model, X, np.zeros(30, int), classes)[3], np.log(p), atol=1e-6)


def test_statistics_of_one_weight():
    one = np.log(np.array([[3.0, 0.5]]))
    with np.errstate(divide="ignore"):
        found = statistics(Norms(one, one, one, np.log([0.0, 0.5])), ["a"])
    assert found.tolist() == [one[0].tolist()] * 3 + [[-100, np.log(0.5)], [np.log(3) + 100, 0]]


@pytest.mark.parametrize(("n", "lengths"), [(1, [1]), (6, [1] * 6), (9, [1, 2, 2, 2, 1, 1])])
def test_layers_are_grouped(n, lengths):
    names = [str(place) for place in range(n)]
    assert [len(group) for group in layer_groups(names)] == lengths
    both = [name for name in names for _ in range(2)]
    assert np.concatenate(layer_groups(both)).tolist() == list(range(2 * n))


def test_who_gives_gradients():
    assert gradients_lacking(linear()) is None
    assert gradients_lacking([linear(), linear()]) is None
    assert gradients_lacking(LogisticRegression().fit(X, Y)) is None
    assert gradients_lacking(nn.Flatten()) == "the module has no weights"
    for model in (RandomForestClassifier(), LinearSVC(), never):
        assert (
            "gives no gradients: of torch modules and of scikit-learn's Log"
            in gradients_lacking(model)
        )


def test_white_box_access_to_a_callable():
    members, nonmembers = sides()
    for kind in (Classifier, Regressor):
        with pytest.raises(LeakproError, match="a callable, which has no weights: give the torch"):
            kind(never, members, nonmembers, access="white-box")


@pytest.mark.parametrize("access", ["label", "scores"])
def test_others_do_not_see_weights(access):
    members, nonmembers = sides()
    module = linear(2, 3)
    view = Classifier(module, members, nonmembers, access=access, output="logits").prepare(0)
    with pytest.raises(LeakproError, match=f"has access to {access}"):
        _ = view.model
    with pytest.raises(LeakproError, match="weights, which this attacker does not see"):
        view.further(gradient_reading(module))
    seen = Classifier(module, members, nonmembers, access="white-box", output="logits").prepare(0)
    assert seen.model is module
    assert seen.further(gradient_reading(module)).shape == (5, 80)
    assert seen.queries_of() == 80


def test_checkpoints_are_read_at_the_last():
    meter = Meter()
    reader = ModelReader(output="logits", weights=True, meter=meter)
    first, last = layers(5, 3), linear()
    np.testing.assert_array_equal(read([first, last], reader=reader), read(last))
    assert meter.queries == 30


def test_shadow_models_of_another_kind():
    reading = gradient_reading(layers(5, 4, 3))
    for model, said in (
        (linear(), "1 groups of layers and the target 2: shadow models must be built"),
        (RandomForestClassifier(), "RandomForestClassifier gives no gradients.* train= return"),
    ):
        with pytest.raises(LeakproError, match=said):
            reading.read(model, WHITE, records())


def test_models_that_let_no_gradient_through():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = linear()

        def forward(self, x):
            return self.head(x).detach()

    with pytest.raises(LeakproError, match=r"cannot be taken: RuntimeError; .* access='scores'"):
        module_statistics(Cut(), X, Y, "logits")
    with pytest.raises(
        LeakproError, match="returned 3 values for a record, but the targets have 1"
    ):
        module_statistics(linear(), X, np.zeros((30, 1)), "predictions")
    x, y = regression_sides(30, 2)[0]
    with pytest.raises(LeakproError, match="predicts 2 values, but the targets have 1"):
        read(Ridge().fit(x, y), x, y[:, :1], ModelReader(regression=True, weights=True))
