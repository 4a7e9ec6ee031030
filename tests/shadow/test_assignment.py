"""Which shadow model sees which record."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import LeakproError
from pytest_leakpro.shadow.assignment import Assignment, models_per_unit


@given(st.integers(1, 300), st.integers(4, 32), st.data())
def test_every_unit_is_in_equally_many_models_of_equal_size(n_units, n_models, data):
    n_in = data.draw(st.integers(1, n_models - 1))
    drawn = Assignment(n_units, n_models, n_in, seed=3)
    assert drawn.paired == (2 * n_in == n_models)
    assignment = np.stack(drawn)
    assert assignment.shape == (n_models, n_units)
    assert (assignment.sum(axis=0) == n_in).all()
    sizes = assignment.sum(axis=1)
    # All but the last, incomplete block of K units are spread evenly; pairs differ by one.
    uneven = n_units % 2 if drawn.paired else min(n_in, n_units % n_models, n_models - n_in)
    assert sizes.max() - sizes.min() <= uneven


def test_models_come_in_pairs_and_the_first_are_the_same_however_many_follow():
    few, many = np.stack(Assignment(51, 8, 4, 1)), np.stack(Assignment(51, 16, 8, 1))
    assert np.array_equal(few, many[:8])
    assert np.array_equal(few[::2], ~few[1::2])
    assert np.array_equal(np.stack(Assignment(51, 8, 4, 1, start=8)), many[8:])
    assert Assignment(51, 8, 4, 1).mark == Assignment(51, 16, 8, 1, start=16).mark
    assert len(np.unique(many[::2], axis=0)) == 8


def test_the_seed_and_nothing_else_decides():
    for n_in in (3, 4):
        drawn, again, other = (np.stack(Assignment(50, 8, n_in, seed)) for seed in (1, 1, 2))
        assert np.array_equal(drawn, again)
        assert not np.array_equal(drawn, other)
        marks = {Assignment(50, 8, n_in, seed).mark for seed in (1, 1, 2)}
        assert len(marks) == 2


@pytest.mark.parametrize("n_in", [4, 8])
def test_two_units_are_together_about_as_often_as_chance_has_it(n_in):
    # 16 models, half or a quarter in: a pair of units shares 4 or 1 on average.
    assignment = np.stack(Assignment(4000, 16, n_in, 0)).astype(float)
    shared = (assignment[:, :-1] * assignment[:, 1:]).sum(axis=0)
    assert abs(shared.mean() - n_in**2 / 16) < 0.1  # standard error 0.03 at most


@pytest.mark.parametrize("n_in", [3, 4])
def test_records_of_a_unit_stay_together_and_nothing_drawn_travels(n_in):
    codes = np.array([0, 1, 1, 2, 0, 49])
    drawn = Assignment(50, 8, n_in, 1, codes=codes)
    rows = np.stack(drawn)
    assert np.array_equal(rows, np.stack(Assignment(50, 8, n_in, 1))[:, codes])
    assert len(pickle.dumps(drawn)) < 1000
    assert np.array_equal(np.stack(pickle.loads(pickle.dumps(drawn))), rows)


@pytest.mark.parametrize(
    ("n_models", "share", "n_in"),
    [(16, 0.5, 8), (16, 0.9, 12), (16, 0.1, 4), (16, 0.7, 11), (4, 0.9, 2), (6, 0.5, 3)],
)
def test_the_share_comes_closest_to_the_target(n_models, share, n_in):
    assert models_per_unit(n_models, share) == n_in


def test_too_few_models():
    with pytest.raises(LeakproError, match="3 shadow models are too few"):
        models_per_unit(3, 0.5)
