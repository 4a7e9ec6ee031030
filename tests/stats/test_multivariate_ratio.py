"""The joint likelihood ratio of several signals against exact ones, and against lira's of one."""

import numpy as np
import pytest
from scipy import stats

from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.likelihood_ratio import lira_online
from pytest_leakpro.stats.multivariate_ratio import multivariate_ratio
from pytest_leakpro.stats.roc import roc_points, tpr_at

CORRELATION = np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.1], [0.3, 0.1, 1.0]])
OTHER = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, -0.2], [0.0, -0.2, 1.0]])
GAIN = np.array([0.8, 0.1, 0.5])
LAWS = [
    ("moderated", "moderated"),
    ("moderated", "own"),
    ("per-example", "own"),
    ("global", "own"),
]


def drawn(seed, n, n_models, *, spread=0.4):
    """Signals with known laws: each record has means and scales of its own.

    Returns signals, inclusion, the target's signals, who is a member, and the exact log ratio.
    """
    rng = np.random.default_rng(seed)
    included = np.stack(Assignment(n, n_models, n_models // 2, seed))
    means, scales = rng.normal(0, 3, (3, n)), np.exp(rng.normal(0, spread, (3, n)))
    roots = np.linalg.cholesky(CORRELATION), np.linalg.cholesky(OTHER)

    def signals(inside):
        noise = rng.normal(size=(3, n))
        in_noise, out_noise = roots[0] @ noise, roots[1] @ noise
        return means + scales * np.where(inside, GAIN[:, None] + in_noise, out_noise)

    shadow = np.stack([signals(row) for row in included])
    saw = np.arange(n) % 2 == 0
    target = signals(saw)
    z = (target - means) / scales
    exact = stats.multivariate_normal(GAIN, CORRELATION).logpdf(z.T)
    exact -= stats.multivariate_normal(np.zeros(3), OTHER).logpdf(z.T)
    return shadow, included, target, saw, exact


def power(scores, saw, fpr=0.05):
    return float(tpr_at(*roc_points(scores[saw], scores[~saw]), np.array([fpr]))[0])


def test_many_models_give_the_exact_ratio():
    shadow, included, target, saw, exact = drawn(0, 1500, 400)
    for variance, means in LAWS:
        found = multivariate_ratio(shadow, included, target, variance, means)
        if variance == "global":  # wrong here: each record has scales of its own
            assert np.corrcoef(found, exact)[0, 1] < 0.95
        else:
            assert np.corrcoef(found, exact)[0, 1] > 0.97
            assert power(found, saw) == pytest.approx(power(exact, saw), abs=0.03)


def test_few_models_are_better_together_than_one_signal_and_than_independent_signals():
    # Seeds 0 to 3, own means: jointly 0.17 to 0.23, the best signal alone 0.13 to 0.17, the sum of
    # the single ratios 0.14 to 0.18, the exact ratio 0.31 to 0.32.
    shadow, included, target, saw, exact = drawn(1, 4000, 16)
    joint = power(multivariate_ratio(shadow, included, target, means="own"), saw)
    assert power(multivariate_ratio(shadow, included, target), saw) > joint
    single = [lira_online(shadow[:, row], included, target[row]) for row in range(3)]
    assert joint > max(power(score, saw) for score in single)
    assert joint > power(np.sum(single, axis=0), saw)
    assert joint > 0.6 * power(exact, saw)


@pytest.mark.parametrize("variance", ["moderated", "per-example", "global"])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_of_one_signal_it_is_lira(variance, spread):
    shadow, included, target, *_ = drawn(2, 300, 8, spread=spread)
    joint = multivariate_ratio(shadow[:, :1], included, target[:1], variance, "own")
    alone = lira_online(shadow[:, 0], included, target[0], variance)
    assert joint == pytest.approx(alone, rel=1e-9, abs=1e-9)


def test_units_do_not_matter_and_copies_of_a_signal_add_nothing():
    shadow, included, target, *_ = drawn(3, 400, 16)
    plain = multivariate_ratio(shadow, included, target)
    factor = np.array([1e-150, 3.0, 1e150])[:, None]
    scaled = multivariate_ratio(shadow * factor, included, target * factor)
    assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-6)

    shadow, included, target, *_ = drawn(3, 4000, 16, spread=0.0)
    twice = np.repeat(np.arange(3), 2)
    # Of normal laws: a t law of more signals has lighter tails.
    once = multivariate_ratio(shadow, included, target, "global")
    again = multivariate_ratio(shadow[:, twice], included, target[twice], "global")
    assert np.corrcoef(once, again)[0, 1] > 0.999


def test_models_that_agree_exactly_give_finite_scores():
    shadow, included, target, *_ = drawn(4, 50, 8)
    shadow[:, 1] = 7.0
    shadow[:, 2, :10] = target[2, :10]
    for variance, means in LAWS:
        assert np.isfinite(multivariate_ratio(shadow, included, target, variance, means)).all()
    shadow[:] = target = np.random.default_rng(0).normal(size=target.shape)
    for variance, means in LAWS:
        found = multivariate_ratio(shadow, included, target, variance, means)
        assert np.abs(found - found[0]).max() < 1e-6  # nothing tells one record from another


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("constant", [0.0, 0.1])
def test_models_that_store_their_records_are_found_out(constant):
    # All that saw a record give the same; a third signal says nothing, a fourth repeats the first.
    rng = np.random.default_rng(7)
    n, n_models = 200, 8
    included = np.stack(Assignment(n, n_models, 4, 7))
    saw = np.arange(n) % 2 == 0

    def signals(inside):
        drawn = np.where(inside, constant, rng.normal(0, 2, (4, n)))
        drawn[2] = np.arange(n)
        drawn[3] = drawn[0]
        return drawn

    shadow, target = np.stack([signals(row) for row in included]), signals(saw)
    for variance, means in LAWS:
        found = multivariate_ratio(shadow, included, target, variance, means)
        assert np.isfinite(found).all()
        assert found[saw].min() > found[~saw].max()


def test_of_one_signal_means_are_shrunk_by_the_kalman_gain():
    # One variance for all: the prior of (in, out) means is their covariance less the errors'.
    rng = np.random.default_rng(6)
    n, n_models = 4000, 8
    included = np.stack(Assignment(n, n_models, 4, 6))
    base = rng.normal(0, 2, n)
    gain = rng.normal(1.0, 0.3, n)
    shadow = base + gain * included + rng.normal(size=(n_models, n))
    target = base + gain * (np.arange(n) % 2) + rng.normal(size=n)
    found = multivariate_ratio(shadow[:, None], included, target[None])
    prior = np.array([[4.0, 4.0], [4.0, 4.0]]) + np.diag([0.09, 0.0])
    means = np.stack([np.where(included == side, shadow, 0).sum(axis=0) / 4 for side in (1, 0)])
    weight = prior @ np.linalg.inv(prior + np.eye(2) / 4)
    believed = np.array([[1.0], [0.0]]) + weight @ (means - [[1.0], [0.0]])
    spread = np.sqrt(1 + np.diag(prior - weight @ prior))
    laws = [stats.norm(believed[side], spread[side]).logpdf(target) for side in (0, 1)]
    assert np.corrcoef(found, laws[0] - laws[1])[0, 1] > 0.995


def test_what_does_not_fit_is_refused():
    shadow, included, target, *_ = drawn(5, 20, 8)
    with pytest.raises(ValueError, match="variance must be one of"):
        multivariate_ratio(shadow, included, target, "own")
    with pytest.raises(ValueError, match="means must be one of"):
        multivariate_ratio(shadow, included, target, means="shrunk")
    with pytest.raises(ValueError, match=r"\(models, q, records\)"):
        multivariate_ratio(shadow[:, 0], included, target)
    with pytest.raises(ValueError, match="target has shape"):
        multivariate_ratio(shadow, included, target[:2])
    with pytest.raises(ValueError, match="finite"):
        multivariate_ratio(np.where(shadow > 3, np.nan, shadow), included, target)
    with pytest.raises(ValueError, match="fewer than 2 shadow models"):
        multivariate_ratio(shadow, np.ones_like(included), target)
