import numpy as np
import pytest

from pytest_leakpro.stats.vote_ratio import vote_log_ratio


def test_many_models_give_the_exact_ratio_of_bernoulli_votes():
    # 20,000 models a side: standard errors of the log-ratio below 0.03; 0.15 is five of them.
    rng = np.random.default_rng(0)
    with_it, without = np.array([[0.9, 0.5], [0.7, 0.2]]), np.array([[0.6, 0.5], [0.3, 0.4]])
    included = np.repeat([True, False], 20_000)[:, None] & np.ones(2, dtype=bool)
    chance = np.where(included[:, None], with_it, without)
    shadow = (rng.random(chance.shape) < chance).astype(float)
    target = np.array([[1.0, 0.0], [0.25, 1.0]])
    exact = target * np.log(with_it / without)
    exact += (1 - target) * np.log((1 - with_it) / (1 - without))
    found = vote_log_ratio(target, shadow, included)
    assert np.abs(found - exact.sum(axis=0)).max() < 0.15


def test_shrinkage_by_hand():
    # Two models saw the record and are right, two did not, and one of these is: with a prior of
    # one model the chances of a right answer are 2.75 / 3 with the record and 1.75 / 3 without.
    shadow = np.array([1.0, 1.0, 1.0, 0.0])[:, None, None]
    included = np.array([True, True, False, False])[:, None]
    right = vote_log_ratio(np.ones((1, 1)), shadow, included)
    wrong = vote_log_ratio(np.zeros((1, 1)), shadow, included)
    assert right == pytest.approx([np.log(2.75 / 1.75)])
    assert wrong == pytest.approx([np.log(0.25 / 1.25)])


@pytest.mark.parametrize("vote", [0.0, 1.0])
def test_models_that_agree_say_nothing(vote):
    included = np.arange(6)[:, None] % 2 == np.zeros(3)
    shadow = np.full((6, 2, 3), vote)
    for target in (0.0, 0.3, 1.0):
        assert np.array_equal(vote_log_ratio(np.full((2, 3), target), shadow, included), [0, 0, 0])


@pytest.mark.parametrize(
    ("target", "shadow", "included", "prior", "says"),
    [
        (np.ones((1, 2)), np.ones((4, 2, 2)), np.ones((4, 2), bool), 1, "target has shape"),
        (np.ones((1, 2)), np.ones((4, 1, 2)), np.ones((4, 3), bool), 1, "included has shape"),
        (np.full((1, 2), 1.5), np.ones((4, 1, 2)), np.ones((4, 2), bool), 1, "must lie in"),
        (np.ones((1, 2)), np.full((4, 1, 2), np.nan), np.ones((4, 2), bool), 1, "must lie in"),
        (np.ones((1, 2)), np.ones((4, 1, 2)), np.ones((4, 2), bool), 0, "prior"),
    ],
)
def test_bad_arrays_are_refused(target, shadow, included, prior, says):
    with pytest.raises(ValueError, match=says):
        vote_log_ratio(target, shadow, included, prior)
