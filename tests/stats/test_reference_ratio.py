"""RMIA against the paper's equations, written plainly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.stats.reference_ratio import (
    choose_offline_a,
    log_ratio,
    pair_share,
    reference_log_probability,
)


def drawn(seed, n_models=9, n=50):
    rng = np.random.default_rng(seed)
    included = np.array([rng.permutation(n_models) < n_models // 2 for _ in range(n)]).T
    p = 1 / (1 + np.exp(-(rng.normal(size=n) + included * 1.0 + rng.normal(size=(n_models, n)))))
    return np.log(p), included, rng


@pytest.mark.parametrize("a", [None, 0.3, 1.0])
def test_parity_with_the_equations(a):
    log_p, included, rng = drawn(0)
    target = np.log(rng.uniform(size=50))
    expected = []
    for j in range(50):
        p = [math.exp(value) for value in log_p[:, j]]
        p_in = np.mean([v for v, i in zip(p, included[:, j], strict=True) if i])
        p_out = np.mean([v for v, i in zip(p, included[:, j], strict=True) if not i])
        p_x = (p_in + p_out) / 2 if a is None else ((1 + a) * p_out + (1 - a)) / 2
        expected.append(math.log(math.exp(target[j]) / p_x))
    reference = reference_log_probability(log_p, included, offline_a=a)
    assert log_ratio(target, reference) == pytest.approx(expected, abs=1e-6)


def test_tiny_probabilities_do_not_vanish():
    log_p = np.full((4, 2), -690.0)
    included = np.array([[True, True], [True, True], [False, False], [False, False]])
    assert reference_log_probability(log_p, included) == pytest.approx([-690.0, -690.0])
    assert reference_log_probability(log_p, included, offline_a=1.0) == pytest.approx([-690.0] * 2)


def test_without_a_correction_the_offline_reference_is_what_the_out_models_give():
    # About the resolution of 1 a sum with 1 - a would round to nothing, or to twice the value.
    log_p = np.log(np.geomspace(1e-300, 1, 2000))[None]
    found = reference_log_probability(log_p, np.zeros(log_p.shape, bool), offline_a=1.0)
    assert found == pytest.approx(log_p[0], abs=1e-12)


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    st.sampled_from([1.0, math.e, math.e**2]),
)
def test_pairs_are_counted_exactly_with_ties(x, z, gamma):
    share = pair_share(np.array(x, float), np.array(z, float), gamma)
    expected = [np.mean([v - w >= math.log(gamma) - 1e-12 for w in z]) for v in x]
    assert share == pytest.approx(expected)


def test_the_correction_is_tuned_without_the_target():
    log_p, included, _ = drawn(1, 9, 400)
    assert 0 < choose_offline_a(log_p, included) <= 1
    assert choose_offline_a(log_p, included, [0.4]) == 0.4


def test_bad_input():
    log_p, included, _ = drawn(2)
    with pytest.raises(ValueError, match="offline_a"):
        reference_log_probability(log_p, included, offline_a=0.0)
    with pytest.raises(ValueError, match="gamma"):
        pair_share(log_p[0], log_p[0], 0.5)
    with pytest.raises(ValueError, match="50 "):
        reference_log_probability(log_p, np.zeros_like(included))
