"""What of a forecast's error is trend, season and rest: known series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_leakpro.stats.forecast_errors import (
    error_blocks,
    error_parts,
    log_losses,
    n_blocks,
    n_losses,
    series_spread,
)

TIME = np.arange(12)


def test_a_line_is_all_trend_and_a_repeated_pattern_all_season():
    line = (3 - 0.5 * TIME)[None]
    whole = np.array([[np.mean(line**2)], [0.0], [0.0]])
    assert error_parts(line, 4) == pytest.approx(whole, abs=1e-12)
    pattern = np.tile([1.0, -1.0, -1.0, 1.0], 3)[None]
    trend, season, rest = error_parts(pattern, 4)
    assert (trend, season, rest) == (pytest.approx(0), pytest.approx(1), pytest.approx(0))
    assert error_parts(pattern, None) == pytest.approx(np.array([[0.0], [1.0]]), abs=1e-12)


@settings(deadline=None)
@given(
    arrays(float, (3, 10), elements=st.floats(-1e3, 1e3)),
    st.sampled_from([None, 2, 3, 5]),
)
def test_the_parts_add_up_to_the_squared_error(errors, season):
    trend, *others = error_parts(errors, season)
    line = np.stack([np.polynomial.Polynomial.fit(range(10), e, 1)(np.arange(10)) for e in errors])
    assert trend == pytest.approx(np.mean(line**2, axis=1), abs=1e-6)
    left = np.mean(errors**2, axis=1) - trend
    # Where phases are of unequal size, horizons count alike, and the means still are projections.
    assert np.sum(others, axis=0) == pytest.approx(left, abs=1e-6)


def test_horizons_are_averaged_in_blocks():
    errors = np.arange(24.0).reshape(2, 12)
    assert np.array_equal(error_blocks(errors, 12), errors)
    assert np.array_equal(error_blocks(errors, 99), errors)
    assert np.array_equal(error_blocks(errors, 4), errors.reshape(2, 4, 3).mean(axis=2))
    assert error_blocks(errors, 1)[:, 0] == pytest.approx(errors.mean(axis=1))
    assert error_blocks(errors, 5).shape == (2, n_blocks(12, 5))
    assert error_blocks(errors, 5)[0] == pytest.approx([0.5, 2.5, 5.0, 7.5, 10.0])


def test_the_scale_of_a_series_is_its_mean_step():
    truth = np.array([[0.0, 2.0, 1.0], [5.0, 5.0, 5.0]])
    assert np.array_equal(series_spread(truth), [1.5, 1.0])


@pytest.mark.parametrize("season", [None, 2])
@pytest.mark.parametrize("d", [2, 4, 9])
def test_losses_are_logarithms_and_finite(d, season):
    rng = np.random.default_rng(0)
    truth, forecast = rng.normal(size=(2, 5, d))
    forecast[0] = truth[0]
    losses = log_losses(truth, forecast, season)
    assert losses.shape == (n_losses(season), 5)
    assert np.isfinite(losses).all()
    errors = forecast - truth
    assert losses[0, 1:] == pytest.approx(np.log(np.mean(errors[1:] ** 2, axis=1)))
    scaled = np.abs(errors).mean(axis=1) / np.abs(np.diff(truth, axis=1)).mean(axis=1)
    assert losses[1, 1:] == pytest.approx(np.log(scaled[1:]))
    assert (losses[:, 0] < -40).all()
    # Each record's follow from it alone.
    assert np.array_equal(log_losses(truth[1:], forecast[1:], season), losses[:, 1:])


def test_two_horizons_leave_no_rest():
    truth, forecast = np.random.default_rng(0).normal(size=(2, 5, 2))
    other = log_losses(truth, forecast + 1, None)
    assert np.array_equal(log_losses(truth, forecast, None)[-1], other[-1])
