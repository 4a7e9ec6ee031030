"""The bound from both error rates: closed forms, and randomised response."""

import math

import numpy as np
import pytest
from scipy.stats import beta

from pytest_leakpro.stats.threshold_audit import threshold_lower


def test_a_test_that_is_never_wrong_is_bounded_by_how_many_it_was_tried_on():
    n, error = 500, 0.05
    rare = 1 - (error / 2) ** (1 / n)  # Clopper and Pearson of no success
    assert threshold_lower((n, n, 0, n), 0.0, error) == pytest.approx(math.log((1 - rare) / rare))
    lifted = threshold_lower((n, n, 0, n), 0.01, error)
    assert lifted == pytest.approx(math.log((1 - rare - 0.01) / rare))


def test_either_kind_of_error_may_be_the_telling_one():
    """Few are never missed: what is below the cut tells as much as what is above."""
    above = threshold_lower((50, 500, 0, 500), 0.0, 0.05)
    below = threshold_lower((500, 500, 450, 500), 0.0, 0.05)
    assert above == pytest.approx(below)
    low = beta.ppf(0.025, 50, 451)
    assert above == pytest.approx(math.log(low / (1 - 0.025 ** (1 / 500))))


def test_a_coin_tells_nothing():
    assert threshold_lower((250, 500, 250, 500), 1e-5, 0.05) == 0
    assert threshold_lower((0, 500, 500, 500), 1e-5, 0.05) == 0


def test_randomised_response_keeps_its_epsilon():
    """An error of 5 % in 500 runs: 43 or more have probability below 1e-3."""
    rng, epsilon, n = np.random.default_rng(0), 1.0, 400
    right = 1 / (1 + math.exp(-epsilon))
    draws = zip(rng.binomial(n, right, 500), rng.binomial(n, 1 - right, 500), strict=True)
    bounds = [threshold_lower((int(a), n, int(b), n), 0.0, 0.05) for a, b in draws]
    assert sum(bound > epsilon for bound in bounds) < 43
    assert np.mean(bounds) > 0.6 * epsilon
