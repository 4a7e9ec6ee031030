"""Bounds on differences of shares: closed forms, invariants, errors by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.stats.bounded_mean import mean_lower, mean_p_value
from pytest_leakpro.stats.paired_shares import (
    difference_lower,
    difference_p_value,
    difference_upper,
    fail_chance,
    pass_chance,
)

A = 0.025
RARE = 0.996
DIFFERENCES = st.lists(st.floats(-1, 1), min_size=1, max_size=40)
LIMITS = st.floats(0, 0.95)
BETS = [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32]


def test_p_values_are_one_over_the_average_capital():
    values, limit = [1.0, 0.25, 0.0, 1.0, 0.5, -0.5], 0.1
    capital = sum(
        (0.5 if bet == 1 else 0.1) * np.prod([1 + bet * (z - limit) / (1 + limit) for z in values])
        for bet in BETS
    )
    assert difference_p_value(values, limit) == pytest.approx(1 / capital)
    # What was bet whole is lost with a difference of -1, the rest is not.
    values[-1] = -1.0
    rest = sum(
        0.1 * np.prod([1 + bet * (z - limit) / (1 + limit) for z in values]) for bet in BETS[1:]
    )
    assert difference_p_value(values, limit) == pytest.approx(min(1, 1 / rest))


def test_seventy_two_units_without_a_gain_are_within_five_percent():
    assert difference_upper([0.0] * 72, A, RARE) <= 0.05 < difference_upper([0.0] * 71, A, RARE)
    assert difference_upper([0.0] * 72, A, RARE) == pytest.approx(1 - (A * RARE) ** (1 / 72))
    assert difference_upper([-1.0, 0.0] * 36, A, RARE) <= 0.05


def test_bets_see_that_gains_and_losses_cancel():
    values = [0.5, -0.5] * 200
    gains_alone = 1 - mean_lower(1 - 0.25, 400, A)
    assert difference_upper(values, A, 0.5) < 0.11 < 0.2 < gains_alone


@given(values=DIFFERENCES, limit=LIMITS, error=st.floats(1e-6, 0.4))
def test_the_p_value_refutes_what_lies_below_the_lower_bound(values, limit, error):
    low = difference_lower(values, error)
    assert 0 <= low <= max(0.0, np.mean(values)) + 1e-12
    if abs(low - limit) > 1e-8:
        assert (difference_p_value(values, limit) <= error) == (low > limit)


@given(values=DIFFERENCES, first=LIMITS, second=LIMITS)
def test_p_values_rise_with_the_limit(values, first, second):
    least, most = sorted((first, second))
    assert difference_p_value(values, least) <= difference_p_value(values, most) * (1 + 1e-9)


@settings(max_examples=50)
@given(values=DIFFERENCES, seed=st.integers(0, 99), more=st.floats(0, 1))
def test_bounds_depend_on_no_order_and_rise_with_every_unit(values, seed, more):
    shuffled = np.random.default_rng(seed).permutation(values)
    raised = [min(1.0, values[0] + more), *values[1:]]
    for bound in (
        lambda given: difference_lower(given, A),
        lambda given: difference_upper(given, A, 0.5),
    ):
        assert bound(values) == pytest.approx(bound(shuffled), abs=1e-7)
        assert bound(values) <= bound(raised) + 1e-7
    assert max(0.0, np.mean(values)) <= difference_upper(values, A, 0.5) + 1e-9 <= 1 + 1e-9


RUNS = 1000


def share_of_errors(draw, true, rare, seed):
    """Share of lower bounds above the truth, and of upper bounds below it."""
    rng = np.random.default_rng(seed)
    above = below = 0
    for _ in range(RUNS):
        values = draw(rng)
        above += difference_p_value(values, true) <= A
        below += beyond(values, true, rare)
    return above / RUNS, below / RUNS


def beyond(values, true, rare):
    """Tell whether the upper bound lies below the truth, by its two tests: bounds take longer."""
    gain = np.maximum(values, 0).mean()
    return mean_p_value(1 - gain, len(values), 1 - true) <= A * rare or difference_p_value(
        -values, -true
    ) <= A * (1 - rare)


@settings(max_examples=50)
@given(values=DIFFERENCES, limit=st.floats(0.01, 0.95), rare=st.sampled_from([RARE, 0.5]))
def test_the_upper_bound_is_that_of_its_two_tests(values, limit, rare):
    high = difference_upper(values, A, rare)
    if abs(high - limit) > 1e-8:
        assert beyond(np.array(values), limit, rare) == (high < limit)


def of_single_records(units, main, baseline):
    def draw(rng):
        rebuilt = rng.random(units) < main
        return rebuilt.astype(float) - (rng.random(units) < baseline)

    return draw


def of_batches(units, size, main, baseline):
    def draw(rng):
        rate = main * rng.beta(2, 2, units) * 2  # batches that differ
        return (rng.binomial(size, rate) - rng.binomial(size, baseline, units)) / size

    return draw


# An error of A = 2.5 % is seen above A + 4 standard errors of 1,000 runs, which is 4.5 %, with
# probability below 2e-4 per share (the Poisson tail): below 0.3 % in all twelve.
@pytest.mark.parametrize("rare", [RARE, 0.5])
@pytest.mark.parametrize(
    ("draw", "true"),
    [
        (of_single_records(72, 0.05, 0.0), 0.05),
        (of_single_records(100, 0.25, 0.2), 0.05),
        (of_batches(60, 8, 0.2, 0.1), 0.1),
    ],
    ids=["rare", "single records", "batches"],
)
def test_exactly_at_the_limit_both_errors_keep_their_level(draw, true, rare):
    above, below = share_of_errors(draw, true, rare, 21)
    most = A + 4 * np.sqrt(A * (1 - A) / RUNS)
    assert above <= most
    assert below <= most


@pytest.mark.parametrize(("units", "true"), [(72, 0.0), (94, 0.2), (150, 0.01), (1, 0.3)])
def test_chances_are_sums_over_all_outcomes(units, true):
    limit, passes, fails = 0.05, 0.0, 0.0
    for count in range(min(units, 60) + 1):
        values = [1.0] * count + [0.0] * (units - count)
        chance = float(binomial(units, count, true))
        passes += chance * (difference_upper(values, A, RARE) <= limit)
        fails += chance * (difference_p_value(values, limit) <= A)
    assert pass_chance(units, limit, A, true, RARE) == pytest.approx(passes, abs=1e-9)
    assert fail_chance(units, limit, A, true) == pytest.approx(fails, abs=1e-9)


def binomial(units, count, share):
    from scipy import stats

    return stats.binom.pmf(count, units, share)


def test_one_unit_decides_nothing():
    assert pass_chance(1, 0.05, A, 0.0, RARE) == 0
    assert fail_chance(1, 0.05, A, 1.0) == 0
