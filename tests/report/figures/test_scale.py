"""From where to where axes go, and their ticks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.report.figures.scale import (
    linear_span,
    log_span,
    nice_steps,
    powers,
    suits_logarithm,
)

number = st.floats(-1e12, 1e12)


@given(st.lists(number, min_size=1, max_size=5), st.sampled_from([None, 0.0, 0.5]))
def test_a_span_holds_its_values_and_has_ticks(values, base):
    low, high = linear_span(values, base)
    assert low <= min(values)
    assert max(values) <= high
    assert base is None or low <= base <= high
    steps = nice_steps((low, high), 5)
    assert 1 <= len(steps) <= 5
    assert all(low - 1e-9 * (high - low) <= step <= high + 1e-9 * (high - low) for step in steps)


@pytest.mark.parametrize(
    ("span", "steps"),
    [
        ((0, 1), [0, 0.25, 0.5, 0.75, 1]),
        ((0, 0.043), [0, 0.01, 0.02, 0.03, 0.04]),
        ((0.84, 0.92), [0.84, 0.86, 0.88, 0.9, 0.92]),
        ((-3, 12), [0, 5, 10]),
    ],
)
def test_steps_are_round(span, steps):
    assert nice_steps(span, 5) == pytest.approx(steps)


@given(st.lists(st.floats(1e-9, 1e6), min_size=1, max_size=5))
def test_powers_of_ten_hold_their_values(values):
    low, high = log_span(values)
    assert low <= min(values) * (1 + 1e-6)
    assert max(values) <= high * (1 + 1e-6)
    places = powers((low, high))
    assert 1 <= len(places) <= 6
    assert all(math.isclose(math.log10(place) % 1, 0, abs_tol=1e-9) for place in places)


def test_a_logarithm_suits_what_lies_far_apart():
    assert suits_logarithm([0.001, 0.5])
    assert not suits_logarithm([0.1, 0.5])
    assert not suits_logarithm([0.0, 0.0])
