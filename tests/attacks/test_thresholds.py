"""Threshold attacks against plain references and known orders."""

import numpy as np
import pytest
from scipy import special

from pytest_leakpro import Classifier, Regressor
from pytest_leakpro.attacks.membership.confidence import ConfidenceThreshold
from pytest_leakpro.attacks.membership.entropy import EntropyThreshold
from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.modified_entropy import ModifiedEntropyThreshold
from tests.attacks import references
from tests.attacks.views import exchangeable, identity

RNG = np.random.default_rng(0)


def order(scores):
    return np.unique(np.round(scores, 9), return_inverse=True)[1]


def scores_of(attack, target):
    members, _ = attack.score(target.prepare(0), RNG)
    return members


@pytest.fixture(params=[2, 5], ids=["two classes", "five classes"])
def target(request):
    return exchangeable(1, request.param, 200)


def probabilities_and_labels(target):
    signals = target.prepare(0).members
    return np.exp(signals.log_probabilities), signals.labels


def test_loss_orders_records_as_cross_entropy_does(target):
    p, y = probabilities_and_labels(target)
    loss = -np.log(p[np.arange(len(y)), y])
    assert np.array_equal(order(scores_of(LossThreshold(), target)), order(-loss))


def test_modified_entropy_equals_the_paper(target):
    p, y = probabilities_and_labels(target)
    expected = [-references.modified_entropy(*pair) for pair in zip(p, y, strict=True)]
    assert scores_of(ModifiedEntropyThreshold(), target) == pytest.approx(expected, abs=1e-9)


def test_entropy_equals_the_definition(target):
    p, _ = probabilities_and_labels(target)
    expected = [-references.entropy(row) for row in p]
    assert scores_of(EntropyThreshold(), target) == pytest.approx(expected, abs=1e-9)


def test_confidence_orders_records_as_the_largest_probability_does(target):
    p, _ = probabilities_and_labels(target)
    assert np.array_equal(order(scores_of(ConfidenceThreshold(), target)), order(p.max(axis=1)))


def test_saturated_probabilities_do_not_tie():
    # softmax(50, 0) and softmax(60, 0) are both 1.0 in double precision.
    z = np.array([[40.0, 0], [50, 0], [60, 0]] * 5)
    target = Classifier(
        identity, (z, np.zeros(15, int)), (z + 1, np.zeros(15, int)), output="logits"
    )
    assert special.softmax(z, axis=1)[1, 0] == special.softmax(z, axis=1)[2, 0] == 1.0
    for attack in (LossThreshold(), ConfidenceThreshold()):
        first = scores_of(attack, target)[:3]
        assert first[0] < first[1] < first[2]


def test_with_two_classes_modified_entropy_repeats_the_loss():
    two, five = exchangeable(1, 2, 50), exchangeable(1, 5, 50)
    assert "orders records as" in ModifiedEntropyThreshold().mismatch(two)
    assert ModifiedEntropyThreshold().mismatch(five) is None
    assert np.array_equal(
        order(scores_of(ModifiedEntropyThreshold(), two)), order(scores_of(LossThreshold(), two))
    )


def test_loss_of_a_regressor_is_the_squared_error():
    x = np.random.default_rng(2).normal(size=(30, 1))
    target = Regressor(lambda X: X[:, 0], (x, x[:, 0] + 2), (x + 1, x[:, 0] + 1.5))
    members, nonmembers = LossThreshold().score(target.prepare(0), RNG)
    assert members == pytest.approx(np.full(30, -4.0))
    assert nonmembers == pytest.approx(np.full(30, -0.25))
    assert "does not attack a Regressor" in EntropyThreshold().mismatch(target)
