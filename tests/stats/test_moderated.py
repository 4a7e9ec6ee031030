"""Shrinking of variances against simulation and known limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from pytest_leakpro.stats.moderated import inverse_trigamma, moderate_variances, shrink_variances


@given(st.floats(1e-5, 1e6))
def test_inverse_trigamma(value):
    assert float(special.polygamma(1, inverse_trigamma(value))) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(("prior_dof", "dof"), [(4.0, 7), (20.0, 7), (8.0, 3)])
def test_recovers_the_prior(prior_dof, dof):
    # 20,000 variances: the estimate of d0 has a relative standard error below 4 %; five of them.
    rng = np.random.default_rng(0)
    prior_variance = 2.5
    true = prior_dof * prior_variance / rng.chisquare(prior_dof, 20_000)
    sample = true * rng.chisquare(dof, 20_000) / dof
    posterior, found_dof, found_variance = shrink_variances(sample, dof)
    assert found_dof == pytest.approx(prior_dof, rel=0.2)
    assert found_variance == pytest.approx(prior_variance, rel=0.05)
    # Shrunk estimates are nearer to the truth than the sample's own.
    error = np.mean(np.log(posterior / true) ** 2)
    assert error < 0.7 * np.mean(np.log(sample / true) ** 2)


def test_equal_variances_share_one_value():
    rng = np.random.default_rng(1)
    sample = 3.0 * rng.chisquare(7, 500) / 7
    posterior, prior_dof, prior_variance = shrink_variances(sample, 7)
    assert prior_dof > 50
    assert posterior == pytest.approx(np.full(500, 3.0), rel=0.25)
    assert prior_variance == pytest.approx(3.0, rel=0.1)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.integers(1, 20))
def test_always_finite_positive_and_between_the_extremes(values, dof):
    posterior, prior_dof, prior_variance = shrink_variances(np.array(values), dof)
    assert np.isfinite(posterior).all()
    assert (posterior > 0).all()
    assert prior_dof > 0
    assert prior_variance > 0
    assert not math.isnan(prior_dof)


def test_two_variances_are_too_few_for_a_prior_of_their_own():
    _, prior_dof, _ = shrink_variances(np.array([1.0, 100.0]), 5)
    assert prior_dof == math.inf


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.integers(1, 20))
def test_moderated_variances_keep_the_pooled_value(values, dof):
    posterior, prior_dof = moderate_variances(np.array(values), dof)
    assert (posterior > 0).all()
    assert np.isfinite(posterior).all()
    assert prior_dof >= 8
    # Shrinking towards the mean keeps the mean, up to the floor under zeros.
    assert posterior.mean() == pytest.approx(np.mean(values), rel=1e-3, abs=1e-6)


def test_with_many_observations_a_variance_is_its_own():
    rng = np.random.default_rng(3)
    true = 4 * 1.0 / rng.chisquare(4, 1000)
    sample = true * rng.chisquare(400, 1000) / 400
    posterior, _ = moderate_variances(sample, 400)
    assert np.corrcoef(np.log(posterior), np.log(true))[0, 1] > 0.98
