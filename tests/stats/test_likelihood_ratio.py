"""LiRA against the papers' equations, written plainly, one record at a time."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.stats import signal_laws
from pytest_leakpro.stats.likelihood_ratio import lira_offline, lira_online
from pytest_leakpro.stats.moderated import moderate_variances

VARIANCES = ["moderated", "per-example", "global"]


def drawn(seed, n_models=12, n=60):
    rng = np.random.default_rng(seed)
    included = np.array([rng.permutation(n_models) < n_models // 2 for _ in range(n)]).T
    if n_models > 10:
        included[:3, 0] = False  # unequal counts
    spread = rng.uniform(0.3, 2, n)
    signals = rng.normal(size=n) + included * 1.5 + rng.normal(size=(n_models, n)) * spread
    return signals, included, rng.normal(size=n) + 1


def sides(signals, included, j):
    return signals[included[:, j], j], signals[~included[:, j], j]


def plain_laws(signals, included, variance):
    """Per side a list of laws, one per record."""
    n = signals.shape[1]
    laws = []
    for side in (0, 1):
        samples = [sides(signals, included, j)[side] for j in range(n)]
        own = [float(np.var(sample, ddof=1)) for sample in samples]
        means = [float(np.mean(sample)) for sample in samples]
        if variance == "per-example":
            made = [stats.norm(m, np.std(sample)) for m, sample in zip(means, samples, strict=True)]
        elif variance == "global":
            dofs = [len(sample) - 1 for sample in samples]
            pooled = sum(v * d for v, d in zip(own, dofs, strict=True)) / sum(dofs)
            made = [stats.norm(m, math.sqrt(pooled)) for m in means]
        else:
            dofs = np.array([len(sample) - 1 for sample in samples])
            shrunk, d0 = moderate_variances(np.array(own), dofs)
            made = []
            for m, v, d in zip(means, shrunk, dofs, strict=True):
                scale = math.sqrt(v * (1 + 1 / (d + 1)))
                made.append(stats.norm(m, scale) if d0 == math.inf else stats.t(d0 + d, m, scale))
        laws.append(made)
    return laws


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("seed", [0, 1])
def test_parity_with_the_equations(variance, seed):
    signals, included, target = drawn(seed)
    inside, outside = plain_laws(signals, included, variance)
    online = [i.logpdf(x) - o.logpdf(x) for i, o, x in zip(inside, outside, target, strict=True)]
    # Strictly increasing in the paper's P(out <= signal), and without its ties near 0 and 1.
    offline = [o.logcdf(x) - o.logsf(x) for o, x in zip(outside, target, strict=True)]
    assert lira_online(signals, included, target, variance) == pytest.approx(online, abs=1e-6)
    assert lira_offline(signals, included, target, variance) == pytest.approx(offline, abs=1e-6)


@given(st.integers(0, 1000), st.sampled_from(VARIANCES), st.floats(-50, 50), st.floats(0.1, 20))
def test_units_do_not_matter(seed, variance, shift, scale):
    signals, included, target = drawn(seed, 8, 20)
    moved = lira_online(signals * scale + shift, included, target * scale + shift, variance)
    assert moved == pytest.approx(lira_online(signals, included, target, variance), abs=1e-5)


@given(st.integers(0, 1000), st.sampled_from(VARIANCES))
def test_the_order_of_records_and_of_models_does_not_matter(seed, variance):
    signals, included, target = drawn(seed, 8, 20)
    rng = np.random.default_rng(seed)
    records, models = rng.permutation(20), rng.permutation(8)
    straight = lira_online(signals, included, target, variance)
    mixed = lira_online(
        signals[np.ix_(models, records)],
        included[np.ix_(models, records)],
        target[records],
        variance,
    )
    assert mixed == pytest.approx(straight[records], abs=1e-8)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("far", [0.0, 1.0, 1e6, -1e6])
def test_scores_are_finite_where_models_agree_exactly(variance, far):
    _, included, _ = drawn(0, 8, 10)
    for attack in (lira_online, lira_offline):
        scores = attack(np.ones((8, 10)), included, np.full(10, 1 + far), variance)
        assert np.isfinite(scores).all()


def test_far_out_the_tail_neither_ties_nor_jumps():
    signals, included, _ = drawn(3, 12, 40)
    out = signals.mean(axis=0)
    scores = np.stack(
        [lira_offline(signals, included, out + far) for far in 10.0 ** np.arange(1, 60, 2)]
    )
    assert (np.diff(scores, axis=0) > 0).all()


def test_with_many_models_it_is_the_exact_likelihood_ratio():
    rng = np.random.default_rng(5)
    n = 500
    included = np.arange(1000)[:, None] % 2 == rng.integers(0, 2, n)
    spread = rng.uniform(0.5, 2, n)
    signals = included * 1.0 + rng.normal(size=(1000, n)) * spread
    target = rng.normal(size=n) * spread + (np.arange(n) < 250)
    exact = stats.norm.logpdf(target, 1, spread) - stats.norm.logpdf(target, 0, spread)
    for variance in ("moderated", "per-example"):
        found = lira_online(signals, included, target, variance)
        assert np.corrcoef(found, exact)[0, 1] > 0.99


def test_bad_input():
    signals, included, target = drawn(0, 8, 10)
    with pytest.raises(ValueError, match="variance"):
        lira_online(signals, included, target, "own")
    included[1:, 0] = False
    with pytest.raises(ValueError, match="1 of 10 records have fewer than 2"):
        lira_online(signals, included, target)


def test_without_a_common_variance_moderation_is_each_records_own_t_law(monkeypatch):
    def no_prior(variances, dof):
        return variances.copy(), 1e-9

    monkeypatch.setattr(signal_laws, "moderate_variances", no_prior)
    rng = np.random.default_rng(7)
    included = np.repeat([[True], [False]], [12, 20], axis=0) & np.ones((1, 200), bool)
    spread = 10.0 ** rng.uniform(-2, 2, 200)
    signals, target = rng.normal(size=(32, 200)) * spread, rng.normal(size=200) * spread
    own = np.zeros(200)
    for side, sign in ((signals[:12], 1), (signals[12:], -1)):
        scale = side.std(axis=0, ddof=1) * math.sqrt(1 + 1 / len(side))
        own += sign * stats.t.logpdf(target, len(side) - 1, side.mean(axis=0), scale)
    assert lira_online(signals, included, target) == pytest.approx(own, abs=1e-6)


@pytest.mark.parametrize("n_models", [8, 64])
@pytest.mark.parametrize("attack", [lira_online, lira_offline])
def test_memory_stays_below_three_times_the_signals(attack, n_models):
    signals, included, target = drawn(0, n_models, 100)
    signals, included = np.tile(signals, 500), np.tile(included, 500)
    signals += np.random.default_rng(9).normal(size=signals.shape)
    tracemalloc.start()
    attack(signals, included, np.tile(target, 500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * signals.nbytes


def test_with_one_variance_for_all_moderation_is_the_pooled_law():
    # Equal sample variances, so that d0 is infinite; only the mean's own error 1/count remains.
    rng = np.random.default_rng(8)
    included = np.repeat([[True], [False]], 20, axis=0) & np.ones((1, 100), bool)
    noise = rng.normal(size=(40, 100))
    for side in (noise[:20], noise[20:]):
        side -= side.mean(axis=0)
        side /= side.std(axis=0, ddof=1)
    signals, target = noise + included, rng.normal(size=100)
    moderated = lira_online(signals, included, target)
    pooled = lira_online(signals, included, target, "global")
    assert moderated == pytest.approx(pooled / (1 + 1 / 20), abs=1e-9)


def means_of(seed, strengths, n_models=16):
    """Moments of signals whose gaps are given in standard deviations, records of other scales."""
    rng = np.random.default_rng(seed)
    n = len(strengths)
    included = np.arange(n_models)[:, None] % 2 == np.zeros(n)
    scale = rng.uniform(0.9, 1.1, n)
    signals = rng.normal(size=n) + scale * (included * strengths + rng.normal(size=(n_models, n)))
    count = included.sum(axis=0)
    moments = [signal_laws.record_moments(signals, included, side, count, 1.0) for side in (1, 0)]
    return moments, count, scale


def test_gaps_that_are_alike_become_so():
    (inside, outside), count, scale = means_of(0, np.full(4000, 1.0))
    sums, gaps = inside[0] + outside[0], (inside[0] - outside[0]) / scale
    share = signal_laws.moderate_gaps(inside, outside, (count, count))
    moved = (inside[0] - outside[0]) / scale
    assert share < 0.2
    # The variance of the gaps' errors, 1/4 of the record's, is all but gone.
    assert np.mean((gaps - 1) ** 2) == pytest.approx(0.25, rel=0.1)
    assert np.mean((moved - 1) ** 2) < 0.05
    # Equal numbers of models share the move in proportion to their variances.
    assert np.corrcoef(inside[0] + outside[0], sums)[0, 1] > 0.99


def test_gaps_of_many_kinds_stay():
    strengths = np.random.default_rng(1).exponential(2.0, 4000)
    (inside, outside), count, _ = means_of(1, strengths)
    before = inside[0].copy(), outside[0].copy()
    assert signal_laws.moderate_gaps(inside, outside, (count, count)) == 1.0
    assert np.array_equal(inside[0], before[0])
    assert np.array_equal(outside[0], before[1])


def test_moderated_gaps_between_some_and_none_err_least():
    strengths = np.random.default_rng(2).normal(1, 0.35, 20_000)
    (inside, outside), count, scale = means_of(2, strengths)
    share = signal_laws.moderate_gaps(inside, outside, (count, count))
    # Of variances 0.35^2 and 1/4 (2/8), the prior's share is 0.33; the error is that of the mean
    # of the posterior, 0.33 of the sampling variance, and what is lost to unknown spreads.
    assert share == pytest.approx(0.33, abs=0.06)
    error = np.mean(((inside[0] - outside[0]) / scale - strengths) ** 2)
    assert 0.08 < error < 0.11


@pytest.mark.parametrize("level", [0.0, 1e-160, 1e160])
def test_gaps_of_models_that_agree_stay_finite(level):
    signals = np.full((6, 5), level)
    included = np.arange(6)[:, None] % 2 == np.zeros(5)
    score = lira_online(signals, included, signals[0], gaps="moderated")
    assert np.isfinite(score).all()
