"""Scores that users bring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import LeakproError, MembershipScores

LEVELS = st.lists(st.integers(0, 6), min_size=10, max_size=50).map(lambda s: np.array(s, float))


@given(LEVELS, LEVELS, st.data())
def test_counts_are_those_of_the_definition(members, nonmembers, data):
    evidence = MembershipScores(members, nonmembers)
    rank = data.draw(st.integers(1, len(nonmembers)))
    cut = np.sort(nonmembers)[::-1][rank - 1]
    assert evidence.members_above(rank) == (members > cut).sum()
    assert evidence.members_at_or_above(rank) == (members >= cut).sum()
    assert evidence.sizes == (len(members), len(nonmembers))


def test_rankings_are_compared_with_their_ties():
    rng = np.random.default_rng(0)
    members, nonmembers = rng.normal(size=40), rng.normal(size=60)
    scores = MembershipScores(members, nonmembers)
    assert scores.same_ranking(MembershipScores(np.exp(members), np.exp(nonmembers)))
    assert not scores.same_ranking(MembershipScores(-members, -nonmembers))
    assert not scores.same_ranking(MembershipScores(np.round(members), np.round(nonmembers)))
    assert not scores.same_ranking(MembershipScores(members[:-1], nonmembers))


def test_scores_are_copied_and_frozen_and_not_shown():
    given_scores = np.full(20, 1234.5678)
    evidence = MembershipScores(given_scores, list(range(10)))
    given_scores[:] = 0
    assert evidence.members[0] == 1234.5678
    assert not evidence.members.flags.writeable
    assert repr(evidence) == str(evidence) == "MembershipScores(members=20, nonmembers=10)"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (None, "NoneType"),
        ("0.1, 0.2", "str, not a sequence"),
        (["a"] * 10, "not all numbers"),
        ([[0.0, 1.0]] * 10, r"shape \(10, 2\)"),
        (0.5, r"shape \(\)"),
        ([], "0 scores of members"),
        ([0.1] * 9, "fewer than 10"),
        ([0.1] * 10 + [float("nan")], "1 of the 11 scores of members are NaN or infinite"),
        ([0.1] * 10 + [float("inf")] * 2, "2 of the 12"),
        ([[0.1], [0.2, 0.3]], "not all numbers"),
    ],
)
def test_scores_that_are_none(members, says):
    with pytest.raises(LeakproError, match=says):
        MembershipScores(members, [0.0] * 10)
    with pytest.raises(LeakproError, match="nonmembers"):
        MembershipScores([0.0] * 10, members)


@given(LEVELS, LEVELS)
def test_breaking_ties_keeps_the_order_and_the_area(members, nonmembers):
    scores = MembershipScores(members, nonmembers)
    broken = scores.ties_broken()
    both = np.concatenate([broken.members, broken.nonmembers])
    assert len(np.unique(both)) == len(both)
    before = np.concatenate([members, nonmembers])
    assert (np.diff(before[np.argsort(both)]) >= 0).all()
    again = MembershipScores(members, nonmembers).ties_broken()
    assert np.array_equal(again.members, broken.members)
    assert broken.ties_broken() is broken
