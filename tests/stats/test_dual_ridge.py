"""Ridge regression in the dual against the primal, and without anything to learn from."""

import numpy as np
import pytest

from pytest_leakpro.stats.dual_ridge import dual_weights
from pytest_leakpro.stats.roc import auc


@pytest.mark.parametrize("shape", [(6, 30), (40, 3)])
def test_it_predicts_what_the_primal_does(shape):
    rng = np.random.default_rng(0)
    features, case = rng.normal(size=shape), rng.normal(size=shape[1])
    outcomes = rng.normal(size=(2, shape[0]))
    penalty = 0.3
    other, weights = dual_weights(features, case, [2.0, penalty])
    z = (features - features.mean(axis=0)) / features.std(axis=0)
    # The mean squared length of standardised cases is the number of features.
    slopes = np.linalg.solve(z.T @ z + penalty * shape[1] * np.eye(shape[1]), z.T @ outcomes.T)
    predicted = (case - features.mean(axis=0)) / features.std(axis=0) @ slopes
    np.testing.assert_allclose(outcomes @ weights, predicted, rtol=1e-8)
    assert weights.sum() == pytest.approx(0, abs=1e-10)
    assert np.linalg.norm(other) < np.linalg.norm(weights)


def test_it_approaches_the_exact_test_of_a_mean_with_noise():
    """Of the noisy mean of a random half of known records the exact test is linear in the mean.

    With 300 other means the average AUC over 40 attacked ones lies within 0.02 of the exact one's.
    """
    n, n_columns, noise = 40, 6, 0.05
    rng = np.random.default_rng(2)
    pool = rng.normal(size=(n, n_columns))
    included = np.array([rng.permutation(n) < n // 2 for _ in range(340)])
    means = included @ pool / (n // 2) + noise * rng.normal(size=(340, n_columns))
    centred = pool - pool.mean(axis=0)
    covariance = np.cov(pool.T) / n + noise**2 * np.eye(n_columns)
    kinds = np.where(included[:300], 1.0, -1.0)
    found, exact = [], []
    for mean, saw in zip(means[300:], included[300:], strict=True):
        scores = dual_weights(means[:300], mean, [0.1])[0] @ kinds
        best = centred @ np.linalg.solve(covariance, mean - pool.mean(axis=0))
        found.append(auc(scores[saw], scores[~saw]))
        exact.append(auc(best[saw], best[~saw]))
    assert np.mean(exact) > 0.65
    assert abs(np.mean(found) - np.mean(exact)) < 0.02


def test_features_that_do_not_vary_say_nothing():
    rng = np.random.default_rng(1)
    features, case = rng.normal(size=(8, 4)), rng.normal(size=4)
    with_constant = np.column_stack([features, np.full(8, 3.0)])
    expected = dual_weights(features, case, [1.0])
    np.testing.assert_allclose(dual_weights(with_constant, np.r_[case, 9.0], [1.0]), expected)
    assert not dual_weights(np.full((8, 1), 3.0), np.ones(1), [1.0]).any()
