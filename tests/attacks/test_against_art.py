"""Agreement with the Adversarial Robustness Toolbox, an independent implementation."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from pytest_leakpro import Classifier
from pytest_leakpro.attacks.membership.boundary import BoundaryDistance
from pytest_leakpro.attacks.membership.gap import LabelGap

N = 15
STEPS = 8
OPTIONS = {"max_iter": STEPS, "max_eval": 200, "init_eval": 30, "verbose": False}


@pytest.fixture(scope="module")
def art():
    pytest.importorskip("art", reason="adversarial-robustness-toolbox is not installed")
    from art.estimators.classification import BlackBoxClassifier

    return BlackBoxClassifier


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    X /= X[: 2 * N].std(axis=0)  # so that both measure in the same unit
    y = ((X[:, 0] ** 2 + X[:, 1] + X[:, 2] + rng.normal(size=400)) > 1).astype(int)
    # Its boundary is smooth: both walks end near the one nearest point.
    model = QuadraticDiscriminantAnalysis().fit(X[:200], y[:200])
    return model, X, y


def theirs(art, model, X):
    def one_hot(asked):
        return np.eye(2)[model.predict(asked)]

    low, high = X[: 2 * N].min(axis=0), X[: 2 * N].max(axis=0)
    return art(one_hot, input_shape=(6,), nb_classes=2, clip_values=(low, high))


def back_to_the_boundary(model, start, beyond, y):
    """The toolbox returns where its last step led, and does not go back to the boundary."""
    near, far = np.zeros((len(y), 1)), np.ones((len(y), 1))
    for _ in range(15):
        middle = (near + far) / 2
        over = (model.predict(start + middle * (beyond - start)) != y)[:, None]
        near, far = np.where(over, near, middle), np.where(over, middle, far)
    return start + far * (beyond - start)


# In the maximum norm either walk may end in a corner of its own within so few steps.
@pytest.mark.parametrize(("norm", "order", "alike"), [("l2", 2, 0.95), ("linf", np.inf, 0.7)])
def test_hop_skip_jump_goes_as_far(art, trained, norm, order, alike):
    from art.attacks.evasion import HopSkipJump

    model, X, y = trained
    right = np.flatnonzero(model.predict(X[: 2 * N]) == y[: 2 * N])
    np.random.seed(0)  # noqa: NPY002  # what the toolbox draws from
    attack = HopSkipJump(theirs(art, model, X), norm=order, **OPTIONS)
    moved = attack.generate(X[right].astype(np.float32), y[right])
    moved = back_to_the_boundary(model, X[right], moved, y[right])
    expected = np.linalg.norm(moved - X[right], ord=order, axis=1)
    sides = (X[:N], y[:N]), (X[N : 2 * N], y[N : 2 * N])
    view = Classifier(model, *sides, access="label").prepare(0)
    found = BoundaryDistance(queries=1000, norm=norm).run(view, np.random.default_rng(0))
    ours = np.r_[found.members, found.nonmembers][right]
    assert spearmanr(ours, expected).statistic > alike
    assert 0.85 < np.median(ours) / np.median(expected) < 1.05


def test_the_gap_attack_is_their_rule(art, trained):
    from art.attacks.inference.membership_inference import MembershipInferenceBlackBoxRuleBased

    model, X, y = trained
    rule = MembershipInferenceBlackBoxRuleBased(theirs(art, model, X))
    view = Classifier(model, (X[:200], y[:200]), (X[200:], y[200:]), access="label").prepare(0)
    found = LabelGap().run(view, np.random.default_rng(0))
    assert np.array_equal(np.ravel(rule.infer(X, y)), np.r_[found.members, found.nonmembers])
    assert 0.5 < found.members.mean() < 1


def test_their_decision_boundary_attack_ranks_alike(art, trained):
    from art.attacks.inference.membership_inference import LabelOnlyDecisionBoundary

    model, X, y = trained
    np.random.seed(1)  # noqa: NPY002  # what the toolbox draws from
    inferred = LabelOnlyDecisionBoundary(theirs(art, model, X), 0.5).infer(
        X[: 2 * N].astype(np.float32), y[: 2 * N], **OPTIONS
    )
    sides = (X[:N], y[:N]), (X[N : 2 * N], y[N : 2 * N])
    view = Classifier(model, *sides, access="label").prepare(0)
    found = BoundaryDistance(queries=1000).run(view, np.random.default_rng(0))
    # The toolbox measures to where its last step led, which is longer by 1 / sqrt(steps).
    ours = np.r_[found.members, found.nonmembers] * (1 + STEPS**-0.5)
    sure = np.abs(ours / 0.5 - 1) > 0.1
    assert sure.mean() > 0.8
    assert np.array_equal(np.ravel(inferred)[sure] > 0, ours[sure] > 0.5)
    assert 0 < np.mean(inferred) < 1
