from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_leakpro import Classifier, LeakproError, Regressor
from tests.targets.examples import Recorder, never, regression_sides, side

MEMBERS, OTHERS, THIRD = side(40, 1), side(30, 2), side(20, 3)


def test_preparing_never_calls_the_model():
    options = {"population": THIRD, "audit_size": 10, "groups": (np.arange(40), np.arange(30) + 99)}
    view = Classifier(never, MEMBERS, OTHERS, **options).prepare(0)
    assert (view.n_members, view.n_nonmembers, view.queries, view.output) == (10, 10, 0, None)
    view.member_ids()
    view.per_unit(np.zeros(10), np.zeros(10))
    assert (view.notes, view.blocks_pass, repr(view)) is not None
    assert view.queries == 0
    Regressor(never, *regression_sides()).prepare(0, population_share=0.5)


@pytest.mark.parametrize("output", [None, "logits"])
@pytest.mark.parametrize("batch_size", [None, 7])
def test_each_record_is_scored_once(output, batch_size):
    model = Recorder()
    target = Classifier(
        model, MEMBERS, OTHERS, population=THIRD, output=output, batch_size=batch_size
    )
    view = target.prepare(0)
    for _ in range(3):
        assert view.population is view.population
        assert view.nonmembers is view.nonmembers
        assert view.members is view.members
        _ = view.members.log_probabilities, view.members.true_log_odds, view.notes
    assert view.queries == model.sent == 90
    if batch_size is not None:
        assert max(len(call) for call in model.calls) <= batch_size
    rows = np.vstack(model.calls)
    assert len(np.unique(rows, axis=0)) == 90


def test_only_what_is_asked_for_is_scored():
    view = Classifier(Recorder(), MEMBERS, OTHERS, output="logits").prepare(0)
    assert len(view.nonmembers) == 30
    assert view.queries == 30


def test_the_order_of_asking_changes_nothing():
    def model(x):
        return np.column_stack([x[:, 0], x[:, 1]])

    read = []
    for order in (("members", "nonmembers", "population"), ("population", "nonmembers", "members")):
        view = Classifier(model, MEMBERS, OTHERS, population=THIRD).prepare(0)
        found = {side: getattr(view, side).true_log_odds.tolist() for side in order}
        read.append((found, view.output, view.notes, view.queries))
    assert read[0] == read[1]


def test_members_without_groups_are_their_positions():
    view = Classifier(never, MEMBERS, OTHERS).prepare(0)
    ids = view.member_ids()
    np.testing.assert_array_equal(ids, np.arange(40))
    ids[:] = 0
    np.testing.assert_array_equal(view.member_ids(), np.arange(40))
    np.testing.assert_array_equal(view.unit_codes("nonmembers"), np.arange(30))


@pytest.mark.parametrize(
    ("ids", "wanted"),
    [
        (np.repeat([30, 10, 20, 50, 40, 5, 6, 7, 8, 9], 4), [30, 10, 20, 50, 40, 5, 6, 7, 8, 9]),
        ([f"p{i // 2}" for i in range(40)], [f"p{i}" for i in range(20)]),
        (tuple(range(40)), list(range(40))),
        (pd.Series([f"p{i % 20}" for i in range(40)]), [f"p{i}" for i in range(20)]),
        (pd.Categorical([f"p{i % 20}" for i in range(40)]).tolist(), [f"p{i}" for i in range(20)]),
        ([0, "a"] * 2 + list(range(2, 38)), [0, "a", *range(2, 38)]),
        ([2**70 + i for i in range(40)], [2**70 + i for i in range(40)]),
    ],
)
def test_members_with_groups_are_their_persons(ids, wanted):
    view = Classifier(never, MEMBERS, OTHERS, groups=(ids, np.arange(30) + 999)).prepare(0)
    assert view.member_ids().tolist() == wanted
    assert view.n_members == len(wanted)


def test_scores_without_groups_stay_as_they_are():
    view = Classifier(never, MEMBERS, OTHERS).prepare(0)
    scores = np.random.default_rng(0).normal(size=70)
    members, nonmembers = view.per_unit(scores[:40], scores[40:].tolist())
    np.testing.assert_array_equal(members, scores[:40])
    np.testing.assert_array_equal(nonmembers, scores[40:])


@settings(deadline=None)
@given(
    codes=arrays(int, 30, elements=st.integers(0, 14)),
    scores=arrays(float, 50, elements=st.floats(-1e6, 1e6)),
)
def test_scores_of_persons_are_the_means_over_their_records(codes, scores):
    ids = np.concatenate([np.arange(10), codes])
    view = Classifier(never, MEMBERS, (OTHERS[0], OTHERS[1]), groups=(ids, np.arange(30) + 99))
    view = view.prepare(0)
    members, nonmembers = view.per_unit(scores[:40], np.zeros(30))
    wanted = [scores[:40][ids == person].mean() for person in view.member_ids()]
    np.testing.assert_allclose(members, wanted, atol=1e-9)
    assert nonmembers.shape == (30,)
    np.testing.assert_array_equal(view.member_ids()[view.unit_codes("members")], ids)


@pytest.mark.parametrize(
    ("members", "nonmembers", "said"),
    [
        (np.zeros(39), np.zeros(30), "members"),
        (np.zeros((40, 1)), np.zeros(30), "members"),
        (np.zeros(40), np.zeros(40), "nonmembers"),
    ],
)
def test_scores_of_another_shape_are_refused(members, nonmembers, said):
    view = Classifier(never, MEMBERS, OTHERS).prepare(0)
    with pytest.raises(LeakproError, match=f"^{said}: .*one score per record"):
        view.per_unit(members, nonmembers)
