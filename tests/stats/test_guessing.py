"""The risk of guesses: p-values against scipy's, errors and chances by sums over all outcomes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.stats import guessing
from pytest_leakpro.stats.binomial import binomial_quantile
from pytest_leakpro.stats.guessing import (
    Tally,
    fail_chance,
    pass_chance,
    risk,
    risk_lower,
    risk_p_value,
    risk_upper,
    worse_than_naive,
)

PAIRS = st.integers(10, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
TALLIES = st.builds(
    lambda main, control, scale: Tally(*main, *control, scale),
    PAIRS,
    PAIRS,
    st.sampled_from([1.0, 1.0, 1.7, 5.0]),
)
ERRORS = st.floats(1e-6, 0.5)
LIMITS = st.sampled_from([0.0, 0.01, 0.05, 0.3, 0.9])


def by_scipy(tally, limit):
    """Combine the p-values of two binomial tests, at the control rate that explains most."""
    rates = np.linspace(0, 1, 2001)
    main = stats.binom.sf(tally.main - 1, tally.attempts, limit + (1 - limit) * rates)
    share = np.minimum(1.0, rates / tally.scale)
    control = stats.binom.cdf(tally.control, tally.control_attempts, share)
    most = np.argmax(main * control)  # which is all that Fisher's method looks at
    if main[most] * control[most] == 0:
        return 0.0
    return float(stats.combine_pvalues([main[most], control[most]], method="fisher").pvalue)


@pytest.mark.parametrize(
    "tally",
    [
        Tally(10, 60, 3, 80),
        Tally(60, 60, 0, 40),
        Tally(0, 30, 0, 30),
        Tally(25, 100, 24, 50),
        Tally(25, 100, 5, 50, 2.0),
        Tally(12, 12, 40, 40),
    ],
    ids=str,
)
@pytest.mark.parametrize("limit", [0.0, 0.05, 0.4])
def test_p_values_are_scipys_combined(tally, limit):
    assert risk_p_value(tally, limit) == pytest.approx(by_scipy(tally, limit), rel=5e-3, abs=1e-12)


def test_half_the_attempts_do_where_the_rates_are_alike():
    """Bounds on either rate at half the error would reach 6.5 %."""
    assert risk_upper(Tally(600, 2000, 600, 2000), 0.025) < 0.046


@settings(max_examples=12, deadline=None)
@given(TALLIES, ERRORS)
def test_the_risk_lies_between_its_bounds(tally, error):
    value = risk(
        tally.main / tally.attempts, min(1.0, tally.scale * tally.control / tally.control_attempts)
    )
    assert 0 <= risk_lower(tally, error) <= value + 1e-7
    assert value <= risk_upper(tally, error) + 1e-7
    assert risk_upper(tally, error) <= 1


@settings(max_examples=12, deadline=None)
@given(TALLIES, ERRORS)
def test_more_successes_are_more_risk_and_more_of_the_controls_less(tally, error):
    for bound in (risk_lower, risk_upper):
        here = bound(tally, error)
        if tally.main < tally.attempts:
            assert bound(tally._replace(main=tally.main + 1), error) >= here - 1e-6
        if tally.control < tally.control_attempts:
            assert bound(tally._replace(control=tally.control + 1), error) <= here + 1e-6
        assert bound(tally._replace(scale=tally.scale + 1), error) <= here + 1e-6


@settings(max_examples=12, deadline=None)
@given(TALLIES, st.integers(0, 400), ERRORS)
def test_an_uncertain_control_widens_to_one_side_only(tally, more, error):
    most = min(tally.control_attempts, tally.control + more)
    between = tally._replace(control_most=most)
    assert risk_lower(between, error) == risk_lower(tally._replace(control=most), error)
    assert risk_upper(between, error) == risk_upper(tally, error)


@settings(max_examples=12, deadline=None)
@given(TALLIES, LIMITS)
def test_the_p_value_is_the_error_at_which_the_bound_reaches_the_limit(tally, limit):
    p = risk_p_value(tally, limit)
    assert 0 <= p <= 1
    if p < 1:
        assert risk_lower(tally, max(1e-300, p * (1 - 1e-3))) <= limit + 1e-6
        assert risk_lower(tally, min(p * (1 + 1e-3), 1 - 1e-12)) >= limit - 1e-6


@settings(max_examples=12, deadline=None)
@given(TALLIES, LIMITS, st.floats(1e-9, 0.5))
def test_a_limit_is_refuted_exactly_where_the_bound_exceeds_it(tally, limit, error):
    p = risk_p_value(tally, limit)
    low = risk_lower(tally, error)
    if abs(low - limit) > 1e-6:
        assert (p <= error) == (low > limit)


# Sums over all outcomes, so that nothing is left to chance.
@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize(("n", "m"), [(10, 10), (14, 25), (30, 12)])
def test_each_bound_misses_the_true_risk_at_most_as_often_as_allowed(n, m, scale):
    mains, controls = (part.ravel() for part in np.mgrid[: n + 1, : m + 1])
    outcomes = guessing._Outcomes(mains, n, controls, controls, m, scale)
    worst = 0.0
    for error in (0.1, 0.025):
        for control_rate in np.linspace(0, 1, 8):
            scaled = min(1.0, scale * control_rate)
            if scaled == 1:
                continue  # then nothing is left to learn, and the risk has no meaning
            for true in np.linspace(0, 1, 8)[:-1]:
                limits = np.full(len(mains), true)
                main_rate = scaled + true * (1 - scaled)
                chances = stats.binom.pmf(mains, n, main_rate)
                chances *= stats.binom.pmf(controls, m, control_rate)
                for above in (True, False):
                    p_values = guessing._p_values(outcomes, limits, above=above)
                    worst = max(worst, chances[p_values <= error].sum() / error)
    assert 0.3 < worst <= 1


def test_what_can_be_said_without_counting():
    # An exact copy: every attempt succeeds, and no other record is known of.
    copy = Tally(1000, 1000, 0, 1000)
    assert risk(1.0, 0.0) == 1
    assert risk_upper(copy, 0.025) == 1
    assert risk_lower(copy, 0.025) > 0.98
    # Where the control always succeeds too, there is nothing left to learn.
    told = Tally(1000, 1000, 1000, 1000)
    assert risk(1.0, 1.0) == 0
    assert risk_lower(told, 0.5) == 0
    assert risk_p_value(told, 0.0) == 1
    assert risk_upper(told, 0.025) == 1
    # A control that is scaled beyond 1 is taken as 1.
    assert risk_upper(Tally(500, 1000, 600, 1000, scale=2.0), 0.025) == 0
    assert risk_p_value(Tally(0, 1000, 0, 1000), 0.0) == 1


@settings(max_examples=12, deadline=None)
@given(st.integers(10, 30), st.integers(10, 30), LIMITS, st.floats(0, 1), st.floats(0, 1))
def test_chances_are_sums_over_all_outcomes(n, m, limit, true, control_rate):
    error = 0.1
    mains, controls = (part.ravel() for part in np.mgrid[: n + 1, : m + 1])
    chances = stats.binom.pmf(mains, n, control_rate + true * (1 - control_rate))
    chances *= stats.binom.pmf(controls, m, control_rate)
    outcomes = guessing._Outcomes(mains, n, controls, controls, m)
    limits = np.full(len(mains), limit)
    passes, fails = (
        chances[guessing._p_values(outcomes, limits, above=above) <= error].sum()
        for above in (False, True)
    )
    assert pass_chance(n, m, limit, error, true, control_rate) == pytest.approx(passes, abs=1e-9)
    assert fail_chance(n, m, limit, error, true, control_rate) == pytest.approx(fails, abs=1e-9)


def test_between_counts_bounds_are_interpolated_without_loss(monkeypatch):
    sizes, error, true, rate = (40_000, 30_000), 0.025, 0.04, 0.2
    here = [chance(*sizes, 0.05, error, true, rate) for chance in (pass_chance, fail_chance)]
    monkeypatch.setattr(guessing, "_MOST_KNOTS", 400)
    for chance in (pass_chance, fail_chance):
        chance.cache_clear()
    every = [chance(*sizes, 0.05, error, true, rate) for chance in (pass_chance, fail_chance)]
    assert here == pytest.approx(every, abs=1e-3)
    assert 0.01 < here[0] < 0.99


def test_worse_than_naive_is_said_beyond_chance_only():
    assert not worse_than_naive(30, 1000, 31, 1000)
    assert not worse_than_naive(30, 1000, 55, 1000)
    assert worse_than_naive(30, 1000, 80, 1000)
    assert not worse_than_naive(80, 1000, 30, 1000)
    # Of an attack that is as good as a naive guess, by summation over both counts: at most 0.001.
    counts = np.arange(101)
    chances = np.outer(*[stats.binom.pmf(counts, 100, 0.3)] * 2)
    said = [[worse_than_naive(int(k), 100, int(j), 100) for j in counts] for k in counts]
    assert chances[np.array(said)].sum() <= 0.001


@given(st.floats(0.001, 0.999), st.integers(1, 500), st.floats(0, 1))
def test_binomial_quantiles_are_scipys(level, trials, share):
    found, other = binomial_quantile(level, trials, share), stats.binom.ppf(level, trials, share)
    # Where the chance of a count is the level but for rounding, either neighbour is right.
    assert found == other or abs(stats.binom.cdf(min(found, other), trials, share) - level) < 1e-9
