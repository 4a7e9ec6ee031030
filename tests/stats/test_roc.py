"""ROC curves against scikit-learn and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from sklearn.metrics import roc_auc_score, roc_curve

from pytest_leakpro.stats.roc import auc, max_advantage, roc_points, score_histogram, tpr_at

# Few levels, so that ties abound.
SCORES = st.lists(st.integers(0, 8), min_size=1, max_size=60).map(lambda s: np.array(s, float))


def labelled(members, nonmembers):
    truth = np.r_[np.ones(len(members)), np.zeros(len(nonmembers))]
    return truth, np.r_[members, nonmembers]


@given(SCORES, SCORES)
def test_curve_and_area_equal_scikit_learns(members, nonmembers):
    truth, scores = labelled(members, nonmembers)
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert np.allclose(roc_points(members, nonmembers), (fpr, tpr))
    assert auc(members, nonmembers) == pytest.approx(roc_auc_score(truth, scores))
    assert max_advantage(members, nonmembers) == pytest.approx(np.max(tpr - fpr))


@given(SCORES, SCORES, st.floats(0, 1))
def test_tpr_lies_on_the_curve(members, nonmembers, rate):
    fpr, tpr = roc_points(members, nonmembers)
    read = tpr_at(fpr, tpr, np.array([rate]))[0]
    before = tpr[fpr <= rate].max()
    after = tpr[fpr >= rate].min() if (fpr >= rate).any() else 1.0
    assert min(before, after) - 1e-12 <= read <= max(before, after) + 1e-12


def test_a_tie_is_crossed_linearly():
    members, nonmembers = np.array([1.0, 1, 1, 0]), np.array([1.0, 1, 0, 0])
    fpr, tpr = roc_points(members, nonmembers)
    assert tpr_at(fpr, tpr, np.array([0.25]))[0] == pytest.approx(0.375)  # half of 3/4


def test_a_vertical_piece_is_read_at_its_upper_end_and_a_flat_one_is_not_sloped():
    members, nonmembers = np.array([5.0, 4, 3, 2]), np.array([4.5, 1, 0, -1])
    fpr, tpr = roc_points(members, nonmembers)
    assert tpr_at(fpr, tpr, np.array([0.0, 0.1, 0.25])) == pytest.approx([0.25, 0.25, 1.0])


def test_binormal_scores_have_the_known_curve():
    # m = n = 200,000: standard errors below 0.0012 (TPR, advantage) and 0.0007 (AUC); 4 of them.
    rng = np.random.default_rng(3)
    mu, size = 1.0, 200_000
    members, nonmembers = rng.normal(mu, 1, size), rng.normal(0, 1, size)
    rates = np.array([0.01, 0.1])
    known = special.ndtr(special.ndtri(rates) + mu)
    assert tpr_at(*roc_points(members, nonmembers), rates) == pytest.approx(known, abs=0.006)
    assert auc(members, nonmembers) == pytest.approx(special.ndtr(mu / np.sqrt(2)), abs=0.003)
    known_advantage = 2 * special.ndtr(mu / 2) - 1
    assert max_advantage(members, nonmembers) == pytest.approx(known_advantage, abs=0.006)


def test_a_constant_score_is_a_coin():
    members, nonmembers = np.zeros(30), np.zeros(50)
    assert auc(members, nonmembers) == 0.5
    assert max_advantage(members, nonmembers) == 0
    fpr, tpr = roc_points(members, nonmembers)
    assert tpr_at(fpr, tpr, np.array([0.3])) == pytest.approx([0.3])


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=60),
    st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=60),
)
def test_every_score_stands_in_one_bin(members, nonmembers):
    edges, *counts = score_histogram(np.array(members), np.array(nonmembers))
    assert [side.sum() for side in counts] == [len(members), len(nonmembers)]
    assert len(edges) == len(counts[0]) + 1
    assert np.all(np.diff(edges) >= 0)


def test_the_histogram_of_known_scores():
    scores = np.arange(1000) / 1000
    edges, members, nonmembers = score_histogram(scores, scores[:500], bins=10)
    assert edges[0] <= np.quantile(scores, 0.01)
    assert np.ptp(np.diff(edges)) < 1e-9
    inner = np.searchsorted(scores, edges[1:-1])
    np.testing.assert_array_equal(members, np.diff(np.concatenate([[0], inner, [1000]])))
    assert nonmembers[edges[:-1] >= 0.5].sum() == 0


def test_edges_are_nobodys_score():
    scores = np.random.default_rng(0).normal(size=200)
    edges, *_ = score_histogram(scores, scores)
    assert not np.isin(edges, scores).any()


def test_equal_scores_stand_in_one_bin():
    edges, members, nonmembers = score_histogram(np.full(10, 3.0), np.full(12, 3.0))
    assert (members.tolist(), nonmembers.tolist()) == ([10], [12])
    assert len(edges) == 2
