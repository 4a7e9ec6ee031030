"""Interfaces that hide scores: what they show, of any model, and to whom."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import Classifier, LeakproError, Regressor, audit
from pytest_leakpro.defences import labels_only, rounded, top_k
from pytest_leakpro.targets.hidden_scores import LabelOnly, Rounding, TopScores

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3))
y = rng.integers(0, 4, 120)
MODEL = LogisticRegression().fit(X, y)
SIDES = ((X[:60], y[:60]), (X[60:], y[60:]))

probabilities = arrays(
    float, st.tuples(st.integers(1, 6), st.integers(2, 7)), elements=st.floats(1e-6, 1)
).map(lambda values: values / values.sum(axis=1, keepdims=True))


HIDINGS = [Rounding(0), Rounding(2), TopScores(1), TopScores(3), LabelOnly()]


@given(probabilities, st.sampled_from(HIDINGS))
def test_what_is_shown_are_probabilities(values, hiding):
    shown = hiding(values)
    assert shown.shape == values.shape
    assert (shown >= 0).all()
    np.testing.assert_allclose(shown.sum(axis=1), 1)


@given(probabilities)
def test_the_likeliest_class_stays_so(values):
    rows, likeliest = np.arange(len(values)), values.argmax(axis=1)
    for hiding in (LabelOnly(), TopScores(1), TopScores(2)):
        shown = hiding(values)
        assert (shown[rows, likeliest] >= shown.max(axis=1) - 1e-12).all()


@given(probabilities, st.integers(1, 7))
def test_of_the_top_scores_as_many_are_told(values, k):
    shown = TopScores(k)(values)
    np.testing.assert_allclose(np.sort(shown)[:, ::-1][:, 0], values.max(axis=1))
    assert (np.sort(shown)[:, ::-1][:, :k] <= np.sort(values)[:, ::-1][:, :k] + 1e-12).all()


def test_rounding_by_hand():
    values = np.array([[0.62, 0.27, 0.11], [0.04, 0.48, 0.48], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(
        Rounding(1)(values),
        [[0.6, 0.3, 0.1], [0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]],
    )
    even = Rounding(1)(np.full((1, 25), 0.04))  # each rounds to nothing
    np.testing.assert_allclose(even, np.full((1, 25), 0.04))


def test_of_an_estimator():
    guarded = rounded(MODEL, 1)
    np.testing.assert_allclose(guarded.predict_proba(X), Rounding(1)(MODEL.predict_proba(X)))
    np.testing.assert_array_equal(guarded.predict(X), MODEL.predict(X))
    np.testing.assert_array_equal(guarded.classes_, MODEL.classes_)
    assert repr(guarded) == "GuardedModel(LogisticRegression, rounded to 1 digit)"


def test_defences_are_put_one_on_another():
    both = rounded(top_k(MODEL, 2), 1)
    assert both.guard.said == "top 2 of the scores, rounded to 1 digit"
    np.testing.assert_allclose(
        both.predict_proba(X), Rounding(1)(TopScores(2)(MODEL.predict_proba(X)))
    )


def test_of_a_function_of_probabilities_or_logits():
    margins = MODEL.decision_function
    for function in (MODEL.predict_proba, margins):
        np.testing.assert_allclose(
            rounded(function, 2).predict_proba(X), Rounding(2)(MODEL.predict_proba(X)), atol=1e-9
        )


def test_of_a_margin_alone():
    two = (y > 1).astype(int)
    shown = labels_only(LinearSVC().fit(X, two)).predict_proba(X)
    np.testing.assert_array_equal(shown.argmax(axis=1), LinearSVC().fit(X, two).predict(X))


def test_of_a_module():
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 4)
    inputs = torch.tensor(X, dtype=torch.float32)
    wanted = TopScores(2)(torch.softmax(module(inputs), 1).detach().numpy())
    np.testing.assert_allclose(top_k(module, 2).predict_proba(inputs), wanted, rtol=1e-5)
    np.testing.assert_array_equal(top_k(module, 2).predict(inputs), wanted.argmax(axis=1))
    target = Classifier(top_k(module, 2), (inputs[:60], y[:60]), (inputs[60:], y[60:]))
    assert audit(target, "auc <= 0.9").measurements[0].value < 0.9


def test_it_travels():
    guarded = pickle.loads(pickle.dumps(rounded(MODEL, 1)))
    np.testing.assert_allclose(guarded.predict_proba(X), rounded(MODEL, 1).predict_proba(X))


def test_shadow_models_are_met_through_the_same_interface():
    """Behind labels alone scores tell what labels tell, of the target and of shadow models."""
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(*SIDES[0])
    reader = Classifier(labels_only(tree), *SIDES).model_reader
    view = Classifier(labels_only(tree), *SIDES).prepare(0)
    shown = reader.signals(tree, view.records("members"))  # a bare model, as a trainer returns it
    assert set(np.unique(np.abs(shown.log_odds) > 100)) == {True}
    found = audit(
        Classifier(
            labels_only(tree),
            *SIDES,
            train=lambda X, y, seed: DecisionTreeClassifier(random_state=seed).fit(X, y),
        ),
        "auc <= 0.9",
        shadow_models=4,
        workers=1,
    )
    assert "4 shadow models" in found.measurements[0].strength


def test_an_estimator_behind_an_interface_is_trained_again_without_it():
    found = audit(Classifier(rounded(MODEL, 1), *SIDES), "auc <= 0.9", shadow_models=4, workers=1)
    assert found.measurements[0].strength == "scores, 4 shadow models"


def test_an_audit_by_scores_alone_says_what_is_missing():
    found = audit(Classifier(rounded(MODEL, 1), *SIDES, train=False), "auc <= 0.9")
    assert any("hides its scores (rounded to 1 digit)" in note for note in found.notes)
    both = Classifier(rounded(MODEL, 1), *SIDES, train=False, attackers=["label", "scores"])
    assert not any("hides its scores" in note for note in audit(both, "auc <= 0.9").notes)


def test_nobody_sees_weights_through_an_interface():
    with pytest.raises(LeakproError, match="shows no weights"):
        Classifier(rounded(MODEL, 1), *SIDES, access="white-box")


def test_what_is_no_classifier_is_refused():
    with pytest.raises(LeakproError, match="model is a str"):
        rounded("model", 1)
    with pytest.raises(LeakproError, match="a regressor has none"):
        Regressor(rounded(MODEL, 1), *SIDES)


@pytest.mark.parametrize("digits", [-1, 16, 1.0, True, None])
def test_digits_that_cannot_be(digits):
    with pytest.raises(LeakproError, match="digits"):
        rounded(MODEL, digits)


@pytest.mark.parametrize("k", [0, 1.0, True, None])
def test_ranks_that_cannot_be(k):
    with pytest.raises(LeakproError, match="k is a whole number"):
        top_k(MODEL, k)


def test_a_single_column_is_never_guessed():
    """Of a batch whose logits all lie between 0 and 1 nothing tells what they are."""
    torch = pytest.importorskip("torch")
    module, inputs = torch.nn.Linear(3, 1), torch.tensor(X, dtype=torch.float32)
    with pytest.raises(LeakproError, match=r"say output= where its scores are hidden"):
        rounded(module, 15).predict_proba(inputs)
    hidden = rounded(module, 15, output="logits")
    whole = hidden.predict_proba(inputs)
    alone = np.concatenate([hidden.predict_proba(inputs[[place]]) for place in range(len(X))])
    np.testing.assert_allclose(whole, alone, atol=1e-6)
    two = (y > 1).astype(int)
    found = [
        audit(Classifier(model, (inputs[:60], two[:60]), (inputs[60:], two[60:]), output=output))
        for model, output in ((hidden, None), (rounded(module, 15), "logits"), (module, "logits"))
    ]
    values = [[entry.value for entry in one.measurements] for one in found]
    assert values[0] == values[1] == values[2]


def test_shadow_modules_of_logits_are_read_as_the_target_is():
    torch = pytest.importorskip("torch")
    module, inputs = torch.nn.Linear(3, 4), torch.tensor(X, dtype=torch.float32)
    target = Classifier(rounded(module, 3), (inputs[:60], y[:60]), (inputs[60:], y[60:]))
    view = target.prepare(0)
    np.testing.assert_array_equal(
        view.asking.signals(module, view.records("members")).log_odds, view.members.log_odds
    )


@pytest.mark.parametrize("output", ["labels", 1, ""])
def test_outputs_that_cannot_be(output):
    with pytest.raises(LeakproError, match="output is 'probabilities' or 'logits'"):
        rounded(MODEL, 1, output=output)
