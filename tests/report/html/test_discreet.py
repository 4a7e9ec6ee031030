"""What texts of records may show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.report.html.discreet import (
    LONGEST,
    discreet,
    discreet_record,
    names_columns,
    shown_notes,
)
from tests.store.samples import record


@pytest.mark.parametrize(
    "text",
    [
        "cannot read /home/secret/model.pkl: no such file",
        "kept in '/srv/secret/.leakpro'",
        "[/mnt/secret/a.csv]",
        "data=~/secret/a.csv",
        r"C:\Users\secret\a.csv is locked",
        "D:/secret/a.csv",
        r"\\secret\share\a.csv",
        "tcp://secret:8786 does not answer",
        "s3://secret/cache",
        "file:///secret/a",
        "at (/secret/a.csv)",
        "path:/secret/b",
    ],
)
def test_paths_and_addresses_are_left_out(text):
    assert "secret" not in discreet(text)
    assert "…" in discreet(text)


@pytest.mark.parametrize(
    "text",
    [
        "tests/test_privacy.py::test_model[a/b]",
        "marker, tests/test_privacy.py:12",
        "steps[1]._fit_X (after steps[0])",
        "3 / 4 and and/or",
        "baseline 0.521: +0.030, at least +0.011",
        "delta = 1e-05: assumes nothing",
    ],
)
def test_the_rest_stays_as_it_is(text):
    assert discreet(text) == text


@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=()), max_size=1_000))
def test_any_text_is_printable_and_short(text):
    shown = discreet(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST
    shown.encode("utf-8")


def test_notes_that_name_columns_are_counted():
    notes = [
        "linkability: who knows age, sex is linked to income (as given)",
        "inference: income from age, sex (as given)",
        "texts of diary in the release: 0.0% are in the source (0.0% by the control)",
        "diary left out of the attacks as free text: name it in secret=",
        "original and synthetic have different columns: synthetic lacks diary",
        "5 of 800 members have a near-duplicate",
        "5 of 800 members have a near-duplicate",
    ]
    assert shown_notes(notes) == ([notes[-1]], 5)
    assert not names_columns(notes[-1])


def test_what_the_page_has_no_use_for_is_not_there():
    plain = discreet_record(
        record(digests={"data": "secret"}, scores="secret", device="/dev/secret")
    )
    assert "secret" not in str(plain)
    assert plain["evidence"]["curve"]["x"] == "0 20 2000"
