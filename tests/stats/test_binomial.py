"""Shares and their bounds against scipy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.stats.binomial import (
    at_least,
    clopper_pearson_lower,
    clopper_pearson_upper,
    largest_count_within,
    wilson_interval,
)

COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.floats(0, 1))
def test_at_least_is_the_binomial_tail(count, share):
    k, n = count
    assert at_least(k, n, share) == pytest.approx(stats.binom.sf(k - 1, n, share), abs=1e-12)


def test_at_least_beyond_the_trials_is_impossible():
    assert at_least(11, 10, 0.99) == 0
    assert list(at_least([0, -3], 10, 0.0)) == [1, 1]


@given(COUNTS, st.floats(1e-4, 0.4))
def test_clopper_pearson_equals_scipys_exact_interval(count, error):
    k, n = count
    exact = stats.binomtest(k, n).proportion_ci(1 - 2 * error, method="exact")
    assert clopper_pearson_lower(k, n, error) == pytest.approx(exact.low, abs=1e-8)
    assert clopper_pearson_upper(k, n, error) == pytest.approx(exact.high, abs=1e-8)


@given(COUNTS, st.floats(0.01, 0.2))
def test_wilson_equals_scipys(count, error):
    k, n = count
    other = stats.binomtest(k, n).proportion_ci(1 - error, method="wilson")
    assert wilson_interval(k, n, error) == pytest.approx((other.low, other.high), abs=1e-9)


@given(st.integers(1, 2000), st.floats(0.001, 0.999), st.floats(1e-3, 0.3))
def test_largest_count_within_is_the_last(trials, limit, error):
    largest = largest_count_within(limit, trials, error)
    counts = np.arange(trials + 1)
    within = clopper_pearson_upper(counts, trials, error) <= limit
    assert largest == (counts[within].max() if within.any() else -1)


def test_every_count_is_within_a_limit_of_one():
    assert largest_count_within(1.0, 30, 0.025) == 30
