"""Bounds on epsilon from one run: closed forms, and mechanisms whose epsilon is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from pytest_leakpro.stats.gaussian_audit import (
    gaussian_lower,
    gaussian_p_value,
    gaussian_power,
    split_counts,
)
from pytest_leakpro.stats.one_run import (
    curve_p_value,
    guess_accuracy,
    guess_plan,
    guesses_for,
    lower_epsilon,
    one_run_p_value,
    p_value_at,
    power,
    refutes,
    refuting_count,
)
from pytest_leakpro.stats.privacy_curves import (
    approximate_curve,
    gaussian_curve,
    gaussian_delta,
    gaussian_epsilon,
    gaussian_mu,
)

DELTA = 1e-5


def response(rng, epsilon, n, runs):
    """Right guesses of randomised response, in each of several runs."""
    return rng.binomial(n, 1 / (1 + math.exp(-epsilon)), size=runs)


def gaussian_scores(rng, epsilon, n):
    included = rng.random(n) < 0.5
    return rng.normal(size=n) + gaussian_mu(epsilon, DELTA) * included, included


def right_of(scores, included, guesses):
    order, half = np.argsort(scores), guesses // 2
    return int(included[order[-half:]].sum() + (~included[order[:half]]).sum())


@given(st.floats(0.05, 10), st.floats(1e-9, 0.1))
@settings(max_examples=40)
def test_epsilon_and_mu_of_the_gaussian_mechanism_are_inverse(epsilon, delta):
    mu = gaussian_mu(epsilon, delta)
    assert gaussian_epsilon(mu, delta) == pytest.approx(epsilon, rel=1e-6)
    # Balle and Wang (2018), theorem 8, written out.
    exact = norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu)
    assert gaussian_delta(mu, epsilon) == pytest.approx(exact, rel=1e-6, abs=1e-13)


def test_the_delta_of_no_noise_and_of_nothing():
    assert gaussian_delta(0.0, 1.0) == 0
    assert gaussian_delta(50.0, 1.0) == pytest.approx(1)
    assert gaussian_epsilon(0.0, DELTA) == 0
    assert gaussian_epsilon(1e-9, DELTA) == 0


@given(st.floats(0, 5), st.floats(0, 0.5), st.floats(0, 1))
@settings(max_examples=60)
def test_a_curve_is_what_a_test_cannot_beat(epsilon, delta, tpr):
    fpr = approximate_curve(epsilon, delta)(tpr)
    assert 0 <= fpr <= tpr + 1e-12
    assert tpr <= math.exp(epsilon) * fpr + delta + 1e-9
    assert 1 - fpr <= math.exp(epsilon) * (1 - tpr) + delta + 1e-9
    mu = epsilon / 2
    assert gaussian_curve(mu)(tpr) == pytest.approx(
        norm.cdf(norm.ppf(tpr) - mu) if 0 < tpr < 1 else tpr
    )


@given(st.integers(10, 300), st.floats(0.0, 1.0), st.floats(0, 4))
@settings(max_examples=60)
def test_without_delta_it_is_the_binomial_tail(n, share, epsilon):
    right = round(share * n)
    exact = float(binom.sf(right - 1, n, 1 / (1 + math.exp(-epsilon))))
    assert one_run_p_value(right, n, 2 * n, epsilon, 0.0) == pytest.approx(exact)
    # The other method is of the same law, and never on the wrong side of it.
    assert curve_p_value(right, n, n, approximate_curve(epsilon, 0.0)) >= exact * (1 - 1e-9)


def test_the_lift_of_delta_is_that_of_the_paper():
    """Steinke et al. (2023), appendix D, as a plain loop."""
    right, guesses, canaries, epsilon = 470, 500, 10_000, 2.0
    share = 1 / (1 + math.exp(-epsilon))
    alpha = total = 0.0
    for step in range(1, right + 1):
        total += binom.pmf(right - step, guesses, share)
        alpha = max(alpha, total / step)
    wanted = binom.sf(right - 1, guesses, share) + 2 * canaries * DELTA * alpha
    assert one_run_p_value(right, guesses, canaries, epsilon, DELTA) == pytest.approx(wanted)


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 4.0])
def test_randomised_response_keeps_its_epsilon(epsilon):
    """The bound errs in at most 2.5 % of 500 runs; 24 or more have probability below 1e-3."""
    rng = np.random.default_rng(0)
    for delta in (0.0, DELTA):
        bounds = [
            lower_epsilon(int(right), 300, 300, delta, 0.025)
            for right in response(rng, epsilon, 300, 500)
        ]
        assert sum(bound > epsilon for bound in bounds) < 24
        assert np.mean(bounds) > 0.4 * epsilon


@pytest.mark.parametrize("epsilon", [1.0, 4.0])
def test_the_gaussian_mechanism_keeps_its_epsilon(epsilon):
    """As above, 200 runs: 14 or more have probability of below 1e-3."""
    rng = np.random.default_rng(1)
    n = 1000
    guesses = guesses_for(n, epsilon / 2, epsilon, DELTA)
    wrong = wrong_gaussian = 0
    for _ in range(200):
        scores, included = gaussian_scores(rng, epsilon, n)
        right = right_of(scores, included, guesses)
        wrong += lower_epsilon(right, guesses, n, DELTA, 0.025) > epsilon
        counts = split_counts(scores[included], scores[~included], 0)
        wrong_gaussian += gaussian_p_value(counts, epsilon, DELTA) <= 0.025
    assert wrong < 14
    assert wrong_gaussian < 14


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1.0, 2.0, 4.0, 8.0])
def test_no_mechanism_is_refuted_more_often_than_it_may(epsilon):
    """500 runs each of plain and subsampled Gaussian: 24 or more have probability below 1e-3.

    The subsampled one inserts a canary with probability 1/2 only where it is included, which keeps
    the epsilon of the plain one.
    """
    rng = np.random.default_rng(2)
    n = 2000
    guesses = guesses_for(n, epsilon / 2, epsilon, DELTA)
    for rate in (1.0, 0.5):
        wrong = wrong_gaussian = 0
        for _ in range(500):
            included = rng.random(n) < 0.5
            there = included & (rng.random(n) < rate)
            scores = rng.normal(size=n) + gaussian_mu(epsilon, DELTA) * there
            right = right_of(scores, included, guesses)
            wrong += lower_epsilon(right, guesses, n, DELTA, 0.025) > epsilon
            counts = split_counts(scores[included], scores[~included], 0)
            wrong_gaussian += gaussian_p_value(counts, epsilon, DELTA) <= 0.025
        assert wrong < 24
        assert wrong_gaussian < 24


@pytest.mark.parametrize(
    ("epsilon", "least", "least_gaussian"),
    [(1.0, 0.35, 0.5), (2.0, 0.81, 1.4), (4.0, 1.88, 3.2), (8.0, 3.73, 7.0)],
)
def test_bounds_of_ten_thousand_canaries_reach_those_that_are_published(
    epsilon, least, least_gaussian
):
    """Steinke et al. (2023) for the bound without assumptions; means of 20 runs, fixed seed."""
    rng = np.random.default_rng(3)
    n = 10_000
    guesses = guesses_for(n, epsilon / 2, epsilon, DELTA)
    bounds, gaussian = [], []
    for _ in range(20):
        scores, included = gaussian_scores(rng, epsilon, n)
        right = right_of(scores, included, guesses)
        bounds.append(lower_epsilon(right, guesses, n, DELTA, 0.025))
        counts = split_counts(scores[included], scores[~included], 0)
        gaussian.append(gaussian_lower(counts, DELTA, 0.025))
    assert np.mean(bounds) >= least
    assert np.mean(gaussian) >= least_gaussian


@pytest.mark.parametrize(("epsilon", "least"), [(4.0, 2.0), (8.0, 5.5)])
def test_a_thousand_canaries_do_where_a_gaussian_is_assumed(epsilon, least):
    rng = np.random.default_rng(4)
    found = []
    for _ in range(20):
        scores, included = gaussian_scores(rng, epsilon, 1000)
        counts = split_counts(scores[included], scores[~included], 0)
        found.append(gaussian_lower(counts, DELTA, 0.025))
    assert np.mean(found) >= least


@given(st.integers(20, 400), st.integers(0, 400), st.floats(0, 3))
@settings(max_examples=30)
def test_the_bound_is_where_the_test_turns(guesses, right, delta_power):
    guesses -= guesses % 2
    right = min(right, guesses)
    delta = 10.0 ** -(3 + delta_power)
    bound = lower_epsilon(right, guesses, 1000, delta, 0.025)
    if bound > 0:
        assert p_value_at(right, guesses, 1000, bound * 0.999, delta) <= 0.025
    assert p_value_at(right, guesses, 1000, bound + 0.01, delta) > 0.025


def test_power_is_how_often_it_is_refuted():
    """400 runs: the share lies within 4 standard errors of what is said."""
    rng = np.random.default_rng(5)
    n, limit, true = 2000, 1.0, 4.0
    said = power(n, limit, true, DELTA, 0.025)
    guesses = guesses_for(n, limit, true, DELTA)
    needed = refuting_count(guesses, n, limit, DELTA, 0.025)
    hits = accuracy = 0.0
    for _ in range(400):
        scores, included = gaussian_scores(rng, true, n)
        right = right_of(scores, included, guesses)
        hits += right >= needed
        accuracy += right / guesses
    assert hits / 400 == pytest.approx(said, abs=4 * math.sqrt(0.25 / 400))
    assert accuracy / 400 == pytest.approx(guess_accuracy(guesses, n, true, DELTA), abs=0.01)


@given(st.integers(20, 3000), st.floats(0.1, 12), st.sampled_from([0.0, DELTA]))
@settings(max_examples=30, deadline=None)
def test_the_plan_of_guesses_spends_the_error_once(n, epsilon, delta):
    plan = guess_plan(n, epsilon, 2 * epsilon, delta)
    assert sum(share for _, share in plan) == pytest.approx(1)
    assert all(0 < guesses <= n and guesses % 2 == 0 for guesses, _ in plan)


@given(st.integers(20, 400), st.floats(0.5, 1), st.floats(0, 4), st.floats(1e-6, 0.3))
@settings(max_examples=60, deadline=None)
def test_what_is_refuted_in_one_step_has_that_p_value(guesses, share, epsilon, error):
    right = round(share * guesses)
    p_value = p_value_at(right, guesses, 500, epsilon, DELTA)
    for level in (0.999 * p_value, error):
        if abs(level / p_value - 1) > 1e-6:
            assert refutes(right, guesses, 500, epsilon, DELTA, level) == (p_value <= level)


def test_power_where_a_gaussian_is_assumed():
    rng = np.random.default_rng(6)
    said = gaussian_power(500, 500, 1.0, 2.0, DELTA, 0.025)
    hits = 0
    for _ in range(200):
        scores, included = gaussian_scores(rng, 2.0, 1000)
        counts = split_counts(scores[included], scores[~included], 0)
        hits += gaussian_p_value(counts, 1.0, DELTA) <= 0.025
    assert hits / 200 == pytest.approx(said, abs=0.15)  # a plan, by a normal law


def test_the_accountant_of_dp_accounting_agrees():
    dp_accounting = pytest.importorskip("dp_accounting")
    from dp_accounting.pld import PLDAccountant

    for noise in (0.5, 1.0, 4.0):
        accountant = PLDAccountant()
        accountant.compose(dp_accounting.GaussianDpEvent(noise))
        wanted = accountant.get_epsilon(DELTA)
        assert gaussian_epsilon(1 / noise, DELTA) == pytest.approx(wanted, rel=1e-3)
