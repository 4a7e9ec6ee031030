"""The bounds on a TPR against reference values, closed forms and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.stats.order_statistics import fpr_above_rank
from pytest_leakpro.stats.tpr_lower import (
    choose_rank,
    rank_without_limit,
    smallest_refuting_count,
    tpr_lower,
    tpr_p_value,
)
from pytest_leakpro.stats.tpr_upper import fpr_grid, nonmembers_for_upper, upper_rule
from tests.stats.reference import LOWER, RANK, UPPER

A = 0.025


@pytest.mark.parametrize(("n", "m", "fpr", "k", "c", "bound"), LOWER)
def test_lower_bound_equals_the_reference(n, m, fpr, k, c, bound):
    # The reference is printed to six decimals, which is coarser than 1e-3 for the smallest.
    assert tpr_lower(c, m, k, n, fpr, A) == pytest.approx(bound, rel=1e-3, abs=6e-7)
    assert rank_without_limit(n, fpr) == k


@pytest.mark.parametrize(("n", "m", "fpr", "ranks", "levels", "counts", "bound"), UPPER)
def test_upper_bound_equals_the_reference(n, m, fpr, ranks, levels, counts, bound):
    rule = upper_rule(n, fpr, A)
    assert rule.ranks == ranks
    assert rule.levels == pytest.approx(levels, abs=1e-7)
    assert rule.bound(counts, m) == pytest.approx(bound, abs=1e-6)


@pytest.mark.parametrize(("n", "m", "fpr", "limit", "rank"), RANK)
def test_rank_for_a_limit_is_near_the_reference(n, m, fpr, limit, rank):
    # Powers are flat around the best rank: a neighbour on the grid of 15 % steps is as good.
    assert rank / 1.3 <= choose_rank(m, n, fpr, limit, A) <= rank * 1.3


def test_p_value_is_the_expectation_it_claims_to_be():
    c, m, k, n, fpr, limit = 12, 400, 6, 900, 0.004, 0.015
    rng = np.random.default_rng(1)
    u = rng.beta(k, n - k + 1, size=200_000)
    share = np.minimum(1, limit * np.maximum(u / fpr, 1))
    simulated = stats.binom.sf(c - 1, m, share).mean()
    assert tpr_p_value(c, m, k, n, fpr, limit) == pytest.approx(simulated, rel=0.02)


def test_quadrature_has_the_moments_of_the_beta_law():
    u = fpr_above_rank(7, 350)
    assert u.mean() == pytest.approx(7 / 351, rel=1e-4)
    assert not u.flags.writeable


@settings(deadline=None, max_examples=40)
@given(
    m=st.integers(10, 3000),
    n=st.integers(20, 3000),
    fpr=st.sampled_from([0.001, 0.01, 0.1]),
    data=st.data(),
)
def test_lower_bound_rises_with_the_count_and_is_the_root(m, n, fpr, data):
    k = data.draw(st.integers(1, n))
    c = data.draw(st.integers(1, m))
    low = tpr_lower(c, m, k, n, fpr, A)
    assert 0 <= low <= 1
    assert low >= tpr_lower(c - 1, m, k, n, fpr, A)
    if 0 < low < 1:
        assert tpr_p_value(c, m, k, n, fpr, low) == pytest.approx(A, rel=1e-3)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(5, 5000),
    m=st.integers(5, 5000),
    fpr=st.sampled_from([0.001, 0.003, 0.05, 0.3]),
    data=st.data(),
)
def test_upper_bound_spends_no_more_than_its_error(n, m, fpr, data):
    rule = upper_rule(n, fpr, A)
    if rule is None:
        assert n < nonmembers_for_upper(fpr, A)
        return
    # The error is spent where the cut is too high at a rank, and on its count elsewhere.
    too_high = [stats.binom.sf(rank - 1, n, fpr) for rank in rule.ranks]
    spent = too_high[-1]
    assert all(0 < level <= 1 for level in rule.levels)  # 1: that rank asks for nothing
    if len(rule.ranks) == 1:
        spent += (1 - too_high[0]) * rule.levels[0]
    else:
        close, wary = too_high
        spent += (1 - close) * rule.levels[0] + (close - wary) * rule.levels[1]
    assert spent <= A * (1 + 1e-9)
    count = data.draw(st.integers(0, m))
    counts = (count,) * len(rule.ranks)
    assert count / m <= rule.bound(counts, m) <= 1


def test_largest_passing_counts_are_the_last_that_pass():
    rule = upper_rule(2000, 0.001, A)
    largest = rule.largest_counts(2000, 0.01)
    assert rule.bound(largest, 2000) <= 0.01
    for position in range(len(largest)):
        one_more = tuple(c + (i == position) for i, c in enumerate(largest))
        assert rule.bound(one_more, 2000) > 0.01
    assert rule.largest_counts(100, 0.001) == (-1, -1)


def test_smallest_refuting_count_is_the_first_that_refutes():
    c = smallest_refuting_count(500, 5, 800, 0.01, 0.03, A)
    assert tpr_p_value(c, 500, 5, 800, 0.01, 0.03) <= A
    assert tpr_p_value(c - 1, 500, 5, 800, 0.01, 0.03) > A
    assert smallest_refuting_count(10, 2, 20, 0.01, 0.99, A) == 11


def test_grid_starts_at_the_rate_and_stays_below_one_half():
    grid = fpr_grid(0.001)
    assert grid[0] == 0.001
    assert grid[-1] < 0.5 <= grid[-1] * 1.3
    assert np.allclose(grid[1:] / grid[:-1], 1.3)
    assert list(fpr_grid(0.49)) == [0.49]
