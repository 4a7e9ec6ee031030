"""Whether what was rebuilt is a record: what counts, and that nothing counts by chance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import Classifier, LeakproError
from pytest_leakpro.attacks.reconstruction.nearness import Attempts, judge, side_by_side
from pytest_leakpro.attacks.reconstruction.record_space import RecordSpace, nearest_distances
from tests.gate.simulate import read

BUDGET = "reconstruction[near] <= 1%"


def chances(X):
    return np.full((len(X), 2), 0.5)


def view_of(members, nonmembers):
    target = Classifier(
        chances,
        (members, np.arange(len(members)) % 2),
        (nonmembers, np.arange(len(nonmembers)) % 2),
        train=False,
    )
    return target.prepare(0)


def drawn(seed, size=100, columns=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(size, columns)), rng.normal(size=(size, columns)), rng


def value(view, attempts, seed=0):
    evidence = judge(view, attempts, np.random.default_rng(seed), "test")
    return read(BUDGET, evidence).value, evidence


def test_copies_of_members_count_each_record_once():
    members, others, rng = drawn(0)
    view = view_of(members, others)
    far = rng.normal(size=(360, 5)) + 9
    assert value(view, Attempts(np.concatenate([members[:40], far])))[0] == pytest.approx(0.1)
    again = np.concatenate([np.repeat(members[:10], 4, axis=0), far])
    assert value(view, Attempts(again))[0] == pytest.approx(0.025)
    # Copies of non-members take away as much.
    both = np.concatenate([members[:40], others[:40], far[:320]])
    assert value(view, Attempts(both))[0] == 0


def test_the_nearest_of_attempts_at_one_record_counts():
    members, others, _ = drawn(1)
    view = view_of(members, others)
    points = np.concatenate([members[:1] + 0.3, members[:1], members[:1] + 0.2, members[1:8] + 50])
    evidence = value(view, Attempts(points))[1]
    assert evidence.quality["near"][:3].tolist() == [1, 0, 1]
    assert evidence.baseline["near"][:3].tolist() == [1, 1e12, 1]


def test_copies_of_who_stands_on_both_sides_are_no_evidence():
    members, others, _ = drawn(2)
    others[:2] = members[:2]
    target = Classifier(
        chances, (members, np.arange(100) % 2), (others, np.arange(100) % 2), train=False,
        allow_overlap=True,
    )  # fmt: skip
    evidence = value(target.prepare(0), Attempts(np.repeat(members[:2], 5, axis=0)))[1]
    assert (evidence.quality["near"] == 1).all()


@pytest.mark.parametrize("columns", [1, 2, 20])
@pytest.mark.parametrize("kind", ["constant", "drawn", "population", "grid"])
def test_what_knows_nothing_is_no_leak(columns, kind):
    """FAIL has probability of at most 2.5 % a seed; 6 of 40 or more of below 1e-4."""
    failed = 0
    for seed in range(40):
        members, others, rng = drawn(seed, 60, columns)
        points = {
            "constant": lambda: np.full((400, columns), rng.normal()),  # noqa: B023
            "drawn": lambda: rng.normal(size=(400, columns)) * 2,  # noqa: B023
            "population": lambda: rng.normal(size=(400, columns)),  # noqa: B023
            "grid": lambda: np.linspace(-2, 2, 400)[:, None] * np.ones(columns),
        }[kind]()
        evidence = value(view_of(members, others), Attempts(points), seed)[1]
        failed += read(BUDGET, evidence).p_value <= 0.025
    assert failed < 6


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1, 2, 5])
def test_what_knows_nothing_fails_at_most_as_often_as_it_may(columns):
    """Of 500 seeds at most 2.5 %, beyond which 25 or more have probability of below 1e-3."""
    failed = 0
    for seed in range(500):
        members, others, rng = drawn(seed, 100, columns)
        points = rng.normal(size=(400, columns)) * rng.choice([0.1, 1, 3])
        failed += (
            read(BUDGET, value(view_of(members, others), Attempts(points), seed)[1]).p_value
            <= 0.025
        )
    assert failed < 25


def test_given_records_are_judged_against_decoys():
    members, others, rng = drawn(3)
    view = view_of(members, others)
    rows = np.arange(50)
    exact = Attempts(members[:50], rows, rows)
    assert value(view, exact)[0] == 1
    # Rebuilt from an output that tells of everybody alike, members and decoys come out as well.
    alike = Attempts(members[:50] + 0.01, rows, rows, others[:50] + 0.01)
    found, evidence = value(view, alike)
    assert found == 0
    assert (evidence.quality["near"] < 0.5).all()
    assert (evidence.baseline["near"] < 0.5).all()
    # Near to the decoy rather than to the record.
    wrong = Attempts(others[:50], rows, rows)
    evidence = value(view, wrong)[1]
    assert (evidence.baseline["near"] == 0).all()
    noise = Attempts(rng.normal(size=(50, 5)) * 3, rows, rows)
    assert value(view, noise)[0] <= 0.1


@settings(max_examples=25)
@given(st.integers(0, 50), st.floats(0.01, 100), st.integers(0, 4))
def test_scale_of_a_column_and_order_of_records_do_not_matter(seed, scale, column):
    members, others, rng = drawn(seed, 40)
    points = np.concatenate([members[:5] + 0.05, rng.normal(size=(35, 5))])
    _, plain = value(view_of(members, others), Attempts(points))
    factor = np.ones(5)
    factor[column] = scale
    _, scaled = value(view_of(members * factor, others * factor), Attempts(points * factor))
    np.testing.assert_allclose(plain.quality["near"], scaled.quality["near"], rtol=1e-6)
    order = rng.permutation(40)
    _, moved = value(view_of(members[order], others[order[::-1]]), Attempts(points))
    np.testing.assert_allclose(plain.quality["near"], moved.quality["near"], rtol=1e-6)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(1, 30), st.integers(1, 30), st.integers(1, 6))
def test_nearest_distances_are_those_of_all_pairs(seed, n, m, d):
    rng = np.random.default_rng(seed)
    points, among = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    pairs = np.linalg.norm(points[:, None] - among[None], axis=2)
    distances, places = nearest_distances(points, among)
    np.testing.assert_allclose(distances, pairs.min(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(places, pairs.argmin(axis=1))


def test_frames_with_missing_values_and_words_are_measured_by_their_numbers():
    members, others, _ = drawn(4)
    frames = [
        pd.DataFrame(side, columns=list("abcde")).assign(ward="north") for side in (members, others)
    ]
    frames[0].loc[0, "a"] = np.nan
    space = RecordSpace.of(view_of(*frames))
    assert space.members.shape == (100, 5)
    assert space.members[0, 0] == pytest.approx(others[:, 0].mean())
    words = [pd.DataFrame({"ward": np.arange(100).astype(str)}) for _ in range(2)]
    words[1]["ward"] += "x"
    with pytest.raises(LeakproError, match="hold no numbers"):
        RecordSpace.of(view_of(*words))


def test_images_have_one_unit_and_are_shown_beside_the_nearest_member():
    rng = np.random.default_rng(0)
    members, others = rng.random((40, 3, 3)), rng.random((40, 3, 3))
    view = view_of(members, others)
    assert (RecordSpace.of(view).scale == 1).all()
    points = np.concatenate([members[:3].reshape(3, -1), rng.random((37, 9)) + 5])
    attempts = Attempts(points)
    pictures = side_by_side(view, attempts, judge(view, attempts, rng, "test"))
    assert pictures is not None
    np.testing.assert_array_equal(pictures[0][:3], pictures[1][:3])
    assert pictures[0].shape == (32, 3, 3)
    rows = np.arange(10)
    given_records = Attempts(members[:10].reshape(10, -1), rows, rows)
    pictures = side_by_side(view, given_records, judge(view, given_records, rng, "test"))
    np.testing.assert_array_equal(pictures[0], members[:10])
    table = view_of(*drawn(0)[:2])
    free = Attempts(np.zeros((10, 5)))
    assert side_by_side(table, free, judge(table, free, rng, "test")) is None
