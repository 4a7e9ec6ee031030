"""A thousand figures of people: as many as were said."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.report.figures.people import people_svg
from tests.report.figures.samples import WORDS, described, texts

STEP = 13  # units between two rows
HEAD = 3.8  # how wide a head is drawn; what is put on it again is narrower


def counted(svg, colour, width):
    """Count the heads of the field in a colour: dashes of lines downwards, one each."""
    total = 0
    for path in ET.fromstring(svg).iter("path"):
        style = path.get("style")
        if f"var(--{colour})" in style and f"stroke-width:{width};" in style:
            for top, end in re.findall(r"M\S+ (\S+)V(\S+?)(?=M|$)", path.get("d")):
                total += 1 + int((float(end) - 1 - float(top)) / STEP + 0.5)
    return total


counts = st.integers(0, 1000)


@settings(max_examples=25, deadline=None)
@given(st.tuples(counts, counts, counts).map(sorted), counts | st.none())
def test_there_are_as_many_as_were_said(figures, allowed):
    low, found, high = figures
    svg = people_svg(1000, found, low, high, allowed, WORDS)
    assert counted(svg, "bad", HEAD) == high
    assert counted(svg, "grid", HEAD) == 1000 - high
    assert counted(svg, "paper", 1.8) == high - low
    assert counted(svg, "bad", 0.9) == found - low
    assert len(svg) < 14_000


def test_nothing_is_understated():
    svg = people_svg(1000, 46.6, 31.9, 65.2, 10.9, WORDS)
    assert texts(svg) == [
        "at least 31 exposed",
        "about 47 exposed, by the estimate",
        "at most 66 exposed",
        "the budget allows 10",
    ]
    title, text = described(svg)
    assert title == "Of 1,000 people, those who would be exposed"
    assert text == ". ".join([*texts(svg), ""]).strip()


def test_what_is_exact_is_said_once():
    svg = people_svg(1000, 3, 3, 3, None, WORDS)
    assert texts(svg) == ["3 exposed"]
    assert "limit" not in svg


@pytest.mark.parametrize(
    ("allowed", "border"),
    [(0, "M0 2.4H360"), (10, "M0 15.4H90V2.4H360"), (40, "M0 15.4H360"), (1000, None)],
)
def test_a_line_stands_behind_the_last_who_is_allowed(allowed, border):
    svg = people_svg(1000, 20, 10, 30, allowed, WORDS)
    assert (border is None) == ("H360" not in svg)
    assert border is None or f'd="{border}"' in svg


@pytest.mark.parametrize("total", [1, 7, 40, 41, 999])
def test_other_crowds(total):
    svg = people_svg(total, total, 0, 5_000, -3, WORDS)
    assert counted(svg, "bad", HEAD) == total
