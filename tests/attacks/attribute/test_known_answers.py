"""Attribute attacks where it is known what they must find, and against plain references."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import LeakproError
from pytest_leakpro.attacks.attribute import imputation
from pytest_leakpro.attacks.attribute.likelihood import AttributeLikelihood
from pytest_leakpro.stats.guessing import risk_lower
from tests.attacks.attribute.cases import (
    ATTACKS,
    SECRET,
    VALUES,
    Knows,
    classifier,
    guessed,
    near,
    regressor,
    sides,
    ticked,
)

BOTH = pytest.mark.parametrize("name", ATTACKS)


def labels_of(model):
    """The same model, of which labels are all that is seen."""
    return lambda X: model(X).argmax(axis=1)


@pytest.mark.parametrize(
    ("name", "access"),
    [(name, "scores") for name in ATTACKS] + [("likelihood", "label"), ("lomia", "label")],
)
def test_who_is_right_with_the_truth_alone_gives_all_of_it_away(name, access):
    parts = sides(1)
    model = Knows(parts)
    asked = model if access == "scores" else labels_of(model)
    given = {"output": "probabilities"} if access == "scores" else {"access": "label"}
    found = guessed(ATTACKS[name], classifier(asked, parts, classes=[0, 1], **given)).evidence
    assert found.main == (300, 300)
    # Every value makes the model right about a non-member: chance, or what an imputation knows.
    # 4 standard deviations of 300 guesses: a false alarm in 16,000 runs.
    spread = 4 * np.sqrt(0.25 / 300)
    assert found.naive is not None
    if name == "csmia":
        assert found.control_rate == pytest.approx(1 / VALUES, abs=spread)
    else:
        assert found.control_rate == pytest.approx(found.naive_rate, abs=2 * spread)


def reference_csmia(model, X, y):
    """The three cases, record by record."""
    guesses = []
    for row, label in zip(X, y, strict=True):
        asked = np.tile(row, (VALUES, 1))
        asked[:, SECRET] = range(VALUES)
        said = model.predict_proba(asked)
        predicted, confidence = said.argmax(axis=1), said.max(axis=1)
        right = [value for value in range(VALUES) if predicted[value] == label]
        if right:
            guesses.append(max(right, key=lambda value: confidence[value]))
        else:
            guesses.append(min(range(VALUES), key=lambda value: confidence[value]))
    return np.array(guesses)


def network(parts):
    return MLPClassifier((20,), max_iter=100, random_state=0).fit(*parts[0])


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_csmia_is_that_of_the_paper():
    parts = sides(2, 150)
    model = network(parts)
    found = guessed(ATTACKS["csmia"], classifier(model, parts)).evidence
    for (X, y), counts in zip(parts, (found.main, found.control), strict=False):
        right = int((reference_csmia(model, X, y) == X[:, SECRET]).sum())
        assert counts == (right, 150)


def reference_lomia(model, population, X, y):
    """Right values by record; where there is one it is the guess, else a forest guesses."""

    def fitting(X, y):
        right = np.zeros((len(X), VALUES), dtype=bool)
        for value in range(VALUES):
            asked = X.copy()
            asked[:, SECRET] = value
            right[:, value] = model.predict(asked) == y
        return right

    def others(X, y):
        return np.column_stack([np.delete(X, SECRET, axis=1), y])

    taught = fitting(*population)
    single = taught.sum(axis=1) == 1
    forest = RandomForestClassifier(imputation._TREES, min_samples_leaf=3, random_state=0)
    forest.fit(others(*population)[single], taught[single].argmax(axis=1))
    chances = np.zeros((len(X), VALUES))
    chances[:, forest.classes_] = forest.predict_proba(others(X, y))
    right = fitting(X, y)
    told = right.sum(axis=1) == 1
    return told, np.where(told, right.argmax(axis=1), chances.argmax(axis=1))


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_lomia_is_that_of_the_paper_but_for_who_teaches():
    parts = sides(3, 300)
    model = KNeighborsClassifier(1).fit(*parts[0])
    found = guessed(ATTACKS["lomia"], classifier(model, parts, access="label")).evidence
    for (X, y), counts in zip(parts, (found.main, found.control), strict=False):
        told, guesses = reference_lomia(model, parts[2], X, y)
        assert 30 < told.sum() < 270
        # The forest's columns stand in another order here, so that its guesses differ in a few.
        assert counts[0] == pytest.approx((guesses == X[:, SECRET]).sum(), abs=0.06 * 300)


def test_the_marginal_prior_and_weight_one_are_bayes_rule():
    parts = sides(4, 150)
    model = network(parts)
    shares = np.bincount(parts[2][0][:, SECRET].astype(int)) / 150
    found = guessed(
        AttributeLikelihood(prior="marginal", weight=1.0), classifier(model, parts)
    ).evidence
    for (X, y), counts in zip(parts, (found.main, found.control), strict=False):
        posterior = np.zeros((150, VALUES))
        for value in range(VALUES):
            asked = X.copy()
            asked[:, SECRET] = value
            posterior[:, value] = shares[value] * model.predict_proba(asked)[range(150), y]
        assert counts[0] == int((posterior.argmax(axis=1) == X[:, SECRET]).sum())


@pytest.mark.parametrize(
    ("make", "model"),
    [(near, KNeighborsClassifier(1)), (ticked, DecisionTreeClassifier(random_state=0))],
    ids=["neighbour", "tree"],
)
@BOTH
def test_who_learns_labels_by_heart_tells_secrets(name, make, model):
    parts = sides(5, 500, make)
    access = "label" if name == "lomia" else "scores"
    found = guessed(ATTACKS[name], classifier(model.fit(*parts[0]), parts, access=access)).evidence
    # Without a difference that is reached in at most one run of 100.
    assert risk_lower(found.tally, 0.01) > 0.02


@pytest.mark.parametrize("name", ["likelihood", "csmia"])
def test_a_regressor_that_learns_by_heart_tells_secrets(name):
    parts = [(X, y + np.random.default_rng(6).normal(size=len(y))) for X, y in sides(6)]
    model = KNeighborsRegressor(1).fit(*parts[0])
    found = guessed(ATTACKS[name], regressor(model, parts)).evidence
    # Where another value makes no other neighbour the nearest one, nothing is told.
    assert found.main_rate > 0.9
    assert found.control_rate < 0.5


def test_of_a_regressor_the_smallest_error_is_guessed():
    parts = [(X, 3.0 * X[:, SECRET]) for X, _ in sides(7, 60)]
    model = LinearRegression().fit(*parts[0])
    parts = [(X, y + 1e-3 * X[:, 0]) for X, y in parts]  # not the label any more
    found = guessed(ATTACKS["csmia"], regressor(model, parts)).evidence
    assert (found.main_rate, found.control_rate) == (1, 1)


def test_the_likelihood_of_several_outputs_is_their_mean():
    parts = [(X, np.column_stack([X[:, 0], 5.0 * X[:, SECRET] + y])) for X, y in sides(8, 60)]
    model = LinearRegression().fit(*parts[0])
    found = guessed(ATTACKS["likelihood"], regressor(model, parts)).evidence
    assert found.main_rate > 0.95


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"prior": "flat"}, "prior of the attack .*imputed, marginal"),
        ({"weight": 0}, "weight of the attack .*above 0"),
        ({"weight": float("nan")}, "weight of the attack"),
        ({"attempts": 9}, "whole number of at least 10"),
        ({"attempts": True}, "whole number of at least 10"),
    ],
)
def test_settings_that_cannot_be(options, says):
    with pytest.raises(LeakproError, match=says):
        AttributeLikelihood(**options)
