"""The piece of HTML for pytest-html."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.report.page import html_fragment
from tests.report.examples import (
    EVERY_KIND,
    HOSTILE,
    broken,
    failing,
    hostile,
    record,
    regressed,
    undecided,
)


class Parsed(HTMLParser):
    """The cells of the table and every tag."""

    def __init__(self, fragment):
        super().__init__()
        self.cells, self.tags, self.attributes = [], set(), set()
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag in ("td", "th"):
            self.cells.append("")
        elif tag == "br":
            self.cells[-1] += "\n"

    def handle_data(self, data):
        self.cells[-1] += data


def test_figures_and_details():
    cells = Parsed(html_fragment([failing(), undecided()])).cells
    assert cells[6:12] == ["deep forest", "tpr@1%fpr", "36%", "29% to 40%", "5%", "❌ FAIL"]
    assert "attacker scores, 32 shadow models" in cells[12].split("\n")
    assert cells[18] == "❓ INCONCLUSIVE, attempt 2; earlier: INCONCLUSIVE"
    assert len(cells) == 6 + 7 * 2


def test_regressions_and_errors_are_told():
    parsed = Parsed(html_fragment([regressed(), broken()]))
    assert f"change {regressed()['change']['shown']}" in parsed.cells[12].split("\n")
    assert f"error {broken()['error']}" in parsed.cells[19].split("\n")


def test_nothing_for_nothing():
    assert html_fragment([]) == ""


def check_inert(fragment, count):
    fragment.encode("utf-8")
    assert fragment.isprintable()
    parsed = Parsed(fragment)
    assert parsed.tags == {"table", "thead", "tbody", "tr", "th", "td", "small", "br"}
    assert parsed.attributes == {"class", "scope", "colspan"}
    assert len(parsed.cells) == 6 + 7 * count


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_escaped(text):
    check_inert(html_fragment([hostile(text), hostile(text, broken())]), 2)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_any_name_is_escaped(text):
    check_inert(html_fragment([hostile(text), hostile(text, record())]), 2)


def test_a_name_is_shown_as_it_is():
    assert "<b> & 'c'" in Parsed(html_fragment([record(target="<b> & 'c'")])).cells


def test_every_kind():
    check_inert(html_fragment(EVERY_KIND), len(EVERY_KIND))
