"""Baselines of reconstructions: guesses that saw no update."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.attacks.federated.blind_guess import (
    likely_label_hits,
    likely_labels,
    typical_record,
)
from pytest_leakpro.attacks.federated.quality import assigned, label_hits, qualities
from tests.attacks.federated.clients import IMAGES, POPULATION, Y, digits, perceptron, update_of


def view(n, **knowledge):
    return update_of(perceptron(), digits(n), **knowledge).prepare(0)[0].view


@pytest.mark.parametrize("first", [0, 3, 6])
def test_it_does_not_matter_which_classes_stand_first(first):
    """Four guesses over ten classes alike hit a class that is there four times in ten."""
    hits = likely_label_hits(view(4), np.arange(first, first + 4))
    np.testing.assert_allclose(hits, 0.4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_hits_are_those_of_the_guess_on_average(labels):
    """With the population's proportions, which have no ties, there is one guess."""
    truth = np.array(labels)
    given_ = view(len(labels), population=POPULATION)
    counts = np.bincount(POPULATION[1], minlength=10) * len(labels) / len(POPULATION[1])
    if len(np.unique(np.round(counts % 1, 9))) < 10:
        return
    expected = label_hits(truth, likely_labels(given_)).sum()
    assert likely_label_hits(given_, truth).sum() == pytest.approx(expected)


def test_a_guess_that_is_right_in_every_class_hits_all():
    truth = np.repeat(np.arange(10), 3)
    np.testing.assert_allclose(likely_label_hits(view(30), truth), 1)


def test_the_typical_record_is_the_population_s_mean_or_the_middle_of_the_bounds():
    mean = typical_record(view(2, population=POPULATION)).numpy()
    np.testing.assert_allclose(mean[0], POPULATION[0].mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(typical_record(view(2, bounds=(0, 1))).numpy(), 0.5)
    np.testing.assert_allclose(typical_record(view(2)).numpy(), 0)


def test_the_quality_of_images_is_that_of_the_best_assignment():
    pytest.importorskip("skimage")
    truth = IMAGES[:3].astype(float)
    noise = np.random.default_rng(0).normal(0, 0.1, truth.shape)
    found = qualities(view(3, bounds=(0, 1)), truth, (truth + noise)[[2, 0, 1]], None)
    np.testing.assert_allclose(found["mse"], np.square(noise).mean((1, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(found["psnr"], -10 * np.log10(found["mse"]), rtol=1e-9)
    assert (found["ssim"] > 0.5).all()
    exact = qualities(view(3, bounds=(0, 1)), truth, truth[::-1], None)
    assert np.isposinf(exact["psnr"]).all()
    np.testing.assert_allclose(exact["ssim"], 1)


def test_similarities_of_nearly_equal_images_stay_within_their_range():
    """Uniform patches have no variance but that of rounding, which lifts them above 1."""
    pytest.importorskip("skimage")
    rng = np.random.default_rng(0)
    truth = np.zeros((200, *IMAGES.shape[1:]))
    truth[:, :, 2:-2, 2:-2] = rng.random(truth[:, :, 2:-2, 2:-2].shape)
    guess = truth + rng.normal(0, 1e-9, truth.shape)
    found = qualities(view(200, bounds=(0, 1)), truth, guess, None)
    assert found["ssim"].min() > 0.999
    assert found["ssim"].max() <= 1


def test_every_guess_serves_one_record():
    cost = np.array([[0.0, 1.0, 5.0], [0.0, 9.0, 9.0]])
    np.testing.assert_array_equal(assigned(cost), [1, 0])
    np.testing.assert_array_equal(label_hits(np.array([1, 1, 2]), np.array([1, 2, 2])), [1, 0, 1])
    assert len(Y) == len(IMAGES)
