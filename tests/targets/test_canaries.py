"""Canaries: what is inserted, and what is remembered of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.canaries import Canaries
from pytest_leakpro.targets.row_keys import row_keys


def records(n=100, classes=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 4)), np.arange(n) % classes


@settings(max_examples=30)
@given(st.integers(10, 100), st.integers(0, 5), st.integers(2, 5))
def test_a_label_is_always_wrong_and_a_source_is_left_out(n, seed, classes):
    X, y = records(classes=classes)
    canaries = Canaries.mislabelled(X, y, n, seed=seed)
    assert (canaries.y != y[canaries.sources]).all()
    assert set(np.unique(canaries.y)) <= set(range(classes))
    inserted, labels = canaries.insert(X, y)
    assert len(inserted) == len(labels) == 100 - n + canaries.included.sum()
    given_keys = row_keys([X])[0]
    kept = set(given_keys) - {given_keys[place] for place in canaries.sources}
    there = {
        key for key, yes in zip(row_keys([canaries.X])[0], canaries.included, strict=True) if yes
    }
    assert set(row_keys([inserted])[0]) == kept | there


def test_tosses_are_fair_and_independent():
    """A share beyond 4.5 standard errors has probability below 1e-5; fixed seeds."""
    X, y = records(1000)
    tosses = np.array([Canaries(X, y, seed=seed).included for seed in range(20)])
    assert abs(tosses.mean() - 0.5) < 4.5 * 0.5 / np.sqrt(tosses.size)
    agree = (tosses[0] == tosses[1]).mean()
    assert abs(agree - 0.5) < 4.5 * 0.5 / np.sqrt(1000)
    assert np.unique(tosses.sum(axis=1)).size > 1  # no fixed number


def test_the_same_arguments_give_the_same_canaries():
    X, y = records()
    for make in (Canaries.mislabelled, Canaries.out_of_distribution):
        one, other = make(X, y, 20, seed=4), make(X, y, 20, seed=4)
        np.testing.assert_array_equal(one.X, other.X)
        np.testing.assert_array_equal(one.included, other.included)
        assert not np.array_equal(one.X, make(X, y, 20, seed=5).X)


def test_records_of_no_distribution_are_wide_and_keep_what_is_no_number():
    X, y = records(1000)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(ward=np.where(y > 0, "north", "south"))
    canaries = Canaries.out_of_distribution(frame, pd.Series(y, name="ill"), 500)
    assert canaries.X["a"].std() == pytest.approx(3 / np.sqrt(3), rel=0.1)
    assert set(canaries.X["ward"]) == {"north", "south"}
    assert canaries.y.name == "ill"
    joined, labels = canaries.insert(frame, pd.Series(y, name="ill"))
    assert list(joined.columns) == list(frame.columns)
    assert len(joined) == len(labels) == 1000 + canaries.included.sum()


def test_tensors_and_lists_stay_what_they_are():
    torch = pytest.importorskip("torch")
    X, y = records()
    canaries = Canaries.mislabelled(torch.tensor(X), torch.tensor(y), 20)
    inserted, labels = canaries.insert(torch.tensor(X), torch.tensor(y))
    assert torch.is_tensor(inserted)
    assert torch.is_tensor(labels)
    assert labels.dtype == torch.int64
    inserted, labels = Canaries.mislabelled(X, y.tolist(), 20).insert(X, y.tolist())
    assert isinstance(labels, list)


def test_both_sides_are_all_of_them():
    canaries = Canaries(*records())
    inside, outside = canaries.side(included=True), canaries.side(included=False)
    assert len(inside[0]) == canaries.included.sum()
    assert len(inside[0]) + len(outside[0]) == len(canaries) == 100
    assert repr(canaries) == "Canaries(100, kind='given')"


def test_the_truth_is_remembered_in_a_file_of_its_own(tmp_path):
    X, y = records()
    truth = tmp_path / "truth.npz"
    first = Canaries(X, y, seed=1, truth=truth)
    again = Canaries(X, y, seed=2, truth=truth)  # the file knows, whatever the seed
    np.testing.assert_array_equal(first.included, again.included)
    assert not np.array_equal(first.included, Canaries(X, y, seed=2).included)
    with pytest.raises(LeakproError, match="truth about other canaries"):
        Canaries(X + 1, y, truth=truth)
    with pytest.raises(LeakproError, match="truth about other canaries"):
        Canaries(X[:50], y[:50], truth=truth)
    truth.write_bytes(truth.read_bytes()[:40])
    with pytest.raises(LeakproError, match=r"truth\.npz cannot be read: train again"):
        Canaries(X, y, truth=truth)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda X, y: Canaries(X[:9], y[:9]), "9 are too few"),
        (lambda X, y: Canaries(X, y, seed=-1), "seed is a whole number"),
        (lambda X, y: Canaries.mislabelled(X, y, 101), "from 10 to 100"),
        (lambda X, y: Canaries.mislabelled(X, y, True), "from 10 to 100"),
        (lambda X, y: Canaries.mislabelled(X, y * 0, 20), "but one label"),
        (lambda X, y: Canaries(X, y[:50]), "canaries"),
        (
            lambda X, y: Canaries.mislabelled(X, y, 20).insert(X[::-1].copy(), y),
            "give the same X and y",
        ),
        (lambda X, y: Canaries.mislabelled(X, y, 20).insert(X[:15], y[:15]), "same X and y"),
    ],
)
def test_what_is_wrong_is_said(make, says):
    with pytest.raises(LeakproError, match=says):
        make(*records())
