"""How figures and names are written."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import LeakproError, Measurement, Verdict
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.measurement import AttackFigures
from pytest_leakpro.gate.plain import plain
from pytest_leakpro.gate.table import html_table, text_table
from pytest_leakpro.gate.wording import plain_number, printable, shown, shown_bounds


@pytest.mark.parametrize(
    ("value", "unit", "toward", "text"),
    [
        (0.0469, "percent", 0, "4.7%"),
        (0.04613, "percent", 1, "4.7%"),
        (0.04697, "percent", -1, "4.6%"),
        (0.047, "percent", -1, "4.7%"),
        (0.047, "percent", 1, "4.7%"),
        (0.31, "percent", 0, "31%"),
        (0.316, "percent", 1, "32%"),
        (1.0, "percent", 1, "100%"),
        (0.0, "percent", 0, "0%"),
        (0.000391, "percent", -1, "0.039%"),
        (0.7161, "decimal", 0, "0.716"),
        (0.7161, "decimal", 1, "0.717"),
        (math.nan, "percent", 0, "-"),
    ],
)
def test_numbers(value, unit, toward, text):
    assert shown(value, unit, toward=toward) == text


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["percent", "decimal"]))
def test_bounds_never_contradict_the_verdict(low, high, limit, unit):
    low, high = sorted([low, high])
    limit = round(limit, 4)
    _, low_text, high_text = shown_bounds((low + high) / 2, low, high, limit, unit)
    scale = 100 if unit == "percent" else 1
    seen_low, seen_high = (float(text.rstrip("%")) / scale for text in (low_text, high_text))
    assert seen_low <= low + 1e-9
    assert seen_high >= high - 1e-9
    if abs(low - limit) > 1e-6 and abs(high - limit) > 1e-6:
        assert (seen_low > limit) == (low > limit)
        assert (seen_high <= limit) == (high <= limit)


def test_a_bound_just_beyond_the_limit_shows_more_digits():
    assert shown_bounds(0.009, 0.001, 0.01004, 0.01, "percent") == ("0.90%", "0.10%", "1.1%")
    assert shown_bounds(0.02, 0.01004, 0.03, 0.01, "percent")[1] == "1.004%"


def test_a_limit_is_written_as_it_was_chosen():
    assert plain_number(0.001, "percent") == "0.1%"
    assert plain_number(0.55) == "0.55"


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[31mred", "a\nb", "a\rb", "\u202eabc", "\udc80", "\x07", "\u2028", "x" * 10_000, "\x00"],
)
def test_names_are_made_printable(hostile):
    safe = printable(hostile, 40)
    assert len(safe) <= 40
    safe.encode("utf-8")
    assert safe.isprintable()


@given(st.text(), st.integers(1, 30))
def test_printable_keeps_its_width(text, width):
    safe = printable(text, width)
    assert len(safe) <= width
    assert safe.isprintable()
    if text.isprintable() and len(text) <= width:
        assert safe == text


def measurement(**changes):
    fields = {
        "target": "churn-v3",
        "metric": parse_metric("tpr@0.1%fpr"),
        "value": 0.047,
        "low": 0.031,
        "high": 0.066,
        "limit": 0.01,
        "verdict": Verdict.FAIL,
        "attack": "loss",
        "n_members": 20_000,
        "n_nonmembers": 20_000,
        "seconds": 1.23,
        "strength": "scores, no shadow models",
        "figures": (AttackFigures("loss", 1.0, 0.047, 0.031, 0.066, 1e-9),),
    }
    return Measurement(**{**fields, **changes})


def test_a_measurement_as_plain_data():
    record = measurement(value=np.float64(0.047), n_members=np.int64(7)).to_plain()
    assert record["metric"] == "tpr@0.1%fpr"
    assert record["verdict"] == "FAIL"
    assert record["figures"][0]["attack"] == "loss"
    assert type(record["value"]) is float
    assert type(record["sizes"]["members"]) is int
    assert record["shown_value"] == "4.7%"


def test_table_fits_80_columns_whatever_the_names():
    records = [
        measurement().to_plain(),
        measurement(
            target="\u202e" + "long name " * 300, verdict=Verdict.PASS, weak_suite=True
        ).to_plain(),
        measurement(
            value=math.nan, low=math.nan, high=math.nan, verdict=Verdict.INCONCLUSIVE, attack=""
        ).to_plain(),
        measurement(limit=None, verdict=None, metric=parse_metric("auc")).to_plain(),
    ]
    text = text_table(records)
    assert max(map(len, text.split("\n"))) <= 80
    for part in ("tpr@0.1%fpr", "4.7%", "3.1% to 6.6%", "FAIL", "PASS (weak suite)", "20,000"):
        assert part in text
    assert "not scored" in text
    assert "INCONCLUSIVE" in text


def test_html_table_escapes_names():
    page = html_table([measurement(target="<script>alert(1)</script>").to_plain()])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1: (np.float32(0.5), np.bool_(True))}, {"1": [0.5, True]}),
        (math.inf, None),
        (np.float64("nan"), None),
        (Verdict.PASS, "PASS"),
        (None, None),
        (np.array(3), 3),
    ],
)
def test_plain_data(value, expected):
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("value", [np.zeros(3), object(), {1, 2}, b"x", {"a": [np.zeros(2)]}])
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(LeakproError, match="cannot stand in a record"):
        plain(value)
