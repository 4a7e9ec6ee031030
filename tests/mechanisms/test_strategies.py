"""Drawn pairs are neighbours, whatever is drawn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from pytest_leakpro import LeakproError
from pytest_leakpro.mechanisms.pairs import as_pair
from pytest_leakpro.strategies import arrays, tables

COLUMNS = {"age": st.integers(0, 120), "smoker": ["yes", "no"], "share": st.floats(0, 1)}


@settings(max_examples=30)
@given(st.data(), st.sampled_from(["add/remove", "replace"]), st.sampled_from([None, 1, 3]))
def test_arrays_differ_in_one_record(data, relation, width):
    low = data.draw(st.integers(0, 3))
    pairs = arrays([0, 1, 2], width=width, min_size=low, max_size=6, relation=relation)
    one, two = pair = data.draw(pairs)
    as_pair(pair, None)
    assert one.dtype == two.dtype
    assert one.shape[1:] == two.shape[1:] == (() if width is None else (width,))
    assert low <= len(two) <= len(one) <= 6
    if relation == "replace":
        assert len(one) == len(two)
        changed = one != two if width is None else (one != two).any(axis=1)
        assert changed.sum() == 1
    else:
        assert len(one) == len(two) + 1
        assert any(np.array_equal(np.delete(one, i, axis=0), two) for i in range(len(one)))


@settings(max_examples=20)
@given(st.data(), st.sampled_from(["add/remove", "replace"]))
def test_tables_differ_in_one_record(data, relation):
    one, two = pair = data.draw(tables(COLUMNS, relation=relation))
    as_pair(pair, relation)
    assert list(one.columns) == list(two.columns) == list(COLUMNS)
    assert (one.dtypes == two.dtypes).all()
    assert list(two.index) == list(range(len(two)))
    assert len(one) - len(two) == (relation == "add/remove")


def test_pairs_shrink_to_small_ones():
    one, _ = find(arrays(st.integers(0, 9)), lambda pair: pair[0].sum() >= 3)
    assert len(one) <= 3
    assert one.sum() == 3
    one, _ = find(tables({"a": [0, 1]}), lambda pair: True)
    pd.testing.assert_frame_equal(one, pd.DataFrame({"a": [0]}))


def test_records_that_differ_everywhere_are_drawn():
    """What adds up over many entries is seen only on such data."""
    found = find(
        arrays([0, 1], width=10, min_size=1, max_size=1, relation="replace"),
        lambda pair: (pair[0] + pair[1] == 1).all(),
        settings=settings(max_examples=500),
    )
    assert found[0].shape == (1, 10)


@pytest.mark.parametrize(
    ("one", "two", "relation"),
    [
        (np.array([1, 2]), np.array([1, 2]), "add/remove"),
        (np.array([1, 2, 3]), np.array([1]), "add/remove"),
        (np.array([1, 2]), np.array([3, 4]), "replace"),
        (np.array([1, 2]), np.array([1]), "replace"),
        ([1, 2], [2, 3], lambda data, neighbour: len(data) != len(neighbour)),
    ],
)
def test_pairs_that_are_no_neighbours_are_refused(one, two, relation):
    with pytest.raises(LeakproError, match="are not neighbours") as caught:
        as_pair((one, two), relation)
    assert str(one) not in str(caught.value)


def test_neighbours_in_any_order_are_accepted():
    as_pair((np.array([3, 1, 2]), np.array([1, 2])), "add/remove")
    as_pair((pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [5, 1]})), "replace")
    with pytest.raises(LeakproError, match="cannot be checked on int"):
        as_pair((1, 2), "replace")


@pytest.mark.parametrize("drawn", [np.zeros(2), (1, 2, 3), [1, 2], "ab"])
def test_what_is_no_pair_is_refused(drawn):
    with pytest.raises(LeakproError, match=r"give pairs \(data, neighbour\)"):
        as_pair(drawn, None)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: arrays([0, 1], relation="swap"), "known are 'add/remove'"),
        (lambda: arrays(7), "elements is a int"),
        (lambda: arrays([]), "elements is a list"),
        (lambda: arrays([0], width=0), "width is 0"),
        (lambda: arrays([0], min_size=4, max_size=4), "at least 5 records"),
        (lambda: tables({}), "columns must be"),
        (lambda: tables({"a": 3}), "column 'a' is a int"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(make, said):
    with pytest.raises(LeakproError, match=said):
        make()
