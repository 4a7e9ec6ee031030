"""Exposure by rank, its bounds among sampled candidates, and what sizes decide."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.stats.exposure import (
    UNLEARNED,
    exposure_between,
    extrapolated_exposure,
    losses_ranked,
    rank_exposure,
)
from pytest_leakpro.stats.exposure_power import (
    cut_exponential,
    exposure_fail_chance,
    exposure_pass_chance,
)
from pytest_leakpro.stats.mean_bets import bet_p_value

A = 0.025
SPACE = 10**9
MOST = math.log2(SPACE)


def test_ranks_of_a_known_order():
    candidates = [1.0, 2.0, 2.0, 3.0]
    assert losses_ranked([0.5, 1.0, 2.0, 2.5, 9.0], candidates).tolist() == [1, 1.5, 3, 4, 5]
    own = losses_ranked([0.5, 9.0], [[1.0, 2.0, 3.0], [1.0, 9.0, 10.0]])
    assert own.tolist() == [1, 2.5]
    assert rank_exposure([1, 2, 4, 1024], 1024).tolist() == [10, 9, 8, 0]


@settings(max_examples=50)
@given(
    own=st.lists(st.integers(0, 9), min_size=1, max_size=10),
    others=st.lists(st.integers(0, 9), min_size=1, max_size=40),
)
def test_exposure_is_the_log_of_the_candidates_less_that_of_the_rank(own, others):
    ranks = losses_ranked(own, others)
    for loss, rank in zip(own, ranks, strict=True):
        everyone = stats.rankdata([loss, *others])  # ties share their ranks
        assert rank == everyone[0]
    bits = rank_exposure(ranks, len(others) + 1)
    np.testing.assert_allclose(bits, np.log2(len(others) + 1) - np.log2(ranks))
    rows = losses_ranked(own, np.tile(others, (len(own), 1)))
    assert rows.tolist() == ranks.tolist()
    # Only the order of losses counts.
    assert losses_ranked(np.exp(own), np.exp(others)).tolist() == ranks.tolist()


def test_a_model_that_finds_all_texts_alike_has_an_exposure_of_about_one():
    ranks = losses_ranked(np.zeros(20), np.zeros(999))
    np.testing.assert_allclose(rank_exposure(ranks, 1000), 1, atol=0.002)


def test_uniform_ranks_have_an_exposure_of_one_over_ln_2():
    every = rank_exposure(np.arange(1, 100_001), 100_000)
    assert every.mean() == pytest.approx(UNLEARNED, abs=1e-3)


@pytest.mark.parametrize("below", [0.0, 1e-6, 1e-3, 0.2, 0.9])
def test_each_bound_among_sampled_candidates_is_wrong_seldom_enough(below):
    """Summed over all counts: the chance that a bound is wrong is at most the error."""
    others, error = 999, 0.01
    true = MOST - math.log2(1 + below * (SPACE - 1))
    counts = np.arange(others + 1)
    smallest, largest = exposure_between(counts + 1, others + 1, SPACE, error)
    chances = stats.binom.pmf(counts, others, below)
    assert chances[smallest > true + 1e-9].sum() <= error
    assert chances[largest < true - 1e-9].sum() <= error
    assert (smallest <= largest).all()


def test_bounds_close_in_on_the_rank_with_more_candidates():
    widths = []
    for others in (100, 10_000, 1_000_000):
        smallest, largest = exposure_between([1 + 0.25 * others], others + 1, SPACE, 1e-3)
        assert smallest[0] < 2 < largest[0]
        widths.append(largest[0] - smallest[0])
    assert widths[0] > 5 * widths[1] > 25 * widths[2]
    ahead = exposure_between([1], 1001, SPACE, 1e-3)
    assert ahead[1][0] == MOST  # it may be ahead of all
    assert ahead[0][0] == pytest.approx(-math.log2(1 - 1e-3 ** (1 / 1000)), abs=1e-6)


def test_bounds_hold_where_all_canaries_share_their_candidates():
    """30 runs of 50 canaries of one rank: all at once wrong with a chance of at most A each.

    More than 5 of 30 has a chance below 1e-3.
    """
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(30):
        candidates = rng.random(2000)
        ranks = losses_ranked(np.full(50, 0.004), candidates)
        smallest, largest = exposure_between(ranks, 2001, SPACE, A / 50)
        wrong += not smallest[0] <= -math.log2(0.004) <= largest[0]
    assert wrong <= 5


def test_extrapolation_needs_a_law():
    rng = np.random.default_rng(5)
    candidates = rng.normal(100, 5, 20_000)
    bits, agreement = extrapolated_exposure([100.0, 70.0, -500.0], candidates, SPACE)
    assert bits[0] == pytest.approx(1, abs=0.05)
    assert bits[1] == pytest.approx(-stats.norm.logcdf(-6) / math.log(2), rel=0.1)
    assert bits[2] == MOST  # no more than a secret holds
    assert agreement > 0.1
    assert extrapolated_exposure([1.0], np.ones(50), SPACE) is None
    rows, _ = extrapolated_exposure([100.0, 70.0], np.stack([candidates, candidates]), SPACE)
    np.testing.assert_allclose(rows, bits[:2])


@given(mean=st.floats(0.05, 29.85))
def test_laws_that_are_planned_with_have_their_mean(mean):
    quantiles = cut_exponential(mean, MOST, (np.arange(4000) + 0.5) / 4000)
    assert quantiles.mean() == pytest.approx(mean, rel=2e-3, abs=1e-3)
    assert (np.diff(quantiles) >= 0).all()
    assert quantiles[0] >= 0
    assert quantiles[-1] <= MOST


@pytest.mark.parametrize(("limit", "size"), [(10.0, 14), (5.0, 38), (3.0, 96)])
def test_planned_chances_are_those_of_simulated_ranks(limit, size):
    """1,000 runs: a share beyond 4 standard errors (2.8 %) has a chance below 1e-4."""
    rng = np.random.default_rng(6)
    runs = rank_exposure(rng.integers(1, SPACE + 1, (1000, size)), SPACE)
    passed = np.mean([bet_p_value(MOST - run, MOST - limit) <= A for run in runs])
    assert passed == pytest.approx(exposure_pass_chance(size, limit, A, UNLEARNED, MOST), abs=0.03)
    assert passed >= 0.95


def test_more_leakage_fails_more_often_and_passes_less():
    fails = [exposure_fail_chance(30, 10.0, A, mean, MOST) for mean in (5, 12, 16, 20, 29)]
    passes = [exposure_pass_chance(100, 10.0, A, mean, MOST) for mean in (1.5, 6, 8, 12)]
    assert fails == sorted(fails)
    assert passes == sorted(passes, reverse=True)
    assert fails[-1] > 0.99 > 0.01 > fails[0]
    assert passes[0] > 0.99 > 0.01 > passes[-1]
