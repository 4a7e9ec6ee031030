"""Bounds on means by betting: closed forms, invariants, errors by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.stats.bounded_mean import mean_interval
from pytest_leakpro.stats.mean_bets import bet_lower, bet_p_value, bet_upper

A = 0.025
MOST = np.log2(1e9)
# What is nearer to 0 than that is lost beside the largest: no measurement has such a range.
VALUES = st.lists(st.floats(0, 30).map(lambda value: round(value, 6)), min_size=1, max_size=30)


def capital(values, mean):
    return sum(
        share * np.prod([1 + bet * (value / mean - 1) for value in values])
        for share, bet in zip([0.5] + [0.1] * 5, 2.0 ** -np.arange(6), strict=True)
    )


@pytest.mark.parametrize("mean", [0.1, 2.0, 10.0, 29.0])
def test_p_values_are_one_over_the_capital(mean):
    values = [0.0, 1.5, 3.0, 29.0, 12.0]
    assert bet_p_value(values, mean) == pytest.approx(min(1, 1 / capital(values, mean)))


def test_of_equal_values_the_bounds_have_a_closed_form():
    """Half the capital is on the largest bet, which wins v/m a unit; the rest adds a little."""
    low = bet_lower([20.0] * 30, A)
    assert capital([20.0] * 30, low) == pytest.approx(1 / A)
    assert 20 * (A / 2) ** (1 / 30) < low < 20 * A ** (1 / 30)
    assert bet_upper([0.0] * 30, A, MOST) == pytest.approx(MOST - bet_lower([MOST] * 30, A))


def test_where_nothing_was_won_there_is_no_lower_bound():
    assert bet_lower([0.0] * 100, A) == 0
    assert bet_upper([MOST] * 100, A, MOST) == MOST
    assert bet_p_value([0.0, 0.0], 0.0) == 1
    assert bet_p_value([0.0, 1.0], 0.0) == 0


@given(values=VALUES, error=st.floats(1e-4, 0.4), limit=st.floats(0.01, 29))
def test_bounds_lie_about_the_mean_and_refute_what_p_values_do(values, error, limit):
    low, high = bet_lower(values, error), bet_upper(values, error, 30.0)
    assert 0 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= 30
    if abs(low - limit) > 1e-6:
        assert (bet_p_value(values, limit) <= error) == (low > limit)


@settings(max_examples=50)
@given(values=VALUES, seed=st.integers(0, 99), more=st.floats(0, 5), scale=st.floats(0.1, 10))
def test_bounds_rise_with_every_value_and_depend_on_no_order_or_scale(values, seed, more, scale):
    shuffled = np.random.default_rng(seed).permutation(values)
    raised = [min(30.0, values[0] + more), *values[1:]]
    low = bet_lower(values, A)
    assert low == pytest.approx(bet_lower(shuffled, A), abs=1e-7)
    assert scale * low == pytest.approx(bet_lower(scale * np.array(values), A), rel=1e-5, abs=1e-6)
    assert low <= bet_lower(raised, A) + 1e-7
    assert bet_upper(values, A, 30.0) <= bet_upper(raised, A, 30.0) + 1e-7


LAWS = {
    "unlearned": lambda rng, n: np.minimum(rng.exponential(1 / np.log(2), n), MOST),
    "all or nothing": lambda rng, n: MOST * (rng.random(n) < 0.2),
    "half way": lambda rng, n: rng.uniform(0, MOST, n),
    "learned": lambda rng, n: np.maximum(MOST - rng.exponential(2, n), 0.0),
}


def missed(law, n, runs):
    rng = np.random.default_rng(31)
    true = LAWS[law](rng, 2_000_000).mean()
    draws = [LAWS[law](rng, n) for _ in range(runs)]
    below = sum(bet_p_value(draw, true) <= A for draw in draws)
    above = sum(bet_p_value(MOST - draw, MOST - true) <= A for draw in draws)
    return below / runs, above / runs


# An error that is truly A is seen above A + 4 sqrt(A (1 - A)/runs) with probability below 5e-5.
@pytest.mark.parametrize("law", LAWS)
def test_the_truth_is_seldom_refuted(law):
    assert max(missed(law, 40, 200)) <= A + 4 * np.sqrt(A * (1 - A) / 200)


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 40, 400])
@pytest.mark.parametrize("law", LAWS)
def test_the_truth_is_seldom_refuted_in_many_runs(law, n):
    assert max(missed(law, n, 2000)) <= A + 4 * np.sqrt(A * (1 - A) / 2000)


def test_it_takes_fewer_units_than_a_bound_for_coins():
    values = np.minimum(np.random.default_rng(1).exponential(1 / np.log(2), 60), MOST)
    coins = mean_interval(float(values.mean()), 60, A, 0.0, MOST)
    assert bet_upper(values, A, MOST) < coins[1] - 0.5
    assert bet_lower(values, A) > coins[0]
