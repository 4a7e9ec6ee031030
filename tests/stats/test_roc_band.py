"""The band around a ROC curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.stats.roc import decimate, roc_points
from pytest_leakpro.stats.roc_band import roc_band

RATES = np.geomspace(1e-3, 0.9, 25)


def counts(members, nonmembers, most=100):
    fpr, tpr = roc_points(members, nonmembers)
    chosen = decimate(fpr, most)
    x, y = fpr[chosen] * len(nonmembers), tpr[chosen] * len(members)
    return x.round().astype(int), y.round().astype(int)


@pytest.mark.parametrize(("m", "n", "shift"), [(200, 200, 1.0), (50, 1000, 0.0), (1000, 60, 0.5)])
def test_the_band_holds_the_true_curve_at_each_rate(m, n, shift):
    """At 25 rates; false alarms in about one run of 10^6.

    Of 400 repetitions misses stay within the 1 - 10^-8 quantile of Bin(400, 2.5 %), on each side.
    """
    rng, repetitions = np.random.default_rng(0), 400
    true = stats.norm.cdf(stats.norm.ppf(RATES) + shift)
    above, below = np.zeros(len(RATES)), np.zeros(len(RATES))
    for _ in range(repetitions):
        low, high = roc_band(
            *counts(rng.normal(shift, 1, m), rng.normal(0, 1, n)), RATES, error=0.05
        )
        above += low > true + 1e-12
        below += high < true - 1e-12
    most = stats.binom.ppf(1 - 1e-8, repetitions, 0.025)
    assert above.max() <= most
    assert below.max() <= most


def test_the_band_closes_in_on_the_curve():
    """Of typical scores: the widest part of the band shrinks with the root of the sizes."""
    widths = []
    for size in (500, 8000):
        quantiles = stats.norm.ppf((np.arange(size) + 0.5) / size)
        low, high = roc_band(*counts(quantiles + 1, quantiles, most=10_000), RATES, 0.05)
        widths.append((high - low).max())
    assert widths[1] < 0.07
    assert 3 < widths[0] / widths[1] < 6


scores = st.lists(st.integers(-3, 3), min_size=10, max_size=60)


@settings(max_examples=60, deadline=None)
@given(scores, scores, st.sampled_from([0.05, 0.2]))
def test_the_band_contains_the_curve_and_rises(members, nonmembers, error):
    x, y = counts(np.array(members), np.array(nonmembers))
    low, high = roc_band(x, y, RATES, error)
    curve = np.interp(RATES * x[-1], x, y) / y[-1]
    assert (low <= curve + 1e-12).all()
    assert (high >= curve - 1e-12).all()
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (np.diff(low) >= -1e-12).all()
    assert (np.diff(high) >= -1e-12).all()


def test_points_that_are_left_out_never_narrow_the_band():
    rng = np.random.default_rng(1)
    members, nonmembers = rng.normal(1, 1, 900), rng.normal(0, 1, 700)
    low, high = roc_band(*counts(members, nonmembers, most=10_000), RATES, 0.05)
    wider_low, wider_high = roc_band(*counts(members, nonmembers), RATES, 0.05)
    assert (wider_low <= low + 1e-12).all()
    assert (wider_high >= high - 1e-12).all()
    assert (wider_high - wider_low).max() < (high - low).max() + 0.05


def test_equal_scores_leave_the_attacker_guessing():
    """The upper bound follows the diagonal; the lower counts nobody who is tied."""
    _, high = roc_band(np.array([0, 2000]), np.array([0, 1000]), RATES, 0.05)
    assert (high >= RATES).all()
    assert (high <= RATES + 0.1).all()


def test_scores_that_lie_apart():
    """All members above all non-members: at rates that can be bounded the lower bound is high.

    In closed form: Clopper and Pearson's bound for 0 misses of 400 at an error of 2.5 % is 0.0092,
    and a rule of two ranks spends part of the error on them.
    """
    low, high = roc_band(np.array([0, 0, 500]), np.array([0, 400, 400]), RATES, 0.05)
    assert (high == 1).all()
    assert (low[RATES > 12 / 500] > 1 - 2 * 0.0092).all()
