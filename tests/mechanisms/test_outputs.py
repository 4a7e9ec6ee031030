"""What mechanisms return is read into columns."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.mechanisms.outputs import ABSENT, NUMBER, Reader


def read(*returned):
    reader = Reader()
    return reader, reader.read(list(returned), "data")


def test_numbers_and_arrays_are_numbers():
    for returned in ([1, 2.5, True], [np.float32(1), 2.5, np.int8(1)]):
        reader, outputs = read(*returned)
        assert reader.columns == [""]
        assert outputs.numbers.ravel().tolist() == [1.0, 2.5, 1.0]
        assert not outputs.tags.any()
    reader, outputs = read(np.eye(2), np.ones((2, 2)))
    assert reader.columns == ["[0][0]", "[0][1]", "[1][0]", "[1][1]"]
    assert outputs.numbers.tolist() == [[1, 0, 0, 1], [1, 1, 1, 1]]


@pytest.mark.parametrize(
    "returned",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        [(1.0, 2.0), (3.0, 4.0)],
        [pd.Series([1.0, 2.0]), pd.Series([3.0, 4.0])],
        [{"a": 1.0, "b": 2.0}, {"b": 4.0, "a": 3.0}],
        [(np.array([1.0]), 2), (np.array([3.0]), 4)],
    ],
)
def test_structures_are_flattened(returned):
    assert read(*returned)[1].numbers.tolist() == [[1, 2], [3, 4]]


def test_other_values_are_told_apart():
    reader, outputs = read("yes", None, "no", "yes", 3, float("nan"), -np.inf, np.str_("no"))
    tags = outputs.tags.ravel()
    assert tags[0] == tags[3] != tags[2] == tags[7]
    assert tags[4] == NUMBER
    assert len(set(tags.tolist())) == 6
    shown = [reader.shown(int(tag)) for tag in tags[[0, 1, 5, 6]]]
    assert shown == ["'yes'", "None", "nan", "-inf"]


def test_tuples_and_dictionaries_may_change_their_length_but_arrays_may_not():
    outputs = read(("a", 1), ("a",))[1]
    assert outputs.tags[1, 1] == ABSENT
    assert read({"x": 1.0}, {})[1].tags.ravel().tolist() == [NUMBER, ABSENT]
    for returned in ([np.zeros(2), np.zeros(3)], [[1], [1, 2]], [pd.Series([1.0]), pd.Series([])]):
        with pytest.raises(LeakproError, match="different shapes"):
            read(*returned)


def test_lengths_may_differ_between_the_data_sets():
    reader = Reader()
    one = reader.read([np.zeros(2)] * 3, "data")
    two = reader.read([np.zeros(3)] * 3, "neighbour")
    assert (one.widened(3).tags[:, 2] == ABSENT).all()
    assert two.width == 3
    # The other way round: the quick way must not mistake columns.
    assert (reader.read([np.ones(2)], "data").tags[0].tolist()) == [NUMBER, NUMBER, ABSENT]


def test_keys_are_equal_exactly_where_outputs_are():
    keys = read(("a", 0.0), ("a", -0.0), ("a", 1e-300), ("b", 0.0), ("a",))[1].keys()
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_objects_that_cannot_be_compared_are_refused():
    with pytest.raises(LeakproError, match="returned a object"):
        read(object(), object())


def test_large_whole_numbers_are_kept():
    outputs = read(10**400, 10**400 + 1)[1]
    assert outputs.tags[0, 0] != outputs.tags[1, 0]
