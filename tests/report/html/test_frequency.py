"""Shares as counts of people."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.report.html.frequency import Frequency, frequency, one_in, people

SHARES = st.floats(0, 1)


def test_the_example_of_the_issue():
    assert frequency(0.047, 0.031, 0.066, 0.01) == Frequency(1_000, 47.0, 31, 66, 10.0)


@given(SHARES, SHARES, SHARES, st.none() | SHARES)
def test_bounds_are_rounded_outwards(one, other, third, limit):
    low, value, high = sorted((one, other, third))
    found = frequency(value, low, high, limit)
    assert found.low <= low * found.base + 1e-6
    assert found.high >= high * found.base - 1e-6
    assert found.low <= math.ceil(found.value)
    assert found.high >= math.floor(found.value)


@given(SHARES, SHARES, st.sampled_from([0.0005, 0.001, 0.01, 0.05, 0.5]))
def test_counts_lie_on_the_side_of_the_limit_on_which_the_shares_do(one, other, limit):
    low, high = sorted((one, other))
    found = frequency(high, low, high, limit)
    near = min(abs(low - limit), abs(high - limit)) < 2e-6  # no base tells these apart
    if not near:
        assert (found.low > found.limit) == (low > limit)
        assert (found.high <= found.limit) == (high <= limit)


def test_a_fine_limit_takes_a_larger_base():
    assert frequency(0.001, 0.0, 0.002, 0.0005).base == 10_000
    assert frequency(0.0502, 0.0501, 0.06, 0.05).base == 10_000
    assert frequency(0.001, 0.0, 0.002, 1 / 3).base == 1_000_000


@pytest.mark.parametrize("value", [None, -0.1, 1.5, 1e308, math.nan])
def test_what_is_no_share_has_no_count(value):
    assert frequency(value, None, None, None) is None
    assert frequency(0.5, None, value, None) is None or value is None


def test_without_bounds_there_are_none():
    assert people(0.5, None, None, None) == Frequency(1_000, 500.0, None, None, None)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0.001, (1, 1_000)),
        (0.01, (1, 100)),
        (0.005, (5, 1_000)),
        (0.1, (10, 100)),
        (1e-4, (1, 10_000)),
    ],
)
def test_rates_are_so_many_in_so_many(rate, expected):
    assert one_in(rate) == expected


@given(st.floats(1e-12, 0.499))
def test_any_rate_is_at_least_one_in_something(rate):
    number, base = one_in(rate)
    assert 1 <= number < base
