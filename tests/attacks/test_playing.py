"""Shadow models that play the target: who attacks them, and that counts tell nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import ShadowSignals
from pytest_leakpro.attacks.membership.playing import can_play, others, plays
from pytest_leakpro.shadow.assignment import Assignment


@given(
    st.integers(6, 13).flatmap(lambda k: st.tuples(st.just(k), st.integers(3, k - 3))),
    st.integers(0, 100),
    st.booleans(),
)
def test_each_record_loses_the_player_and_one_of_the_other_kind(sizes, seed, balanced):
    n_models, n_in = sizes
    rng = np.random.default_rng(seed)
    included = np.stack(Assignment(30, n_models, n_in, seed))
    if not balanced:  # three models stay with each record and three without
        included ^= (rng.uniform(size=included.shape) < 0.3) & (np.arange(n_models) >= 6)[:, None]
        included[:6] = rng.permuted(np.arange(6)[:, None] % 2 == np.zeros((1, 30)), axis=0)
    shadow = rng.normal(size=included.shape)
    for index in range(n_models):
        signals, inside = others(shadow, included, index)
        assert signals.shape == inside.shape == (n_models - 2, 30)
        assert np.array_equal(inside.sum(axis=0), included.sum(axis=0) - 1)
        for record in range(30):
            given, kept = (
                set(zip(values[:, record].tolist(), kinds[:, record].tolist(), strict=True))
                for values, kinds in ((shadow, included), (signals, inside))
            )
            left = given - kept
            assert (shadow[index, record], included[index, record]) in left
            assert {i for _, i in left} == {True, False}
            alone = others(shadow[:, [record]], included[:, [record]], index)
            assert np.array_equal(alone[0][:, 0], signals[:, record])


def test_of_a_pair_the_other_is_left_out():
    included = np.stack(Assignment(50, 8, 4, 0))
    shadow = np.arange(8.0)[:, None] * np.ones(50)
    for index, play in enumerate(plays(ShadowSignals(shadow, included), 5)):
        assert (play.target == index).all()
        assert np.array_equal(play.saw, included[index])
        assert set(play.shadow[:, 0]) == set(range(8)) - {index, index ^ 1}
    assert index == 4


@pytest.mark.parametrize(
    ("n_models", "n_in", "able"), [(4, 2, 0), (5, 2, 0), (6, 3, 1), (16, 2, 0)]
)
def test_who_can_play(n_models, n_in, able):
    included = np.stack(Assignment(20, n_models, n_in, 0))
    assert can_play(ShadowSignals(included * 1.0, included)) == bool(able)
