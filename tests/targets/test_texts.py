"""Texts in the containers that people keep them in."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.texts import read_text_side

TEXTS = ["one", "two words", "ünï 漢"]


class Column:
    """A column of a data set, which is no list."""

    def __len__(self):
        return len(TEXTS)

    def __getitem__(self, place):
        return TEXTS[place]


@pytest.mark.parametrize(
    "given",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS, index=[5, 6, 7]),
        pd.Series(TEXTS, dtype="string"),
        Column(),
    ],
    ids=["list", "tuple", "array", "objects", "series", "strings", "column"],
)
def test_every_container_is_read(given):
    read = read_text_side(given, "members")
    assert read == TEXTS
    assert {type(text) for text in read} == {str}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "members: None: give a list"),
        ("a text", "members: a str: give a list .* of texts; files are yours to load"),
        (7, "members: a int"),
        ({"text": TEXTS}, "members: a dict"),
        (pd.DataFrame({"text": TEXTS}), r'give one column of it, such as df\["text"\]'),
        (np.array([TEXTS]), r"an array of shape \(1, 3\)"),
        ([], "there is no text"),
        (["a", "", "b", ""], "2 of 4 texts are empty: leave these out"),
        (["a", None, np.nan], r"2 of 3 texts are missing \(None or NaN\)"),
        (["a", b"b", 3], "2 of 3 are no texts but of type bytes"),
        ((TEXTS, [0, 1, 0]), "2 of 2 are no texts but of type list: a language model takes texts"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(given, says):
    with pytest.raises(LeakproError, match=says) as caught:
        read_text_side(given, "members")
    assert "two words" not in str(caught.value)
