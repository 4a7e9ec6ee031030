"""Records as numbers that can be moved, in every container."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from pytest_leakpro import Classifier, LeakproError
from pytest_leakpro.attacks.membership.perturbing import movable, movable_of, perturbed, unmovable
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.units import record_units

N = 20
A = np.random.default_rng(0).normal(size=(N, 3))
FRAME = pd.DataFrame(
    {
        "single": A[:, 0].astype("float32"),
        "whole": np.arange(N),
        "text": ["x"] * N,
        "yes or no": [True, False] * 10,
        "0 or 1": [0, 1] * 10,
        "missing": pd.array([None, *range(N - 1)], dtype="Int64"),
        "category": pd.Categorical(["u", "v"] * 10),
    },
    index=[f"row {i % 7}" for i in range(N)],
)


def records(X):
    return Records("members", X, np.zeros(N, int), record_units(N), np.zeros(N), np.arange(N))


@pytest.mark.parametrize(
    ("X", "numbers"),
    [
        (A, 3),
        (np.asfortranarray(A), 3),
        (A.astype("float32"), 3),
        ((A * 50).astype(int), 3),
        (FRAME, 3),
        (FRAME.to_numpy(), 3),
        (pd.Series(A[:, 0]), 1),
        (A.tolist(), 3),
        ([tuple(row) for row in A.tolist()], 3),
        (A[:, 0].tolist(), 1),
        (list(A), 3),
        (torch.tensor(A), 3),
        (torch.tensor(A, dtype=torch.bfloat16), 3),
        (list(torch.tensor(A)), 3),
        (np.random.default_rng(1).normal(size=(N, 4, 4)), 16),
        (torch.arange(N * 16, dtype=torch.int32).reshape(N, 1, 4, 4).to(torch.uint8), 16),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_move_and_nothing_else_does(X, numbers):
    space = movable([records(X)])
    before = space.matrix(X)
    assert before.shape == (N, numbers)
    assert np.isfinite(before).all()
    moved = space.rebuild(X, before + space.scale)
    assert type(moved) is type(X)
    step = np.where(space.missing(X), 0, space.scale)
    loose = getattr(X, "dtype", None) == torch.bfloat16
    assert np.allclose(space.matrix(moved), before + step, atol=0.05 if loose else 1e-5)
    assert np.array_equal(space.matrix(X), before)  # the user's own stay as they are
    if isinstance(X, list):
        assert type(moved[0]) is type(X[0])


def test_a_frame_keeps_what_is_no_measurement():
    space = movable([records(FRAME)])
    moved = space.rebuild(FRAME, space.matrix(FRAME) + 0.5)
    kept = ["text", "yes or no", "0 or 1", "category"]
    pd.testing.assert_frame_equal(moved[kept], FRAME[kept])
    assert list(moved.columns) == list(FRAME.columns)
    assert moved["missing"].isna().tolist() == FRAME["missing"].isna().tolist()
    assert moved["single"].dtype == "float32"
    assert moved["whole"].tolist() == (FRAME["whole"] + 0.5).tolist()


def test_units_are_those_of_all_records_and_do_not_know_the_sides():
    X, other = A[:10], A[10:] * 3
    here, there = records(X), records(other)
    both, turned = movable([here, there]), movable([there, here])
    assert np.allclose(both.scale, np.concatenate([X, other]).std(axis=0))
    assert np.array_equal(both.low, np.concatenate([X, other]).min(axis=0))
    assert np.array_equal(both.scale, turned.scale)
    assert np.array_equal(both.middle, turned.middle)


def test_a_population_gives_the_units():
    y = np.arange(N) % 2
    sides = (A, y), (A + 100, y)
    target = Classifier(lambda X: np.zeros(len(X), int), *sides, access="label", classes=[0, 1])
    assert movable_of(target.prepare(0)).scale.min() > 40
    target = Classifier(
        lambda X: np.zeros(len(X), int), *sides, population=(A * 2, y), access="label",
        classes=[0, 1],
    )  # fmt: skip
    assert np.allclose(movable_of(target.prepare(0)).scale, 2 * A.std(axis=0))


def test_pixels_share_a_unit_and_a_range():
    X = np.zeros((N, 4, 4))
    X[:, 1:3, 1:3] = np.arange(N)[:, None, None]
    space = movable([records(X)])
    assert np.allclose(space.scale, X.std())
    assert (space.low.max(), space.high.min()) == (0, N - 1)


def test_records_stay_within_the_range_seen_or_their_own():
    space = movable([records(A)])
    start = space.high + np.array([[1.0, -0.5, 0]])
    assert np.allclose(space.clip(start + 5, start), np.maximum(space.high, start))


def test_copies_keep_their_records_labels():
    here = Records("members", A, np.arange(N), record_units(N), np.arange(N), np.arange(N))
    space, rows = movable([here]), np.array([3, 3, 7])
    copies = perturbed(here, rows, np.zeros((3, 3)), space)
    assert copies.labels.tolist() == copies.y.tolist() == copies.positions.tolist() == [3, 3, 7]
    assert (len(copies.units), np.abs(copies.inputs).max()) == (3, 0)


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (["a", "b"], "other than numbers"),
        ([[1, 2], [3]], "differ in shape"),
        (np.array(["a", "b"]), "other than numbers"),
        (pd.Series(["a", "b"]), "other than numbers"),
        (pd.DataFrame({"a": ["x", "y"]}), "no column of X is numeric"),
        (pd.DataFrame({"a": [0, 1, 0]}), "three different numbers"),
        (np.array([[0.0, 1], [1, 1], [0, 1]]), "three different numbers"),
        (np.ones((3, 2, 2)), "the same number everywhere"),
        (sparse.eye(3).tocsr(), "sparse"),
        (torch.zeros((3, 3), dtype=torch.int64), "tokens"),
        ([torch.zeros(3, dtype=torch.int64)] * 3, "other than numbers"),
    ],
    ids=str,
)
def test_what_cannot_be_moved_is_said(X, says):
    assert says in unmovable(X)
    with pytest.raises(LeakproError, match="cannot be perturbed"):
        movable([Records("members", X, *[None] * 4)])
