"""Records are equal when their values are, in every container."""

from __future__ import annotations

import datetime as dt
import time

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.row_keys import row_keys


def equal(one, other):
    """Compare the single record of one container with that of another."""
    (a,), (b,) = row_keys([one, other])
    return a == b


def cell(value, **options):
    return pd.DataFrame({"a": [1.5], "b": pd.Series([value], **options)})


EQUAL = {
    "zeros": (np.array([[-0.0, 1.0]]), np.array([[0.0, 1.0]])),
    "nans": (np.array([[np.nan]]), np.array([[-np.nan]])),
    "int and float": (np.array([[1, 2]]), np.array([[1.0, 2.0]])),
    "bool and int": (np.array([[True]]), np.array([[1]])),
    "bool and float": (np.array([[True]]), np.array([[1.0]])),
    "int32 and int64": (np.array([[7]], dtype=np.int32), np.array([[7]])),
    "float32 and float64": (np.array([[0.5]], dtype=np.float32), np.array([[0.5]])),
    "half": (np.array([[-0.0]], dtype=np.float16), np.array([[0.0]], dtype=np.float16)),
    "long": (np.array([[0.5]], dtype=np.longdouble), np.array([[0.5]], dtype=np.longdouble)),
    "complex": (np.array([[complex(-0.0, 1)]]), np.array([[complex(0, 1)]])),
    "texts": (np.array([["a", "b"]]), np.array([["a", "b"]], dtype="U9")),
    "objects": (np.array([["a", None]], dtype=object), np.array([["a", np.nan]], dtype=object)),
    "objects and numbers": (np.array([[1, 2]], dtype=object), np.array([[1.0, 2.0]])),
    "times": (np.array([["2020-01-01"]], dtype="M8[D]"), np.array([["2020-01-01"]], dtype="M8[s]")),
    "orders": (np.asfortranarray(np.ones((1, 2, 3))), np.ones((1, 2, 3))),
    "frame zero": (cell(-0.0), cell(0.0)),
    "frame numbers": (cell(1), cell(1.0)),
    "frame nullable": (cell(1, dtype="Int64"), cell(1.0)),
    "frame bool": (cell(True), cell(1)),
    "frame half": (cell(1.5, dtype="float16"), cell(1.5, dtype="float16")),
    "frame missing": (cell(None, dtype=object), cell(np.nan, dtype=object)),
    "frame na": (cell(pd.NA, dtype="Int64"), cell(np.nan)),
    "frame text": (cell("x", dtype="str"), cell("x", dtype=object)),
    "frame category": (cell("x", dtype="category"), cell("x")),
    "frame categories": (
        pd.DataFrame({"a": pd.Categorical(["x"], categories=["x", "y"])}),
        pd.DataFrame({"a": pd.Categorical(["x"], categories=["z", "x"])}),
    ),
    "frame date": (cell(pd.Timestamp("2020-01-01")), cell(pd.Timestamp("2020-01-01"))),
    "frame nat": (cell(pd.NaT, dtype="M8[ns]"), cell(pd.NaT, dtype="M8[s]")),
    "frame lists": (cell([1, 2]), cell([1.0, 2.0])),
    "frame sparse": (cell(1.0, dtype=pd.SparseDtype(float)), cell(1.0)),
    "series": (pd.Series([1], index=[5]), pd.Series([1.0])),
    "sparse": (sp.csr_matrix([[0, 3]]), sp.csc_matrix([[0.0, 3.0]])),
    "sparse zero": (sp.csr_matrix(([0.0], [1], [0, 1]), shape=(1, 3)), sp.csr_array((1, 3))),
    "sparse double": (sp.coo_matrix(([1, 2], ([0, 0], [1, 1]))), sp.csr_matrix([[0, 3]])),
    "sparse nan": (sp.csr_matrix([[0, np.nan]]), sp.csr_matrix([[0, -np.nan]])),
    "lists": ([[1, 2]], [[1.0, 2.0]]),
    "list of numbers": ([1], [1.0]),
    "list of arrays": ([np.array([1, 2])], [np.array([1.0, 2.0])]),
    "list and arrays": ([[1, 2]], [np.array([1.0, -0.0 + 2])]),
    "tuples": ([(1, 2)], [[1, 2]]),
    "list with none": ([[1, None]], [[1.0, float("nan")]]),
    "list with na": ([[1, pd.NA, 2.5]], [[1.0, None, 2.5]]),
    "list of texts": (["abc"], [np.str_("abc")]),
    "dictionaries": ([{"a": 1, "b": [1, 2]}], [{"b": (1.0, 2), "a": True}]),
    "sets": ([{"a", "b"}], [{"b", "a"}]),
    "bytes": ([b"ab"], [bytearray(b"ab")]),
    "dates": ([[dt.date(2020, 1, 1), "a"]], [[dt.date(2020, 1, 1), "a"]]),
    "ragged": ([[[1], [2, 3]]], [[[1.0], [2, 3.0]]]),
    "complex numbers": (
        [
            [1 + 2j, "a"],
        ],
        [[1 + 2j, "a"]],
    ),
    "complex real": ([[complex(2, 0), "a"]], [[2, "a"]]),
    "list of scalars": ([np.array(2.0), "a"][:1], [2]),
    "huge": ([[10**400, 1]], [[10**400, 1.0]]),
    "big": ([[2**80, "a"]], [[2**80, "a"]]),
    "infinite": ([[np.inf, "a"]], [[float("inf"), "a"]]),
}
UNEQUAL = {
    "numbers": (np.array([[1.0, 2.0]]), np.array([[1.0, 2.0000001]])),
    "big integers": (np.array([[2**60]]), np.array([[2**60 + 1]])),
    "nan and zero": (np.array([[np.nan]]), np.array([[0.0]])),
    "texts": (np.array([["a", "b"]]), np.array([["ab", ""]])),
    "objects": (np.array([["a", None]], dtype=object), np.array([["a", "None"]], dtype=object)),
    "text and number": (np.array([["1"]]), np.array([[1]])),
    "frame": (cell(1.0), cell(2.0)),
    "frame missing": (cell(None, dtype=object), cell("None", dtype=object)),
    "frame text": (cell("1"), cell(1)),
    "frame lists": (cell([1, 2]), cell([2, 1])),
    "sparse place": (sp.csr_matrix([[3, 0]]), sp.csr_matrix([[0, 3]])),
    "sparse value": (sp.csr_matrix([[3, 0]]), sp.csr_matrix([[4, 0]])),
    "lists": ([["ab", "c"]], [["a", "bc"]]),
    "text and number in lists": ([["1"]], [[1]]),
    "text and bytes": (["a"], [b"a"]),
    "dictionaries": ([{"a": 1}], [{"a": 2}]),
    "lengths": ([[1, 2]], [[1, 2, 3]]),
    "shapes": ([np.ones((2, 3))], [np.ones((3, 2))]),
    "fractions": ([[0.5, "a"]], [[0.25, "a"]]),
    "infinite": ([[np.inf, "a"]], [[-np.inf, "a"]]),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_records_have_one_key(name):
    assert equal(*EQUAL[name])


@pytest.mark.parametrize("name", UNEQUAL)
def test_different_records_have_different_keys(name):
    assert not equal(*UNEQUAL[name])


def test_objects_without_a_value_are_refused():
    with pytest.raises(LeakproError, match="objects of type object"):
        row_keys([[object()], [object()]])


values = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, -0.0, np.nan, np.inf, 1e300]))


