"""BASE: its equation written plainly, where it is RMIA, and regressors."""

import math

import numpy as np
import pytest

from pytest_leakpro import LeakproError, Regressor, ShadowSignals
from pytest_leakpro.attacks.membership.base_attack import (
    BayesApproximation,
    OfflineBayesApproximation,
)
from pytest_leakpro.attacks.membership.rmia import OfflineRatioToReference, RatioToReference
from pytest_leakpro.stats.roc import auc
from tests.attacks.shadow_views import simulated


def signals(seed=0):
    view = simulated(seed, 60, gain=1.0)
    target = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    return target, view.shadow.shadow, view.shadow.included


def plain(target, shadow, included, loss, temperature, *, offline):
    """One record at a time; each record is in half of the models."""
    scores = []
    for j, own in enumerate(target):
        models = [k for k in range(len(shadow)) if not (offline and included[k, j])]
        mean = sum(math.exp(-loss(shadow[k, j]) / temperature) for k in models) / len(models)
        scores.append(-loss(own) / temperature - math.log(mean))
    return scores


@pytest.mark.parametrize("temperature", [0.25, 1, 3.0])
@pytest.mark.parametrize("kind", [BayesApproximation, OfflineBayesApproximation])
def test_the_equation(kind, temperature):
    target, shadow, included = signals()
    found = kind(temperature).score_records(target, shadow, included)
    expected = plain(
        target,
        shadow,
        included,
        lambda odds: math.log1p(math.exp(-odds)),
        temperature,
        offline=kind.offline,
    )
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_of_a_classifier_it_is_the_ratio_to_reference():
    arrays = signals(1)
    assert np.array_equal(
        BayesApproximation().score_records(*arrays), RatioToReference().score_records(*arrays)
    )
    offline = OfflineBayesApproximation().score_records(*arrays)
    assert np.array_equal(offline, OfflineRatioToReference(a=1.0).score_records(*arrays))


def test_its_posterior_is_that_of_pairs():
    """RMIA counts the population records whose ratio a record exceeds: the same ranking."""
    from pytest_leakpro.stats.reference_ratio import pair_share

    scores = BayesApproximation().score_records(*signals(2))
    population = BayesApproximation().score_records(*signals(3))
    shares = pair_share(scores, population, 2.0)
    assert (np.diff(shares[np.argsort(scores)]) >= 0).all()
    assert np.unique(shares).size > 20


def regression(seed, size=300, n_models=16):
    """Members' errors are smaller; records differ in how hard they are."""
    rng = np.random.default_rng(seed)
    n = 2 * size
    included = rng.permuted(np.tile(np.arange(n_models)[:, None] % 2 == 0, (1, n)), axis=0)
    hard = rng.gamma(2.0, size=n)
    shadow = -hard * np.where(included, 0.4, 1.0) * rng.lognormal(0, 0.3, (n_models, n))
    inside = np.arange(n) < size
    own = -hard * np.where(inside, 0.4, 1.0) * rng.lognormal(0, 0.3, n)
    x = np.arange(n)[:, None].astype(float)
    target = Regressor(
        lambda X: np.sqrt(-own)[X[:, 0].astype(int)],
        (x[:size], np.zeros(size)),
        (x[size:], np.zeros(size)),
    )
    view = target.prepare(0)
    view.shadow = ShadowSignals(shadow, included)
    return view


@pytest.mark.parametrize("kind", [BayesApproximation, OfflineBayesApproximation])
def test_regressors_by_their_squared_errors(kind):
    view = regression(0)
    assert kind().mismatch(Regressor(lambda X: X, *([(np.eye(10), np.zeros(10))] * 2))) is None
    attack = kind().variants(regression=True)[0]
    assert attack.loss == "squared"
    members, nonmembers = attack.score(view, np.random.default_rng(0))
    shadow, included = view.shadow.shadow, view.shadow.included
    scale = 2 * float(np.mean(-shadow[~included]))
    own = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    expected = plain(own, shadow, included, lambda s: -s / scale, 1.0, offline=kind.offline)
    assert np.concatenate([members, nonmembers]) == pytest.approx(expected, abs=1e-9)
    threshold = auc(view.members.negative_loss, view.nonmembers.negative_loss)
    assert auc(members, nonmembers) > threshold


def test_regressors_that_make_no_error():
    attack = BayesApproximation(loss="squared")
    included = np.arange(4)[:, None] % 2 == np.zeros(5)
    assert (attack.score_records(np.zeros(5), np.zeros((4, 5)), included) == 0).all()


def test_a_loss_that_was_chosen_stays():
    attack = BayesApproximation(loss="cross-entropy")
    assert attack.variants(regression=True) == (attack,)
    assert BayesApproximation().variants(regression=False)[0].loss == "cross-entropy"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"temperature": 0}, "temperature is a positive number, not 0"),
        ({"temperature": float("nan")}, "positive number"),
        ({"temperature": "warm"}, "positive number, not 'warm'"),
        ({"loss": "sqared"}, "no loss 'sqared' .did you mean 'squared'"),
    ],
)
def test_options_that_cannot_be(options, says):
    with pytest.raises(LeakproError, match=f"^base: .*{says}"):
        BayesApproximation(**options)
