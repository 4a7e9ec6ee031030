"""Records as numbers: every container, codes of known records only, wide records made narrow."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from pytest_leakpro.targets.record_matrix import record_matrix
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.units import record_units

torch = pytest.importorskip("torch")


def records(inputs, labels=None):
    n = len(inputs) if not sp.issparse(inputs) else inputs.shape[0]
    labels = np.arange(n) % 2 if labels is None else labels
    return Records("members", inputs, labels, record_units(n), labels, np.arange(n))


def matrix(inputs, known=None, **options):
    return record_matrix(
        records(inputs), None if known is None else records(known), labels=False, **options
    )


RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(30, 4))


@pytest.mark.parametrize(
    "inputs",
    [
        NUMBERS,
        NUMBERS.tolist(),
        list(NUMBERS),
        list(torch.as_tensor(NUMBERS)),
        torch.as_tensor(NUMBERS),
        torch.as_tensor(NUMBERS).reshape(30, 2, 2),
        sp.csr_matrix(NUMBERS),
        sp.coo_array(NUMBERS),
        pd.DataFrame(NUMBERS),
        pd.DataFrame(NUMBERS).astype(object),
        NUMBERS.astype(object),
    ],
    ids=lambda inputs: type(inputs).__name__,
)
def test_numbers_stand_as_they_are(inputs):
    np.testing.assert_allclose(matrix(inputs), NUMBERS)


def test_labels_are_the_last_columns():
    assert (record_matrix(records(NUMBERS))[:, 4] == np.arange(30) % 2).all()
    targets = RNG.normal(size=(30, 2))
    np.testing.assert_array_equal(record_matrix(records(NUMBERS, targets))[:, 4:], targets)


def test_columns_of_a_frame_by_what_is_known():
    known = pd.DataFrame(
        {
            "text": ["b", "a", None, "b"] * 5,
            "level": pd.Categorical(["low", "high"] * 10, categories=["low", "mid", "high"]),
            "flag": [True, False] * 10,
            "count": pd.array([1, pd.NA] * 10, dtype="Int64"),
            "day": pd.date_range("1970-01-01", periods=20, freq="D"),
            "zoned": pd.date_range("1970-01-01", periods=20, freq="D", tz="Asia/Tokyo"),
            "span": pd.to_timedelta(np.arange(20), unit="s"),
            "mixed": [1, "x"] * 10,
            "cells": [[1, 2], [3]] * 10,
            "empty": [None] * 20,
            "sparse": pd.arrays.SparseArray([0.0, 2.0] * 10),
        }
    )
    given = pd.DataFrame(
        {
            "text": ["a", "b", "new", None],
            "level": pd.Categorical(["high", "high", None, "odd"]),
            "flag": [True, None, False, True],
            "count": [4.0, np.nan, 5, 6],
            "day": [pd.Timestamp("1970-01-02"), pd.NaT, pd.NaT, pd.NaT],
            "zoned": [pd.Timestamp("1970-01-02", tz="UTC"), pd.NaT, pd.NaT, pd.NaT],
            "span": [pd.Timedelta(3, "s"), pd.NaT, pd.NaT, pd.NaT],
            "mixed": ["x", 1, 2, None],
            "cells": [[1], None, [], [4, 5]],
            "empty": ["seen", None, None, None],
            "sparse": [1.0, 2.0, np.inf, np.nan],
        }
    )
    found = matrix(given, known)
    assert found.shape[1] == matrix(known).shape[1]
    nan = np.nan
    expected = {
        0: [0, 1, nan, nan],
        1: [2, 2, nan, nan],
        2: [1, nan, 0, 1],
        3: [4, nan, 5, 6],
        4: [86400, nan, nan, nan],
        5: [86400, nan, nan, nan],
        6: [3, nan, nan, nan],
        7: [1, 0, nan, nan],
        -2: [nan] * 4,
        -1: [1, 2, 1e30, nan],
    }
    for column, values in expected.items():
        np.testing.assert_array_equal(found[:, column], values)


def test_texts_that_hardly_repeat_are_read_word_by_word():
    known = pd.DataFrame({"note": [f"patient {i} has fever" for i in range(40)]})
    found = matrix(pd.DataFrame({"note": ["has fever", "has fever", "has cough"]}), known)
    assert found.shape == (3, 40)
    assert (found[0] == found[1])[:33].all()
    assert (found[0] != found[2]).any()


@pytest.mark.parametrize(
    "items",
    [
        ["one two", "two three four", ""] * 10,
        [[5, 6, 7], [8, 9]] * 15,
        [torch.arange(3), torch.arange(4)] * 15,
        [(torch.zeros(2), torch.ones(3)), (torch.zeros(1), torch.ones(3))] * 15,
        [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}] * 15,
        [b"raw", b"bytes"] * 15,
        [[0.5, 1.5], [2.5]] * 15,
        [["a", 1], ["b", 2]] * 15,
        [None, "one"] * 15,
    ],
    ids=lambda items: type(items[0]).__name__,
)
def test_what_has_no_shape_is_counted(items):
    found = matrix(items)
    assert found.shape == (30, 264)
    assert np.array_equal(found[0], found[len(items) // 2 * 2 - 6], equal_nan=True)
    assert not np.array_equal(found[0], found[1], equal_nan=True)


def test_lists_follow_the_shape_of_what_is_known():
    found = matrix([[1.0, 2.0], [3.0], "text"] * 10, [[1.0, 2.0]] * 10)
    assert found.shape == (30, 2)
    assert found[0].tolist() == [1, 2]
    assert np.isnan(found[1:3]).all()
    assert matrix([[1.0, 2.0]] * 10, [[1.0, 2.0], [3.0]]).shape == (10, 264)


@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor, list])
@pytest.mark.parametrize(("shape", "columns"), [((1, 28, 28), 196), ((3, 32, 32), 192)])
def test_images_are_pooled(wrap, shape, columns):
    images = RNG.normal(size=(12, *shape)).astype(np.float32)
    found = matrix(wrap(images))
    assert found.shape == (12, columns)
    factor = 2 if shape[0] == 1 else 4
    corner = images[:, 0, :factor, :factor].mean(axis=(1, 2))
    np.testing.assert_allclose(found[:, 0], corner, rtol=1e-5)


def test_axes_that_do_not_divide_are_pooled_by_what_is_there():
    series = np.arange(2 * 601 * 3, dtype=float).reshape(2, 601, 3)
    found = matrix(series)
    np.testing.assert_allclose(found[0, :3], series[0, :8].mean(axis=0))
    np.testing.assert_allclose(found[0, -3:], series[0, 600:].mean(axis=0))


@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor, pd.DataFrame, sp.csr_matrix])
def test_wide_records_keep_their_distances(wrap):
    wide = RNG.normal(size=(40, 2000))
    wide[1] = wide[0]
    found = matrix(wrap(wide[:20]), wrap(wide))
    assert found.shape == (20, 256)
    assert np.array_equal(found[0], found[1])
    # A squared distance of 256 columns has a relative spread of about 9 %.
    squared = np.sum((found[2:] - found[0]) ** 2, axis=1)
    plain = np.sum((wide[2:20] - wide[0]) ** 2, axis=1)
    ratio = squared / plain
    assert np.abs(ratio / ratio.mean() - 1).max() < 0.4


def test_wide_records_with_missing_values_stay_finite():
    wide = RNG.normal(size=(40, 600))
    wide[3, :50], wide[:, 7], wide[5, 8] = np.nan, np.nan, np.inf
    assert np.isfinite(matrix(wide)).all()
    assert np.isfinite(matrix(sp.csr_matrix(wide))).all()


@pytest.mark.parametrize("kind", ["U", "M8[s]", "m8[s]", "c16"])
def test_arrays_of_other_kinds(kind):
    values = RNG.integers(0, 5, (20, 2))
    array = values.astype(complex) if kind == "c16" else values.astype(kind)
    found = matrix(array)
    np.testing.assert_array_equal(found[:, :2], values)


def test_texts_in_a_series():
    found = matrix(pd.Series(["red", "blue"] * 10))
    assert found[:2, 0].tolist() == [1, 0]
