"""The exact test of "P is at most exp(epsilon) Q + delta"."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.stats.excess_share import excess_p_value, lower_log_ratio, trials_for_excess


@pytest.mark.parametrize(("ratio", "extra"), [(1.0, 0.0), (0.0, 0.0), (0.5, 0.1)])
def test_error_is_within_the_level_at_the_limit_exactly(ratio, extra):
    """No simulation: every pair of counts is weighted with its probability."""
    n, level = 24, 0.05
    counts = np.arange(n + 1)
    refuted = np.array(
        [[excess_p_value(a, b, n, ratio, extra, level) <= level for b in counts] for a in counts]
    )
    for second in (0.01, 0.05, 0.15, 0.3, 0.36, 0.6):
        first = min(1.0, math.exp(ratio) * second + extra)
        weight = np.outer(stats.binom.pmf(counts, n, first), stats.binom.pmf(counts, n, second))
        assert (weight * refuted).sum() <= level
    # And it refutes what is far beyond.
    weight = np.outer(stats.binom.pmf(counts, n, 0.95), stats.binom.pmf(counts, n, 0.02))
    assert (weight * refuted).sum() > 0.9


@settings(max_examples=30)
@given(st.data())
def test_more_in_the_first_or_fewer_in_the_second_refutes_more(data):
    n = data.draw(st.integers(10, 400))
    first, second = data.draw(st.integers(0, n - 1)), data.draw(st.integers(1, n))
    ratio, extra = data.draw(st.floats(0, 3)), data.draw(st.sampled_from([0.0, 1e-5, 0.2]))
    base = excess_p_value(first, second, n, ratio, extra, 0.05)
    assert 0 < base <= 1
    # The grid is another for another second count, hence the slack.
    assert excess_p_value(first + 1, second, n, ratio, extra, 0.05) <= base * 1.0001
    assert excess_p_value(first, second - 1, n, ratio, extra, 0.05) <= base * 1.1


def test_p_value_is_near_that_of_a_fair_split_where_events_are_rare():
    """Of Poisson counts the conditional test is exact (Przyborowski and Wilenski 1940)."""
    for first, second in [(30, 4), (60, 12), (25, 5)]:
        fair = stats.binom.sf(first - 1, first + second, math.e / (1 + math.e))
        found = excess_p_value(first, second, 100_000, 1.0, 0.0, 1e-3)
        assert fair * 0.6 <= found <= fair * 1.5 + 1e-4


def test_bound_lies_between_claim_and_estimate():
    for first, second, extra in [(90, 20, 0.0), (350, 50, 0.1)]:
        bound = lower_log_ratio(first, second, 1_000, 0.5, extra, 0.05)
        assert 0.5 < bound < math.log((first - extra * 1_000) / second)
        assert excess_p_value(first, second, 1_000, bound, extra, 0.05) <= 0.05
    assert lower_log_ratio(60, 60, 1_000, 0.5, 0.0, 0.05) == -math.inf
    # Of an event that is never seen on one side the trials bound what can be said.
    assert 4 < lower_log_ratio(1_000, 0, 1_000, 1.0, 0.0, 0.05) < math.log(1_000)


def test_plan_reaches_its_power():
    """False-alarm rate 1e-4: the exact power of the planned trials is at least 0.9."""
    for first, second, ratio, extra in [(0.5, 0.1, 1.0, 0.0), (0.3, 0.1, 0.2, 0.01)]:
        n = math.ceil(trials_for_excess(first, second, ratio, extra, 0.01, 0.95))
        rng = np.random.default_rng(0)
        draws = zip(rng.binomial(n, first, 40), rng.binomial(n, second, 40), strict=True)
        hits = [excess_p_value(int(a), int(b), n, ratio, extra, 0.01) <= 0.01 for a, b in draws]
        assert stats.binom.cdf(sum(hits), 40, 0.9) > 1e-4
    assert trials_for_excess(0.1, 0.1, 0.0, 0.0, 0.05, 0.9) == math.inf


def test_large_ratios_and_certain_events_are_handled():
    for first, second in itertools.product((0, 50, 100), repeat=2):
        assert excess_p_value(first, second, 100, 800.0, 0.0, 0.05) > 0.05 or second == 0
        assert 0 < excess_p_value(first, second, 100, 0.0, 0.999, 0.05) <= 1
