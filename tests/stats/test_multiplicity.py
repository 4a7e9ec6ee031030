"""Holm's procedure against its definition by adjusted p-values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.stats.multiplicity import holm_levels

ERROR = 0.025


def adjusted(p_values):
    """Holm's adjusted p-values, as textbooks define them."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, largest = [0.0] * len(p_values), 0.0
    for step, place in enumerate(order):
        largest = max(largest, (len(p_values) - step) * p_values[place])
        found[place] = largest
    return found


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_levels_reject_what_adjusted_p_values_reject(p_values):
    for p, level, whole in zip(
        p_values, holm_levels(p_values, ERROR), adjusted(p_values), strict=True
    ):
        # On the very border the two differ by rounding.
        if abs(whole - ERROR) > 1e-9:
            assert (p <= level) == (whole <= ERROR)


@pytest.mark.parametrize(
    ("p_values", "shares"),
    [
        ([0.5], [1]),
        ([0.5, 0.9], [2, 2]),
        ([0.006, 0.012, 0.9], [3, 2, 1]),  # the last is tested at all that is left, and is kept
        ([0.9, 0.012, 0.006], [1, 2, 3]),
        ([0.009, 0.001, 0.02], [2, 3, 1]),
        ([0.009, 0.0001, 0.02, 0.5], [3, 4, 3, 3]),
    ],
)
def test_each_is_tested_at_what_those_before_left(p_values, shares):
    assert holm_levels(p_values, ERROR) == pytest.approx([ERROR / share for share in shares])
