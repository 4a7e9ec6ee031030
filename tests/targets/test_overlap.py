"""Records that stand on both sides."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import Classifier, LeakproError, PytestLeakproWarning
from tests.targets.examples import Recorder, never, side


def target_with(shared, n=200, kind=np.asarray, model=never, **options):
    """Plant `shared` members among the non-members, with the other label."""
    (x, y), (x2, y2) = side(n, 1), side(n, 2)
    rows = np.arange(shared) * 2 + 1
    x2[rows] = x[rows + 3]
    y2 = 1 - y2
    return Classifier(model, (kind(x), y), (kind(x2), y2), **options)


KINDS = {
    "array": np.asarray,
    "images": lambda x: x.reshape(-1, 3, 1),
    "frame": lambda x: pd.DataFrame(x, columns=list("abc")),
    "series": lambda x: pd.Series(x[:, 0]),
    "sparse": sp.csr_matrix,
    "lists": lambda x: x.tolist(),
    "texts": lambda x: [str(row) for row in x],
}


@pytest.mark.parametrize("name", KINDS)
def test_a_few_are_dropped_from_both_with_a_warning(name):
    model = Recorder()
    target = target_with(2, kind=KINDS[name], model=model, name="m")
    with pytest.warns(PytestLeakproWarning, match="m: 2 of 200 members and 2 of 200 non-members"):
        view = target.prepare(0)
    assert (view.n_members, view.n_nonmembers) == (198, 198)
    assert view.blocks_pass == ()
    assert "dropped from both" in view.notes[0]
    assert set(range(200)) - set(view.member_ids().tolist()) == {4, 6}
    assert len(view.members) == len(view.nonmembers) == 198
    assert (target.n_members, target.n_nonmembers) == (200, 200)


def test_the_warning_points_at_the_caller():
    with pytest.warns(PytestLeakproWarning) as caught:
        target_with(1).prepare(0)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", KINDS)
def test_more_is_an_error(name):
    with pytest.raises(LeakproError, match=r"3 of 200 members and 3 of 200 .*allow_overlap=True"):
        target_with(3, kind=KINDS[name]).prepare(0)


def test_more_may_be_allowed_but_then_nothing_passes():
    model = Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = target_with(50, model=model, allow_overlap=True).prepare(0)
    assert (view.n_members, view.n_nonmembers) == (200, 200)
    assert len(view.blocks_pass) == 1
    assert "50 of 200 members" in view.blocks_pass[0]
    assert "kept" in view.notes[0]


def test_the_very_same_set_is_called_so():
    x, y = side(50)
    order = np.random.default_rng(0).permutation(50)
    with pytest.raises(LeakproError, match="the very same set"):
        Classifier(never, (x, y), (x[order], y[order])).prepare(0)


def test_the_share_is_that_of_the_smaller_side():
    (x, y), (x2, y2) = side(1000, 1), side(100, 2)
    x2[:2] = x[:2]
    with pytest.raises(LeakproError, match="2 of 1,000 members and 2 of 100"):
        Classifier(never, (x, y), (x2, y2)).prepare(0)


def test_duplicates_within_a_side_are_fine():
    (x, y), other = side(40, 1), side(40, 2)
    x[:20] = x[0]
    view = Classifier(never, (x, y), other).prepare(0)
    assert view.n_members == 40
    assert view.notes == ()


def test_types_may_differ_between_the_sides():
    x = np.arange(120).reshape(40, 3)
    y = np.arange(40) % 2
    with pytest.raises(LeakproError, match="very same set"):
        Classifier(never, (x, y), (x.astype(float), y)).prepare(0)
    frame = pd.DataFrame(x, columns=list("abc"))
    with pytest.raises(LeakproError, match="very same set"):
        Classifier(never, (frame, y), (frame.astype("Int64"), y)).prepare(0)


@settings(max_examples=40, deadline=None)
@given(
    planted=st.sets(st.tuples(st.integers(0, 19), st.integers(0, 24)), max_size=6),
    kind=st.sampled_from(sorted(KINDS)),
)
def test_overlap_is_found_exactly_where_it_was_planted(planted, kind):
    (x, y), (x2, y2) = side(20, 1), side(25, 2)
    # One source per place: a later one would overwrite it.
    places = {place: source for source, place in planted}
    for place, source in places.items():
        x2[place] = x[source]
    target = Classifier(never, (KINDS[kind](x), y), (KINDS[kind](x2), y2))
    if not places:
        assert target.prepare(0).notes == ()
        return
    said = f"{len(set(places.values()))} of 20 members and {len(places)} of 25 non-members"
    with pytest.raises(LeakproError, match=said):
        target.prepare(0)


class TestPersons:
    """With groups the person is what overlaps."""

    def persons(self, shift=1000, **options):
        """200 persons a side, with two records each."""
        (x, y), (x2, y2) = side(400, 1), side(400, 2)
        ids = np.repeat(np.arange(200), 2)
        return (x, y), (x2, y2), ids, ids + shift, options

    def test_an_id_on_both_sides(self):
        one, other, ids, other_ids, _ = self.persons()
        other_ids[6:8] = ids[0]
        target = Classifier(never, one, other, groups=(ids, other_ids))
        with pytest.warns(PytestLeakproWarning, match=r"1 of 200 members and 1 of 200 .*persons"):
            view = target.prepare(0)
        assert (view.n_members, view.n_nonmembers) == (199, 199)
        assert 0 not in view.member_ids()

    def test_a_record_on_both_sides_takes_the_whole_person_along(self):
        one, other, ids, other_ids, _ = self.persons()
        other[0][10] = one[0][3]
        model = Recorder()
        target = Classifier(model, one, other, groups=(ids, other_ids))
        with pytest.warns(PytestLeakproWarning, match="1 of 200 members"):
            view = target.prepare(0)
        assert view.member_ids().tolist() == [0, *range(2, 200)]
        assert len(view.members) == len(view.nonmembers) == 398

    def test_all_ids_on_both_sides(self):
        one, other, ids, other_ids, _ = self.persons(shift=0)
        with pytest.raises(LeakproError, match="very same set of persons: 200 of 200"):
            Classifier(never, one, other, groups=(ids, other_ids)).prepare(0)

    def test_the_same_person_may_have_equal_records(self):
        one, other, ids, other_ids, _ = self.persons()
        one[0][0] = one[0][1]
        assert Classifier(never, one, other, groups=(ids, other_ids)).prepare(0).notes == ()
