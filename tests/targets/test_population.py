"""The population, the share set aside for it, and sampling."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_leakpro import Classifier, LeakproError, PytestLeakproWarning, Regressor
from tests.targets.examples import Recorder, never, regression_sides, side

MEMBERS, OTHERS, THIRD = side(100, 1), side(90, 2), side(50, 3)


def test_there_may_be_none():
    view = Classifier(never, MEMBERS, OTHERS).prepare(0)
    assert view.population is None
    assert not view.has_population


def test_it_is_scored_like_the_sides():
    model = Recorder()
    target = Classifier(model, MEMBERS, OTHERS, population=THIRD, output="logits")
    view = target.prepare(0, population_share=0.3)
    assert target.has_population
    assert view.has_population
    assert (view.queries, view.notes) == (0, ())
    assert len(view.population) == 50
    assert view.n_nonmembers == 90
    assert view.queries == model.sent == 50
    np.testing.assert_array_equal(view.population.labels, THIRD[1])


def test_records_of_the_sides_are_dropped_from_it():
    x, y = THIRD[0].copy(), THIRD[1]
    x[:3], x[3:5] = MEMBERS[0][:3], OTHERS[0][7]
    view = Classifier(Recorder(), MEMBERS, OTHERS, population=(x, y)).prepare(0)
    assert view.notes == (
        "5 of 50 records of the population are members or non-members: dropped from it",
    )
    assert len(view.population) == 45
    np.testing.assert_array_equal(view.population.labels, y[5:])


def test_also_records_that_the_sides_lose_themselves():
    x2 = np.vstack([OTHERS[0], side(110, 9)[0]])
    y2 = np.arange(200) % 2
    x2[0] = MEMBERS[0][0]
    x3 = THIRD[0].copy()
    x3[0] = MEMBERS[0][0]
    target = Classifier(Recorder(), MEMBERS, (x2, y2), population=(x3, THIRD[1]))
    with pytest.warns(PytestLeakproWarning, match="1 of 100 members"):
        view = target.prepare(0)
    assert len(view.population) == 49


def test_too_little_left_is_an_error():
    x = np.vstack([THIRD[0][:9], MEMBERS[0]])
    target = Classifier(never, MEMBERS, OTHERS, population=(x, np.arange(109) % 2))
    with pytest.raises(LeakproError, match=r"population: 100 of 109 records.* leaves 9"):
        target.prepare(0)
    with pytest.raises(LeakproError, match=r"population: 100 of 100 records.* leaves 0"):
        Classifier(never, MEMBERS, OTHERS, population=MEMBERS).prepare(0)


def test_persons_of_the_sides_are_dropped_from_it():
    ids = np.arange(100), np.arange(90) + 1000, np.arange(50) + 2000
    ids[2][:4] = [5, 5, 6, 1007]
    target = Classifier(Recorder(), MEMBERS, OTHERS, population=THIRD, groups=ids)
    view = target.prepare(0)
    assert view.notes[0].startswith("3 of 49 persons of the population")
    assert len(view.population) == 46
    pair = Classifier(Recorder(), MEMBERS, OTHERS, population=THIRD, groups=ids[:2]).prepare(0)
    assert len(pair.population) == 50


def test_a_share_of_the_nonmembers_is_set_aside():
    model = Recorder()
    target = Classifier(model, MEMBERS, OTHERS, output="logits")
    view = target.prepare(7, population_share=0.3)
    assert view.notes == (
        (
            "30 % of the non-members (27) set aside as population for the attacks that need one, "
            "not counted"
        ),
    )
    assert (view.n_members, view.n_nonmembers) == (100, 63)
    assert (len(view.population), len(view.nonmembers), len(view.members)) == (27, 63, 100)
    sent = {tuple(row) for call in model.calls[:2] for row in call}
    assert sent == {tuple(row) for row in OTHERS[0]}
    assert target.prepare(7).n_nonmembers == 90


def test_persons_are_set_aside_whole():
    ids = np.arange(100) // 2, 1000 + np.arange(90) // 3
    view = Classifier(Recorder(), MEMBERS, OTHERS, groups=ids).prepare(0, population_share=0.5)
    assert view.n_nonmembers == 15
    assert len(view.population) == 45
    assert set(np.bincount(view.unit_codes("population"))) == {3}
    assert set(np.bincount(view.unit_codes("nonmembers"))) == {3}


@pytest.mark.parametrize("share", [0, 1, -0.3, 1.5, 30, float("nan")])
def test_shares_that_are_none_are_refused(share):
    with pytest.raises(LeakproError, match="population_share="):
        Classifier(never, MEMBERS, OTHERS).prepare(0, population_share=share)


@pytest.mark.parametrize("share", [0.1, 0.95])
def test_shares_that_leave_too_few_are_refused(share):
    with pytest.raises(LeakproError, match=r"non-members: .* cannot be set aside"):
        Classifier(never, MEMBERS, OTHERS).prepare(0, population_share=share)


def test_a_sample_is_drawn_from_each_side():
    model = Recorder()
    target = Classifier(model, MEMBERS, side(30, 2), audit_size=40, output="logits")
    view = target.prepare(0)
    assert (view.n_members, view.n_nonmembers) == (40, 30)
    assert view.notes == ("40 of 100 members (records) drawn for scoring (audit_size)",)
    ids = view.member_ids()
    assert (np.diff(ids) > 0).all()
    np.testing.assert_array_equal(view.members.labels, MEMBERS[1][ids])
    np.testing.assert_array_equal(model.calls[0], MEMBERS[0][ids])
    assert (target.n_members, target.n_nonmembers) == (100, 30)


def test_persons_are_drawn_whole():
    names = np.array([f"p{i // 2}" for i in range(100)])
    ids = names, np.array([f"q{i // 2}" for i in range(90)])
    view = Classifier(Recorder(), MEMBERS, OTHERS, groups=ids, audit_size=12).prepare(0)
    assert (view.n_members, view.n_nonmembers) == (12, 12)
    assert len(view.members) == 24
    assert set(view.member_ids()) < set(names)
    assert "12 of 45 non-members (persons)" in view.notes[1]


def test_the_share_comes_before_the_sample():
    view = Classifier(Recorder(), MEMBERS, OTHERS, audit_size=10).prepare(0, population_share=0.5)
    assert (view.n_members, view.n_nonmembers, len(view.population)) == (10, 10, 45)


def drawn(seed, model=never, members=MEMBERS):
    view = Classifier(model, members, OTHERS, audit_size=20).prepare(seed, population_share=0.5)
    records = view.records("nonmembers").inputs, view.records("population").inputs
    return view.member_ids().tolist(), records[0].tolist(), records[1].tolist()


def test_the_draw_depends_on_the_seed_and_the_records_only():
    np.random.seed(1)  # noqa: NPY002
    first = drawn(5)
    np.random.seed(2)  # noqa: NPY002
    assert drawn(5) == first == drawn(5, Recorder())
    assert all(a != b for a, b in zip(drawn(5), drawn(6), strict=True))


def test_a_regressor_does_the_same():
    members, others = regression_sides(60)
    view = Regressor(lambda x: x[:, 0], members, others, audit_size=10).prepare(
        0, population_share=0.3
    )
    assert (view.n_members, view.n_nonmembers, len(view.population)) == (10, 10, 18)
    np.testing.assert_array_equal(view.members.labels[:, 0], members[1][view.member_ids()])
