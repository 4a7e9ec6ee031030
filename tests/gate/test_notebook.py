"""Tables in notebooks: the figures of the summary, and nothing that could do harm."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pytest_leakpro import MembershipScores, audit
from pytest_leakpro.gate.notebook import NotebookRow, notebook_table

HOSTILE = ("<script>alert(1)</script>", '" onmouseover="x', "</td></tr></table>", "\x1b[31m\u202e")


class Parsed(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.cells, self.tags, self.attributes = [], [], set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag in ("td", "th", "p"):
            self.cells.append("")
        elif tag == "br":
            self.cells[-1] += "\n"

    def handle_data(self, data):
        self.cells[-1] += data


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
def test_a_notebook_shows_the_figures_of_the_summary():
    rng = np.random.default_rng(0)
    scores = MembershipScores(rng.normal(1, 1, 400), rng.normal(0, 1, 400), name="churn")
    found = audit(scores, "auc <= 0.6", "advantage <= 90%")
    cells = Parsed(found._repr_html_()).cells
    header, *rows = str(found).splitlines()
    assert cells[:6] == header.split()
    assert cells[6:12] == re.split(r"\s{2,}", rows[0])
    assert cells[12] == rows[1].strip()
    assert cells[13:19] == re.split(r"\s{2,}", rows[2])


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_escaped(text):
    row = NotebookRow([text, text], below=[text, text])
    page = notebook_table(["target", text], [row, NotebookRow([text, "x"], part=True)], [text])
    parsed = Parsed(page)
    assert set(parsed.tags) == {"table", "thead", "tbody", "tr", "th", "td", "br", "p"}
    assert parsed.attributes == {"style", "scope", "colspan"}
    assert page.isprintable()


def test_verdicts_are_marked_by_more_than_their_word():
    rows = [NotebookRow(["x", verdict]) for verdict in ("PASS (weak suite)", "FAIL", "-")]
    page = notebook_table(["target", "verdict"], rows)
    assert page.count("<span") == 2
    assert "PASS (weak suite)</span>" in page


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_marked_verdicts_can_be_read():
    """White on their grounds has the contrast of at least 4.5 that WCAG 2.2 asks for."""
    page = notebook_table(
        ["verdict"], [NotebookRow([word]) for word in ("PASS", "FAIL", "INCONCLUSIVE")]
    )
    grounds = re.findall(r"background:(#\w{6})", page)
    assert len(grounds) == 3
    assert all(1.05 / (luminance(ground) + 0.05) >= 4.5 for ground in grounds)
