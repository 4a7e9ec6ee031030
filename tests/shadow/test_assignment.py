"""Which shadow model sees which record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import LeakproError
from pytest_leakpro.shadow.assignment import assign, models_per_unit


@given(st.integers(1, 300), st.integers(4, 32), st.data())
def test_every_unit_is_in_equally_many_models_of_equal_size(n_units, n_models, data):
    n_in = data.draw(st.integers(1, n_models - 1))
    assignment = assign(n_units, n_models, n_in, seed=3)
    assert assignment.shape == (n_models, n_units)
    assert (assignment.sum(axis=0) == n_in).all()
    sizes = assignment.sum(axis=1)
    # All but the last, incomplete block of K units are spread evenly.
    assert sizes.max() - sizes.min() <= min(n_in, n_units % n_models, n_models - n_in)


def test_the_seed_and_nothing_else_decides():
    assert np.array_equal(assign(50, 8, 4, 1), assign(50, 8, 4, 1))
    assert not np.array_equal(assign(50, 8, 4, 1), assign(50, 8, 4, 2))


def test_two_units_are_together_about_as_often_as_chance_has_it():
    # 16 models, 8 in: a pair of other blocks shares 4 on average, one of the same block 56/15.
    assignment = assign(4000, 16, 8, 0).astype(float)
    shared = (assignment[:, :-1] * assignment[:, 1:]).sum(axis=0)
    assert abs(shared.mean() - 4) < 0.1  # standard error 0.016


@pytest.mark.parametrize(
    ("n_models", "share", "n_in"),
    [(16, 0.5, 8), (16, 0.9, 12), (16, 0.1, 4), (16, 0.7, 11), (4, 0.9, 2), (6, 0.5, 3)],
)
def test_the_share_comes_closest_to_the_target(n_models, share, n_in):
    assert models_per_unit(n_models, share) == n_in


def test_too_few_models():
    with pytest.raises(LeakproError, match="3 shadow models are too few"):
        models_per_unit(3, 0.5)
