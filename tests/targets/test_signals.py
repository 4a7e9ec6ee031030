from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.signals import ClassSignals, RegressionSignals


def matrices(low, high, min_columns=1):
    shapes = st.tuples(st.integers(1, 6), st.integers(min_columns, 5))
    return shapes.flatmap(
        lambda shape: arrays(float, shape, elements=st.floats(low, high, allow_subnormal=False))
    )


def zeros(values):
    return np.zeros(len(values), dtype=np.intp)


@settings(deadline=None)
@given(matrices(-1e5, 1e5))
def test_logits_give_probabilities(logits):
    signals = ClassSignals.from_logits(zeros(logits), logits)
    assert np.isfinite(signals.log_probabilities).all()
    assert np.isfinite(signals.log_complements).all()
    total = np.exp(signals.log_probabilities).sum(axis=1)
    np.testing.assert_allclose(total, 1, atol=1e-9)
    both = np.exp(signals.log_probabilities) + np.exp(signals.log_complements)
    np.testing.assert_allclose(both, 1, atol=1e-12)


@settings(deadline=None)
@given(matrices(0, 1))
def test_probabilities_give_probabilities(values):
    if values.shape[1] > 1:
        values = values + 1e-3
        values /= values.sum(axis=1, keepdims=True)
        wanted = values
    else:
        wanted = np.hstack([1 - values, values])
    signals = ClassSignals.from_probabilities(zeros(values), values)
    assert np.isfinite(signals.log_probabilities).all()
    assert np.isfinite(signals.log_complements).all()
    np.testing.assert_allclose(np.exp(signals.log_probabilities), wanted, atol=1e-12)
    np.testing.assert_allclose(np.exp(signals.log_complements), 1 - wanted, atol=1e-12)


@settings(deadline=None)
@given(matrices(-30, 30, min_columns=2))
def test_both_ways_agree(logits):
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    one = ClassSignals.from_logits(zeros(logits), logits)
    two = ClassSignals.from_probabilities(zeros(logits), probabilities)
    np.testing.assert_allclose(one.log_odds, two.log_odds, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(arrays(float, st.integers(1, 9), elements=st.floats(-1e6, 1e6)))
def test_a_single_logit_is_the_log_odds_exactly(z):
    column = z[:, None]
    for label, sign in ((1, 1), (0, -1)):
        labels = np.full(len(z), label, dtype=np.intp)
        signals = ClassSignals.from_logits(labels, column)
        np.testing.assert_array_equal(signals.true_log_odds, sign * z)
        np.testing.assert_array_equal(signals.negative_loss, signals.true_log_odds)


def test_no_resolution_is_lost_near_one():
    tails = 10.0 ** -np.arange(1, 250)
    probabilities = np.column_stack([1 - tails, tails / 2, tails / 2])
    signals = ClassSignals.from_probabilities(zeros(tails), probabilities)
    assert (np.diff(signals.true_log_odds) > 0).all()
    np.testing.assert_allclose(signals.log_complements[:, 0], np.log(tails), rtol=1e-12)

    z = np.arange(0.0, 5000.0, 10.0)
    logits = np.column_stack([z, 0 * z, 0 * z])
    signals = ClassSignals.from_logits(zeros(z), logits)
    assert (np.diff(signals.true_log_odds) > 0).all()
    np.testing.assert_allclose(signals.true_log_odds, z - np.log(2), atol=1e-12)


def test_the_order_is_that_of_the_loss():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, size=200)
    signals = ClassSignals.from_logits(labels, rng.normal(size=(200, 4)) * 3)
    loss = -signals.log_probabilities[np.arange(200), labels]
    np.testing.assert_array_equal(np.argsort(-loss), np.argsort(signals.negative_loss))


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_probabilities_are_clipped(p):
    signals = ClassSignals.from_probabilities(np.array([0]), np.array([[p, 1 - p]]))
    assert abs(signals.true_log_odds[0]) == pytest.approx(300 * np.log(10))
    assert signals.log_probabilities.min() == pytest.approx(-300 * np.log(10))


def test_logits_at_the_end_of_the_range_stay_finite():
    big = np.finfo(float).max
    logits = np.array([[big, -big, 0.0], [-big, -big, big], [big, big, big]])
    with np.errstate(all="raise", under="ignore"):
        signals = ClassSignals.from_logits(zeros(logits), logits)
        assert np.isfinite(signals.log_odds).all()
        assert np.isfinite(signals.log_probabilities).all()
        assert np.isfinite(signals.log_complements).all()


def test_they_are_frozen_and_show_their_shape_only():
    signals = ClassSignals.from_logits(np.array([0, 1]), np.array([[8.125], [9.375]]))
    assert repr(signals) == "ClassSignals(2, n_classes=2)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        signals.labels = np.array([1])
    regression = RegressionSignals(np.array([[8.125]]), np.array([[9.375]]))
    assert repr(regression) == "RegressionSignals(1, outputs=1)"


def test_some_can_be_taken():
    signals = ClassSignals.from_logits(np.array([0, 1, 1]), np.array([[1.0], [2.0], [3.0]]))
    assert signals.take(np.array([2, 0])).true_log_odds.tolist() == [3.0, -1.0]
    assert len(signals.take(np.array([True, False, False]))) == 1
    regression = RegressionSignals(np.zeros((3, 2)), np.array([[1.0, 1.0], [2, 2], [3, 5]]))
    assert regression.squared_errors.tolist() == [1.0, 4.0, 17.0]
    assert regression.take(np.array([2])).negative_loss.tolist() == [-17.0]


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(LeakproError, match="class signals"):
        ClassSignals(np.array([0, 1]), np.zeros((3, 2)))
    with pytest.raises(LeakproError, match="class signals"):
        ClassSignals(np.array([0, 1]), np.zeros((2, 1)))
    with pytest.raises(LeakproError, match="regression signals"):
        RegressionSignals(np.zeros(3), np.zeros(3))
    with pytest.raises(LeakproError, match="regression signals"):
        RegressionSignals(np.zeros((3, 1)), np.zeros((3, 2)))
