"""Attacks that rebuild records: by who knows all others, by a network, by gradients."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import (
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from pytest_leakpro import Classifier, LeakageError, LeakproError, Regressor, audit
from pytest_leakpro import assert_leakage_below as below
from pytest_leakpro.attacks.reconstruction.gradient_inversion import GradientInversion
from pytest_leakpro.attacks.reconstruction.informed import InformedAttack
from pytest_leakpro.attacks.reconstruction.inversion_network import InversionNetwork

BUDGET = "reconstruction[near] <= 1%"
SHARP = {"tol": 1e-10, "max_iter": 10_000}


def table(seed=0, n=400):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)) * [1, 2, 3, 4, 5] + [0, 10, 5, 2, 1]
    numbers = X @ rng.normal(size=5) + rng.normal(size=n)
    return X, numbers, rng


def labels_of(numbers, kind, rng):
    if kind == "numbers":
        return numbers
    if kind == "counts":
        return rng.poisson(np.exp((numbers - numbers.mean()) / numbers.std())) + 0.5
    if kind == "two":
        return (numbers > np.median(numbers)).astype(int)
    return np.digitize(numbers, np.quantile(numbers, [0.33, 0.66]))


def target_of(model, kind, *, frame=False, **options):
    X, numbers, rng = table()
    y = labels_of(numbers, kind, rng)
    X = pd.DataFrame(X, columns=list("abcde")) if frame else X
    model.fit(X[:200], y[:200])
    make = Regressor if kind in ("numbers", "counts") else Classifier
    options = {"access": "white-box", "train": False} | options
    return make(model, (X[:200], y[:200]), (X[200:], y[200:]), **options)


def errors_of(target, attack=None):
    """Relative errors of rebuilt numbers."""
    view = target.prepare(0)
    found = (attack or InformedAttack()).rebuild(view, np.random.default_rng(0), print)
    truth = np.asarray(view.records("members").inputs, dtype=float)[found.attempted]
    return np.abs(found.records - truth) / np.abs(truth).max(axis=0), found


@pytest.mark.parametrize(
    ("model", "kind", "largest"),
    [
        (Ridge(3.0), "numbers", 1e-6),
        (LinearRegression(), "numbers", 1e-6),
        (RidgeClassifier(), "two", 1e-6),
        (RidgeClassifier(), "three", 1e-6),
        (GaussianNB(), "three", 1e-9),
        (LinearDiscriminantAnalysis(), "three", 1e-9),
        (NearestCentroid(), "two", 1e-9),
        (make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=3)), "two", 1e-9),
        (make_pipeline(MinMaxScaler(), Ridge(0.1)), "numbers", 1e-6),
        (GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}), "numbers", 1e-6),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else str(value),
)
def test_the_last_record_is_what_is_missing(model, kind, largest):
    assert errors_of(target_of(model, kind))[0].max() < largest


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (LogisticRegression(solver="newton-cholesky", **SHARP), "two"),
        (LogisticRegression(C=0.1, **SHARP), "three"),
        (PoissonRegressor(alpha=0.1, **SHARP), "counts"),
        (GammaRegressor(alpha=0.1, **SHARP), "counts"),
        (TweedieRegressor(alpha=0.1, power=1.5, **SHARP), "counts"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else str(value),
)
def test_where_the_optimum_is_searched_for_most_records_come_out(model, kind):
    """A record with a tiny error of its own is divided by that: it takes all the precision."""
    errors, found = errors_of(target_of(model, kind))
    assert np.median(errors) < 1e-4
    assert len(found.notes) == 1


def test_without_an_intercept_the_label_that_is_known_settles_the_size():
    errors = errors_of(target_of(Ridge(3.0, fit_intercept=False), "numbers"))[0]
    assert (errors.max(axis=1) < 1e-6).mean() > 0.9


def test_who_attacks_with_all_others_is_told_and_fails_a_plain_ridge():
    with pytest.raises(LeakageError) as error:
        below(target_of(Ridge(3.0), "numbers", name="dose"), BUDGET, attacks=["informed"])
    said = str(error.value)
    assert "dose gives records away above its budget" in said
    found = error.value.audit
    assert "200 of 200 attempts, baseline 0 of 200; white-box" in str(found)
    assert "each by an attacker who knows all others" in str(found)
    assert found.measurements[0].value == 1


def test_frames_of_numbers_are_rebuilt_too():
    found = audit(target_of(Ridge(), "numbers", frame=True), BUDGET, attacks=["informed"])
    assert found.measurements[0].value == 1


def test_a_model_of_other_records_gives_none_away():
    X, numbers, _ = table(1)
    target = target_of(Ridge(3.0), "numbers")
    target.model.fit(X[:200], numbers[:200])
    found = audit(target, BUDGET, attacks=["informed"])
    assert found.measurements[0].value < 0.05
    assert "no optimum of the model's objective" in str(found)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: target_of(RandomForestClassifier(3), "two"), "no closed form of RandomForest"),
        (lambda: target_of(Ridge(), "numbers", access="scores"), "needs access to white-box"),
        (lambda: target_of(Ridge(), "numbers", n_train=300), r"more than the members .*300"),
        (lambda: target_of(LogisticRegression(fit_intercept=False), "two"), "no closed form"),
        (lambda: target_of(LogisticRegression(class_weight="balanced"), "two"), "no closed form"),
    ],
)
def test_what_has_no_closed_form_is_an_error(make, says):
    with pytest.raises(LeakproError, match=says):
        audit(make(), BUDGET, attacks=["informed"])


def test_records_that_were_dropped_leave_nothing_to_be_informed_of():
    X, numbers, _ = table()
    model = Ridge().fit(X[:200], numbers[:200])
    others = np.concatenate([X[200:], X[:1]])
    target = Regressor(
        model, (X[:200], numbers[:200]), (others, np.zeros(201)), access="white-box", train=False
    )
    with pytest.raises(LeakproError, match="1 of the members were dropped"):
        audit(target, BUDGET, attacks=["informed"])


def test_sparse_records_are_refused():
    X, numbers, _ = table()
    model = Ridge().fit(X[:200], numbers[:200])
    sides = [(sparse.csr_matrix(X[part]), numbers[part]) for part in (slice(200), slice(200, 400))]
    with pytest.raises(LeakproError, match="sparse matrix, in which no distance"):
        audit(Regressor(model, *sides, train=False), BUDGET)


def test_only_who_asks_meets_the_informed_attacker():
    found = audit(target_of(Ridge(), "numbers"), BUDGET)
    assert found.measurements[0].attack == "inversion_network"


def test_outputs_that_are_the_records_rebuild_everybody_alike():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(900, 3)), rng.integers(0, 3, 900)
    target = Classifier(
        lambda X: X, (X[:300], y[:300]), (X[300:600], y[300:600]), output="logits",
        population=(X[600:], y[600:]), train=False, classes=range(3),
    )  # fmt: skip
    found = audit(target, "reconstruction[near] <= 10%", seed=1)
    measured = found.measurements[0]
    assert measured.attack == "inversion_network"
    assert measured.value < 0.05
    view = target.prepare(0)
    evidence = InversionNetwork().find(view, np.random.default_rng(0)).evidence
    assert (evidence.quality["near"] < 0.5).mean() > 0.05  # it does rebuild
    assert measured.figures[0].queries > 0


def test_a_regressor_is_inverted_too():
    found = audit(target_of(Ridge(), "numbers", access=None), "reconstruction[near] <= 10%")
    assert found.measurements[0].attack == "inversion_network"
    assert str(found.verdict) == "PASS"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: InformedAttack(attempts=5), "attempts of the attack 'informed'.*at least 10"),
        (lambda: InversionNetwork(hidden=0), "hidden of the attack"),
        (lambda: InversionNetwork(epochs=True), "epochs of the attack"),
        (lambda: GradientInversion(steps=0), "steps of the attack"),
        (lambda: GradientInversion(step_size=float("nan")), "step_size of the attack"),
        (lambda: GradientInversion(variation=-1), "variation of the attack"),
    ],
)
def test_settings_that_are_none(make, says):
    with pytest.raises(LeakproError, match=says):
        make()


def network(weights=None, shape=None):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 3))
    if weights is not None:
        model[1].weight.data = torch.tensor(weights, dtype=torch.float32)
    return model


def on_rows(model, X, y, **options):
    sides = [(X[start : start + 200], y[start : start + 200]) for start in (0, 200)]
    options = {"access": "white-box", "train": False, "population": (X[400:], y[400:])} | options
    return Classifier(model, *sides, output="logits", **options)


def test_gradients_lead_along_the_weights_of_a_class():
    """Of a softmax of a linear map the way up is the class's weights less the others' mean."""
    rng = np.random.default_rng(0)
    weights = np.eye(3, 6) * 3
    X, y = rng.normal(size=(600, 6)).astype(np.float32), rng.integers(0, 3, 600)
    view = on_rows(network(weights), X, y).prepare(0)
    attack = GradientInversion(attempts=90, steps=100)
    found = attack.rebuild(view, np.random.default_rng(0), print).records
    for label in range(3):
        mean = found[np.arange(90) % 3 == label].mean(axis=0)
        assert mean[:3].argmax() == label
        assert mean[label] > 0.5
        assert np.abs(mean[3:]).max() < 0.5  # where nothing depends on it
    bounds = X[400:].min(axis=0) - 1e-5, X[400:].max(axis=0) + 1e-5
    assert ((found >= bounds[0]) & (found <= bounds[1])).all()


def test_images_are_climbed_to_and_pass():
    rng = np.random.default_rng(1)
    X, y = rng.random((600, 1, 2, 3)).astype(np.float32), rng.integers(0, 3, 600)
    target = on_rows(network(), X, y)
    found = audit(target, BUDGET, attacks=["gradient_inversion"])
    assert found.measurements[0].attack == "gradient_inversion"
    assert found.measurements[0].value <= 0.02


def test_gradients_take_a_module_of_real_numbers():
    torch = pytest.importorskip("torch")
    with pytest.raises(LeakproError, match="gradients of a torch module"):
        audit(target_of(LogisticRegression(), "two"), BUDGET, attacks=["gradient_inversion"])
    X, y = np.arange(1200).reshape(600, 2), np.arange(600) % 6
    model = torch.nn.Sequential(torch.nn.Embedding(1200, 3), torch.nn.Flatten())
    with pytest.raises(LeakproError, match="hold whole numbers"):
        audit(on_rows(model, X, y), BUDGET, attacks=["gradient_inversion"])
