"""Which models are taken, how they are asked, and what is said of the others."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

from pytest_leakpro import Classifier, LeakproError, Regressor
from tests.targets.examples import (
    Recorder,
    linear,
    logistic,
    never,
    regression_sides,
    side,
    sides,
    softmax,
)

MEMBERS, OTHERS = sides()
THREE, THREE_OTHERS = sides(n_classes=3)
TARGETS, TARGETS_OTHERS = regression_sides()


def fitted(estimator, data=MEMBERS):
    return estimator.fit(*data)


BAD_CLASSIFIERS = {
    "none": (None, "model is None"),
    "text": ("model.pkl", "yours to load"),
    "array": (np.ones(3), "model is a ndarray"),
    "class": (LogisticRegression, "class LogisticRegression, not an instance"),
    "unfitted": (LogisticRegression(), "LogisticRegression is not fitted"),
    "unfitted pipeline": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        "LogisticRegression is not fitted",
    ),
    "regressor": (LinearRegression().fit(*TARGETS), "use Regressor"),
    "clusters": (KMeans(2, n_init=1).fit(MEMBERS[0]), "neither predict_proba nor"),
    "hard votes": (
        fitted(VotingClassifier([("nb", GaussianNB())])),
        "neither predict_proba nor decision_function",
    ),
    "several outputs": (
        MultiOutputClassifier(GaussianNB()).fit(MEMBERS[0], np.eye(2)[MEMBERS[1]].astype(int)),
        "several outputs",
    ),
    "one class": (DummyClassifier().fit(MEMBERS[0], np.zeros(40)), "one class only"),
    "pairs of classes": (
        fitted(SVC(decision_function_shape="ovo"), side(40, 1, n_classes=3)),
        "decision_function_shape='ovr'",
    ),
}


@pytest.mark.parametrize("name", BAD_CLASSIFIERS)
def test_what_is_no_classifier_is_refused(name):
    model, said = BAD_CLASSIFIERS[name]
    with pytest.raises(LeakproError) as caught:
        Classifier(model, MEMBERS, OTHERS)
    assert said in str(caught.value)


BAD_REGRESSORS = {
    "none": (None, "model is None"),
    "class": (Ridge, "class Ridge, not an instance"),
    "unfitted": (Ridge(), "Ridge is not fitted"),
    "classifier": (fitted(LogisticRegression()), "use Classifier"),
    "without scores": (fitted(VotingClassifier([("nb", GaussianNB())])), "use Classifier"),
    "margin": (fitted(RidgeClassifier()), "use Classifier"),
    "object": (object(), "model is a object"),
}


@pytest.mark.parametrize("name", BAD_REGRESSORS)
def test_what_is_no_regressor_is_refused(name):
    model, said = BAD_REGRESSORS[name]
    with pytest.raises(LeakproError) as caught:
        Regressor(model, TARGETS, TARGETS_OTHERS)
    assert said in str(caught.value)


def test_probabilities_of_an_estimator():
    model = fitted(RandomForestClassifier(10, random_state=0), THREE)
    target = Classifier(model, THREE, THREE_OTHERS)
    assert target.classes == (0, 1, 2)
    view = target.prepare(0)
    expected = model.predict_proba(THREE[0])
    np.testing.assert_allclose(np.exp(view.members.log_probabilities), expected, atol=1e-12)
    np.testing.assert_array_equal(view.members.labels, THREE[1])
    assert view.output == "probabilities"
    assert view.notes == ()


def test_a_binary_margin_is_the_log_odds():
    model = fitted(LinearSVC())
    view = Classifier(model, MEMBERS, OTHERS).prepare(0)
    margin = model.decision_function(MEMBERS[0])
    sign = 2 * MEMBERS[1] - 1
    np.testing.assert_array_equal(view.members.true_log_odds, sign * margin)
    assert view.members.n_classes == 2
    assert view.output == "logits"


def test_margins_of_several_classes_are_logits():
    model = fitted(RidgeClassifier(), THREE)
    view = Classifier(model, THREE, THREE_OTHERS).prepare(0)
    expected = softmax(model.decision_function(THREE[0]))
    np.testing.assert_allclose(np.exp(view.members.log_probabilities), expected, rtol=1e-9)


def test_the_user_may_choose_between_the_methods():
    model = logistic(MEMBERS)
    kinds = {
        kind: Classifier(model, MEMBERS, OTHERS, output=kind).prepare(0)
        for kind in ("probabilities", "logits")
    }
    np.testing.assert_allclose(
        kinds["logits"].members.true_log_odds,
        kinds["probabilities"].members.true_log_odds,
        rtol=1e-9,
    )
    assert kinds["logits"].output == "logits"
    with pytest.raises(LeakproError, match="has no decision_function"):
        Classifier(fitted(GaussianNB()), MEMBERS, OTHERS, output="logits")
    with pytest.raises(LeakproError, match="has no predict_proba"):
        Classifier(fitted(LinearSVC()), MEMBERS, OTHERS, output="probabilities")


@pytest.mark.parametrize(
    ("output", "said"),
    [("probability", "did you mean 'probabilities'"), ("", "output"), (1, "int")],
)
def test_unknown_outputs_are_refused(output, said):
    with pytest.raises(LeakproError, match="output is") as caught:
        Classifier(never, MEMBERS, OTHERS, output=output)
    assert said in str(caught.value)


def test_a_pipeline_gets_the_mixed_frame():
    def mixed(seed):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            {
                "age": rng.normal(50, 9, size=60),
                "sex": rng.choice(["f", "m"], size=60),
                "ward": pd.Categorical(rng.choice(["a", "b", "c"], size=60)),
                "weight": rng.normal(70, 9, size=60),
                "visits": pd.array(rng.integers(0, 9, size=60), dtype="Int64"),
            }
        )
        frame.loc[::7, "age"] = np.nan
        return frame, pd.Series(np.where(rng.random(60) < 0.5, "ill", "well"))

    members, others = mixed(0), mixed(1)
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "weight", "visits"]),
            (OneHotEncoder(handle_unknown="ignore"), ["sex", "ward"]),
        ),
        LogisticRegression(),
    ).fit(*members)
    target = Classifier(model, members, others, audit_size=30)
    assert target.name == "LogisticRegression"
    assert target.classes == ("ill", "well")
    view = target.prepare(0)
    kept = view.member_ids()
    np.testing.assert_allclose(
        np.exp(view.members.log_probabilities),
        model.predict_proba(members[0].iloc[kept]),
        rtol=1e-9,
    )
    np.testing.assert_array_equal(view.members.labels, (members[1].iloc[kept] == "well"))


def test_a_pipeline_on_texts():
    words = np.array(["fever", "cough", "rash", "pain", "rest"])
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, size=9)) for _ in range(40)]
    y = ["yes" if "rash" in text.split()[:4] else "no" for text in texts]
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts[:20], y[:20])
    view = Classifier(model, (texts[:20], y[:20]), (texts[20:], y[20:])).prepare(0)
    assert len(view.nonmembers) == 20


def test_an_estimator_without_classes_has_column_indices():
    class Plain:
        def predict_proba(self, x):
            return np.tile([0.25, 0.75], (len(x), 1))

    target = Classifier(Plain(), MEMBERS, OTHERS)
    assert target.name == "Plain"
    assert target.classes is None
    view = target.prepare(0)
    assert view.members.n_classes == 2
    assert view.output == "probabilities"


def test_an_estimator_that_wraps_another_library_needs_no_fitted_attribute():
    class Wrapper(RandomForestClassifier):
        def __init__(self):
            self.inner = "session"

        @property
        def classes_(self):
            return np.array([0, 1])

        def predict_proba(self, x):
            return np.tile([0.5, 0.5], (len(x), 1))

    assert Classifier(Wrapper(), MEMBERS, OTHERS).prepare(0).members.n_classes == 2


def test_predictions_of_a_regressor():
    model = linear(TARGETS)
    view = Regressor(model, TARGETS, TARGETS_OTHERS).prepare(0)
    expected = (model.predict(TARGETS[0]) - TARGETS[1]) ** 2
    np.testing.assert_allclose(view.members.squared_errors, expected)
    np.testing.assert_array_equal(view.members.negative_loss, -view.members.squared_errors)
    assert view.output == "predictions"
    assert view.members.n_classes == 0


def test_predictions_of_several_outputs():
    members, others = regression_sides(outputs=2)
    model = RandomForestRegressor(5, random_state=0).fit(*members)
    view = Regressor(model, members, others).prepare(0)
    assert view.nonmembers.predictions.shape == (40, 2)
    expected = ((model.predict(others[0]) - others[1]) ** 2).mean(axis=1)
    np.testing.assert_allclose(view.nonmembers.squared_errors, expected)
    with pytest.raises(LeakproError, match=r"2 columns for the members, but the targets have 1"):
        Regressor(model, TARGETS, TARGETS_OTHERS).prepare(0).members  # noqa: B018


def function(x):
    return np.zeros((len(x), 2))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (function, "function"),
        (partial(function), "function"),
        (lambda x: x, "callable"),
        (Recorder(), "Recorder"),
        (logistic(MEMBERS), "LogisticRegression"),
        (logistic(MEMBERS).predict_proba, "predict_proba"),
        (fitted(make_pipeline(StandardScaler(), GaussianNB())), "GaussianNB"),
        (fitted(GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]})), "GaussianNB"),
    ],
)
def test_names(model, name):
    assert Classifier(model, MEMBERS, OTHERS).name == name
    assert Classifier(model, MEMBERS, OTHERS, name="churn-v3").name == "churn-v3"


def test_a_forest_gives_the_same_bits_however_many_threads_it_has():
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 5)), rng.integers(0, 2, 400)
    alone = RandomForestClassifier(60, min_samples_leaf=3, random_state=0, n_jobs=1).fit(X, y)
    signals = []
    for n_jobs in (1, 4, 4):
        forest = alone.set_params(n_jobs=n_jobs)
        view = Classifier(forest, (X[:200], y[:200]), (X[200:], y[200:])).prepare(0)
        signals.append(view.members.log_odds)
    assert np.array_equal(signals[0], signals[1])
    assert np.array_equal(signals[0], signals[2])