@settings(deadline=None)
@given(
    arrays(float, st.tuples(st.integers(1, 8), st.just(2)), elements=values),
    arrays(float, st.tuples(st.integers(1, 8), st.just(2)), elements=values),
)
def test_keys_agree_with_a_comparison_of_values_in_every_container(one, other):
    wanted = [[np.array_equal(a, b, equal_nan=True) for b in other] for a in one]
    kinds = [
        np.asarray,
        lambda a: pd.DataFrame(a),
        lambda a: pd.DataFrame(a.astype(object)),
        lambda a: a.astype(object),
        np.ndarray.tolist,
        sp.csr_matrix,
        lambda a: [[*row, "text"] for row in a.tolist()],
    ]
    for kind in kinds:
        first, second = row_keys([kind(one), kind(other)])
        assert [[a == b for b in second] for a in first] == wanted


def test_the_blocks_of_large_records_fit_together(monkeypatch):
    monkeypatch.setattr("pytest_leakpro.targets.row_keys._BLOCK_BYTES", 100)
    x = np.random.default_rng(0).normal(size=(23, 5))
    keys, again = row_keys([x, x[::-1]])
    assert keys == again[::-1]
    assert len(set(keys)) == 23


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame, sp.csr_matrix])
def test_twenty_thousand_records_are_quick(kind):
    rng = np.random.default_rng(0)
    pair = [kind(rng.normal(size=(20_000, 20))) for _ in range(2)]
    started = time.perf_counter()
    keys = row_keys(pair)
    # Generous, for loaded machines: it takes about a tenth.
    assert time.perf_counter() - started < 3
    assert len(set(keys[0]) | set(keys[1])) == 40_000
