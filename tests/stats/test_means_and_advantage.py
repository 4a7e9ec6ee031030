"""Bounds on means, AUC and advantage: closed forms, coverage, sharpness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from pytest_leakpro.stats.advantage import (
    advantage_half_width,
    advantage_lower,
    advantage_p_value,
    advantage_rank,
)
from pytest_leakpro.stats.binomial import clopper_pearson_lower
from pytest_leakpro.stats.bounded_mean import mean_interval, mean_lower, mean_p_value

A = 0.025


@pytest.mark.parametrize(("size", "half_width"), [(500, 0.052), (2000, 0.026)])
def test_half_width_of_the_auc_at_one_half(size, half_width):
    assert 0.5 - mean_lower(0.5, size, A) == pytest.approx(half_width, abs=5e-4)


def test_without_a_failure_it_is_the_exact_binomial_bound():
    # 72 batches without a success decide 5 %.
    low, high = mean_interval(0.0, 72, A)
    assert low == 0
    assert high == pytest.approx(1 - A ** (1 / 72), abs=1e-9)
    assert high < 0.05


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 400), st.integers(0, 400), st.floats(0.01, 0.2))
def test_never_tighter_than_the_exact_bound_for_bernoulli_variables(r, count, error):
    count = min(count, r)
    assert mean_lower(count / r, r, error) <= clopper_pearson_lower(count, r, error) + 1e-9


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 300), st.floats(0.02, 1), st.floats(1e-9, 0.98))
def test_p_value_is_the_minimum_over_every_h(r, estimate, part):
    mean = estimate * part
    x = np.arange(r + 1)
    weights = stats.binom.pmf(x, r, mean)
    h = x[x / r < estimate - 1e-9] / r
    every = [(np.maximum(x / r - one, 0) * weights).sum() / (estimate - one) for one in h]
    p_value = mean_p_value(estimate, r, mean)
    assert p_value >= min(every) - 1e-9
    if min(every) < 0.3:  # where it could decide anything it is the minimum
        assert p_value == pytest.approx(min(every), rel=1e-4, abs=1e-12)


def test_interval_is_scaled_to_the_range():
    low, high = mean_interval(0.2, 100, A, -1.0, 1.0)
    unit_low, unit_high = mean_interval(0.6, 100, A)
    assert (low, high) == pytest.approx((2 * unit_low - 1, 2 * unit_high - 1))


def test_bound_on_a_mean_covers():
    # 2,000 means of 50 uniform variables: at most 2.5 % of the lower bounds lie above the mean.
    # The bound is conservative there, so the test fails by chance with probability below 1e-6.
    rng = np.random.default_rng(5)
    means = rng.uniform(size=(2000, 50)).mean(axis=1)
    assert np.mean([mean_lower(float(value), 50, A) > 0.5 for value in means]) <= A


def test_advantage_bounds_cover_and_are_useful():
    # 2,000 binormal pairs of 300: each side may miss 2.5 % of the time; with a binomial error of
    # 0.35 points the allowance of 1.4 points is four of them (false-alarm rate 3e-5 a side).
    rng = np.random.default_rng(7)
    m, n, mu = 300, 300, 0.8
    true = 2 * special.ndtr(mu / 2) - 1
    k = advantage_rank(n)
    low_misses = high_misses = 0
    for _ in range(2000):
        members, nonmembers = rng.normal(mu, 1, m), np.sort(rng.normal(0, 1, n))
        c = int((members > nonmembers[-k]).sum())
        low_misses += advantage_lower(c, m, n, A) > true
        grid = np.sort(np.r_[members, nonmembers])
        tpr = 1 - np.searchsorted(np.sort(members), grid) / m
        fpr = 1 - np.searchsorted(nonmembers, grid) / n
        high_misses += np.max(tpr - fpr) + advantage_half_width(m, n, A) < true
    assert low_misses / 2000 <= A + 0.014
    assert high_misses / 2000 <= A + 0.014


def test_advantage_bound_is_the_root_and_bounded():
    low = advantage_lower(150, 300, 300, A)
    assert advantage_p_value(150, 300, 300, low) == pytest.approx(A, rel=1e-4)
    assert advantage_lower(0, 300, 300, A) == 0
    assert advantage_lower(20, 20, 100_000, 0.4) > 0.6
