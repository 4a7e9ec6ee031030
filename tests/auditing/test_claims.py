"""Audits of a claimed epsilon, on canaries whose inclusion was drawn."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from pytest_leakpro import (
    Canaries,
    Classifier,
    LeakageError,
    LeakproError,
    Regressor,
    assert_leakage_below,
    audit,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")


def data(n=2000, seed=0, classes=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    y = (X[:, 0] + 0.3 * rng.normal(size=n) > 0).astype(int)
    return X, y if classes == 2 else rng.integers(0, classes, n)


def trained(model, n_canaries=600, seed=0, classes=2):
    X, y = data(classes=classes)
    canaries = Canaries.mislabelled(X, y, n_canaries, seed=seed)
    return model.fit(*canaries.insert(X, y)), canaries


def test_a_model_that_remembers_breaks_its_promise_by_canaries_alone():
    model, canaries = trained(KNeighborsClassifier(1), 1500, classes=30)
    target = Classifier(model, canaries=canaries, claimed_epsilon=1.0, delta=1e-5, name="knn")
    with pytest.raises(LeakageError) as error:
        assert_leakage_below(target, attacks=["loss"])  # the claim stands for the budget
    said = str(error.value)
    assert "epsilon <= 1        (claimed_epsilon)" in said
    assert "1,500 canaries, delta = 1e-05: one run, assumes nothing but the tosses" in said
    assert "canaries that were inserted" in said
    found = error.value.audit.measurements[0]
    assert (found.n_members, found.n_nonmembers) == (
        canaries.included.sum(),
        1500 - canaries.included.sum(),
    )


def test_a_model_that_learns_little_is_not_refuted():
    model, canaries = trained(LogisticRegression(C=1e-3))
    target = Classifier(model, canaries=canaries, delta=1e-5)
    found = audit(target, "epsilon <= 3", attacks=["loss"])
    assert found.measurements[0].low < 1
    assert str(found.verdict) == "INCONCLUSIVE"  # 600 canaries have no power at 3
    assert "canaries" in str(found)


def test_membership_of_canaries_and_of_people_stand_side_by_side():
    X, y = data()
    fresh = data(1000, seed=1)
    model, canaries = trained(KNeighborsClassifier(1))
    target = Classifier(model, (X, y), fresh, canaries=canaries, delta=1e-5, train=False)
    found = audit(target, "epsilon <= 3", "auc <= 0.9", attacks=["loss"])
    assert [str(entry.metric) for entry in found.measurements] == ["epsilon", "auc"]
    by_name = {str(entry.metric): entry for entry in found.measurements}
    assert by_name["auc"].n_members == 2000
    assert by_name["epsilon"].n_members == canaries.included.sum()
    alone = Classifier(model, canaries=canaries, delta=1e-5)
    both = audit(alone, "epsilon <= 3", "auc <= 0.9", attacks=["loss"])
    assert {entry.n_members for entry in both.measurements} == {canaries.included.sum()}
    assert both.measurements[0].low == by_name["epsilon"].low


def test_without_canaries_epsilon_is_an_error():
    X, y = data(200)
    target = Classifier(
        LogisticRegression().fit(X[:100], y[:100]), (X[:100], y[:100]), (X[100:], y[100:])
    )
    with pytest.raises(LeakproError, match="this split was not drawn so: make Canaries"):
        audit(target, "epsilon <= 3")
    number = Regressor(
        LinearRegression().fit(X[:100], X[:100, 0]), (X[:100], X[:100, 0]), (X[100:], X[100:, 0])
    )
    with pytest.raises(LeakproError, match="canaries of a Classifier"):
        audit(number, "epsilon <= 3")


def test_a_gaussian_is_refused_of_scores_that_are_none():
    model, canaries = trained(KNeighborsClassifier(1))
    target = Classifier(model, canaries=canaries, delta=1e-5, assume="gaussian")
    with pytest.raises(LeakproError, match="no Gaussian mechanism gives"):
        audit(target, "epsilon <= 3", attacks=["loss"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"claimed_epsilon": 3.0}, "delta is missing"),
        ({"delta": 1.0}, "delta is a number"),
        ({"delta": 1e-5, "claimed_epsilon": -1}, "claimed_epsilon is a finite number above 0"),
        ({"delta": 1e-5, "assume": "laplace"}, "give 'gaussian'"),
        ({"delta": 1e-5, "train": lambda X, y, seed: None}, "train= with canaries alone"),
        ({"canaries": "these", "delta": 1e-5}, "canaries is a str"),
        ({"canaries": None, "delta": 1e-5}, "delta is given without canaries"),
        ({"canaries": None}, "nonmembers: None given"),
    ],
)
def test_what_is_wrong_with_a_claim_is_said(options, says):
    model, canaries = trained(LogisticRegression())
    with pytest.raises(LeakproError, match=says):
        Classifier(model, **{"canaries": canaries, **options})


def test_canaries_that_all_were_included_are_refused():
    model, canaries = trained(LogisticRegression())
    canaries.included = np.ones(len(canaries), dtype=bool)
    with pytest.raises(LeakproError, match="all of them were included"):
        Classifier(model, canaries=canaries, delta=1e-5)
