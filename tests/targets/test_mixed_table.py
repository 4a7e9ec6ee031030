"""Tables read alike: kinds of columns, scales, codes, missing values."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.mixed_table import MixedColumns


def read(*columns):
    frames = {f"table {place}": pd.DataFrame({"x": column}) for place, column in enumerate(columns)}
    learned = MixedColumns(frames)
    return learned.kinds["x"], [learned.encode(frame).values["x"] for frame in frames.values()]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ([1, 2, 3], [1.0, None, 2.0], "number"),
        ([True, False, True], [1, 0, 1], "number"),
        (pd.array([1, None, 2], dtype="Int64"), [2, 1, 1], "number"),
        (pd.to_timedelta([1, 2, 3], unit="D"), pd.to_timedelta([1, 2, None], unit="D"), "number"),
        ([True, False, None], [True, True, False], "category"),
        (["a", None, "b"], pd.Categorical(["b", "a", "a"]), "category"),
        (pd.Categorical([1, 2, 1]), [2, 2, 1], "category"),
        ([None, None, None], ["a", "b", "c"], "category"),
        ([None, None, None], [1.5, 2.5, None], "number"),
        ([None, None, None], [None, None, None], "category"),
        (
            pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
            pd.to_datetime(["2020-01-01"] * 3),
            "date",
        ),
        ([dt.date(2020, 1, 1)] * 3, pd.to_datetime(["2020-01-01"] * 3, utc=True), "date"),
    ],
)
def test_the_same_values_are_read_alike_whatever_their_type(first, second, kind):
    found, values = read(first, second)
    assert found == kind
    for column, coded in zip((first, second), values, strict=True):
        missing = pd.isna(pd.Series(column)).to_numpy()
        np.testing.assert_array_equal(coded < 0 if kind == "category" else np.isnan(coded), missing)

    # Equal in what they mean, equal in what they are read as.
    def plain(column):
        return pd.Series(column).astype(object)

    if kind != "date":
        for one, coded_one in zip(plain(first), values[0], strict=True):
            for other, coded_other in zip(plain(second), values[1], strict=True):
                if not (pd.isna(one) or pd.isna(other)):
                    assert (one == other) == (coded_one == coded_other)
    else:
        assert values[0][0] == values[1][0]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ([1, 2], ["1", "2"], "'x' holds numbers in table 0, texts in table 1"),
        (["2020-01-01"], pd.to_datetime(["2020-01-01"]), "texts in table 0, dates in table 1"),
        ([1, "a"], [2, "b"], "'x' of table 0 holds values that are no single numbers"),
        ([[1], [2]], [[1], [2]], "no single numbers"),
        ([np.inf, 1.0], [1.0, 2.0], "'x' of table 0 holds infinite numbers"),
        ([1j, 2j], [1j, 2j], "complex numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(first, second, said):
    with pytest.raises(LeakproError, match=said):
        read(first, second)


def test_numbers_are_scaled_by_the_range_over_all_tables():
    frames = {
        "a": pd.DataFrame({"x": [10.0, 20.0], "same": [3, 3]}),
        "b": pd.DataFrame({"x": [30.0, None], "same": [3, 3]}),
    }
    learned = MixedColumns(frames)
    first, second = (learned.encode(frame).rows(["x", "same"]) for frame in frames.values())
    np.testing.assert_array_equal(first.numbers, [[0, 0], [0.5, 0]])
    np.testing.assert_array_equal(second.numbers, [[1, 0], [np.nan, 0]])
    beyond = learned.encode(pd.DataFrame({"x": [-5.0, 99.0], "same": [3, 3]}))
    np.testing.assert_array_equal(beyond.scaled("x"), [0, 1])


def test_a_category_that_no_table_had_equals_none_of_theirs():
    learned = MixedColumns({"a": pd.DataFrame({"x": ["p", "q"]})})
    coded = learned.encode(pd.DataFrame({"x": ["q", "new", None]})).values["x"]
    np.testing.assert_array_equal(coded, [1, 2, -1])


def test_rows_are_taken_by_positions_and_by_masks():
    learned = MixedColumns({"a": (frame := pd.DataFrame({"x": [5, 6, 7], "y": ["u", "v", "u"]}))})
    table = learned.encode(frame)
    for rows in (np.array([2, 0]), np.array([True, False, True])):
        assert len(table.take(rows)) == 2
    np.testing.assert_array_equal(table.take(np.array([2, 0])).values["x"], [7, 5])


def test_nothing_shown_reveals_a_value():
    learned = MixedColumns({"a": (frame := pd.DataFrame({"x": ["secret"]}))})
    assert "secret" not in repr(learned) + repr(learned.encode(frame))
