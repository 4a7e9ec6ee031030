"""The skew-normal law: tails beside closed forms and quadrature, fits beside what was drawn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats

from pytest_leakpro.stats.skew_normal import SkewNormal


@given(st.floats(-40, 6))
def test_without_skew_it_is_the_normal_law(t):
    law = SkewNormal(2.0, 3.0, 0.0)
    assert law.log_cdf(2 + 3 * t)[0] == pytest.approx(special.log_ndtr(t), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("t", [-5.0, -8.0, -20.0, -35.0])
def test_with_all_skew_to_the_left_the_tail_is_twice_a_normal_one(t):
    law = SkewNormal(0.0, 1.0, -40.0)
    assert law.log_cdf(t)[0] == pytest.approx(math.log(2) + special.log_ndtr(t), rel=1e-10)


@pytest.mark.parametrize("t", [-1.0, -3.0, -10.0])
def test_with_skew_one_it_is_the_larger_of_two_normal_numbers(t):
    """The larger of two independent N(0, 1) has shape 1: P(both at most t) is Phi(t) squared."""
    assert SkewNormal(0.0, 1.0, 1.0).log_cdf(t)[0] == pytest.approx(2 * special.log_ndtr(t))


@pytest.mark.parametrize("shape", [-5.0, 0.5, 3.0, 10.0])
@pytest.mark.parametrize("t", [-0.5, -1.5, -3.0, -4.5])
def test_tails_are_integrals_of_the_density(shape, t):
    def density(x):
        return 2 * math.exp(-x * x / 2 + special.log_ndtr(shape * x)) / math.sqrt(2 * math.pi)

    scale = density(t)
    if scale < 1e-250:
        return
    area = sum(
        integrate.quad(lambda x: density(x) / scale, low, high, epsabs=0, epsrel=1e-11)[0]
        for low, high in [(t - 8, t - 1), (t - 1, t - 0.1), (t - 0.1, t)]
    )
    expected = math.log(area) + math.log(scale)
    assert SkewNormal(0.0, 1.0, shape).log_cdf(t)[0] == pytest.approx(expected, rel=1e-7)


@settings(max_examples=50)
@given(st.floats(-30, 30), st.floats(-40, 10), st.floats(1e-3, 5))
def test_it_rises(shape, t, more):
    below, above = SkewNormal(0.0, 1.0, shape).log_cdf([t, t + more])
    assert below <= above + 1e-12
    assert above <= 0


# What a fit has of the draws is an error of its own. Over twelve other seeds its standard deviation
# was at most 0.7 % with so many draws (of shape 0, at 30 bits), so that one seed in 300 or so is
# beyond 2 %. With 100,000 draws it was 1.5 %.
@pytest.mark.parametrize("shape", [-4.0, 0.0, 3.0])
def test_drawn_losses_give_the_true_tail_in_bits(shape):
    rng = np.random.default_rng(2)
    drawn = stats.skewnorm.rvs(shape, loc=50, scale=6, size=400_000, random_state=rng)
    true = SkewNormal(50.0, 6.0, shape)
    law = SkewNormal.fit(drawn)
    # From a thousandth to far beyond what so many draws show.
    at = [quantile_at(true, bits) for bits in (10, 20, 30)]
    found = -law.log_cdf(at) / math.log(2)
    np.testing.assert_allclose(found, [10, 20, 30], rtol=0.02)
    assert law.agreement(drawn) > 0.1


def quantile_at(law, bits):
    def beyond(x):
        return -law.log_cdf(x)[0] / math.log(2) - bits

    return optimize.brentq(beyond, law.location - 40 * law.scale, law.location + law.scale)


@pytest.mark.parametrize("size", [3, 10, 100])
def test_a_fit_is_finite_whatever_it_is_given(size):
    rng = np.random.default_rng(size)
    for values in (rng.normal(size=size), rng.exponential(size=size), -rng.exponential(size=size)):
        law = SkewNormal.fit(values * 1e6 + 1e8)
        assert np.isfinite([law.location, law.scale, law.shape]).all()
        assert np.isfinite(law.log_cdf(values - 50)).all()
    assert SkewNormal.fit([1.0, 1.0, 1.0, 1.0]) is None
    assert SkewNormal.fit([1.0, 2.0]) is None


def test_what_it_is_given_scales_with_the_unit():
    values = np.random.default_rng(0).gumbel(size=500)
    one, other = SkewNormal.fit(values), SkewNormal.fit(1000 * values + 7)
    assert other.scale == pytest.approx(1000 * one.scale, rel=1e-4)
    np.testing.assert_allclose(one.log_cdf(values), other.log_cdf(1000 * values + 7), rtol=1e-3)


def test_what_has_two_peaks_does_not_agree():
    """Fixed seed: p is 4e-35; of 2,600 fits to what follows the law one had p below 0.1."""
    rng = np.random.default_rng(3)
    two = np.concatenate([rng.normal(0, 1, 500), rng.normal(8, 1, 500)])
    assert SkewNormal.fit(two).agreement(two) < 1e-3
