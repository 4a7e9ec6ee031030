"""What holds of every figure: it can stand in a page, says what it shows, and reveals nothing."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from pytest_leakpro.report.figures.palette import Palette
from pytest_leakpro.report.texts.catalogue import languages, words_of
from tests.report.figures.samples import (
    OF_RECORDS,
    WORDS,
    compared,
    described,
    drawn,
    maker,
    numbers_in,
    point,
    records,
    texts,
)

NAMES = [
    *(f"{kind} of {name}" for kind, name in OF_RECORDS),
    "history",
    "comparison",
    "comparison without utility",
    "people",
]
MOST_BYTES = 12_000


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_can_stand_in_a_page(name):
    svg = drawn()[name]
    root = ET.fromstring(svg)
    assert root.tag == "svg"
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert {element.tag for element in root.iter()} <= {"svg", "title", "desc", "path", "text"}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert attributes <= {"class", "viewBox", "role", "style", "d", "x", "y", "transform"}
    assert len(svg.encode()) < MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_named_or_dated(name):
    svg = drawn()[name]
    assert not re.search(r"https?:|url\(|href|@import|<style|<script|\sid=|matplotlib|20\d\d-", svg)


@pytest.mark.parametrize("name", NAMES)
def test_colours_are_the_pages(name):
    svg = drawn()[name]
    styles = "".join(re.findall(r'style="([^"]*)"', svg))
    assert set(re.findall(r"var\(--(\w+)\)", styles)) <= set(Palette._fields)
    assert "#" not in styles
    assert set(re.findall(r"(?:fill|stroke):([^;v]+)", styles)) <= {"none"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_beyond_the_figure(name):
    svg = drawn()[name]
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    numbers = numbers_in(svg)
    assert min(numbers) >= -2
    assert max(numbers) <= max(width, height) + 2
    root = ET.fromstring(svg)
    for element in root.iter("text"):
        assert 0 <= float(element.get("x")) <= width
        assert 0 <= float(element.get("y")) <= height


def test_equal_records_give_equal_figures_whatever_the_settings():
    import matplotlib as mpl

    record = records()["tpr"]
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "path.sketch": (1, 2, 3)}):
        before = dict(mpl.rcParams)
        again = maker("roc")(dict(record), WORDS)
        assert dict(mpl.rcParams) == before
    assert again == drawn()["roc of tpr"]


@pytest.mark.parametrize(("kind", "name"), OF_RECORDS)
def test_the_description_holds_the_figures(kind, name):
    record = records()[name]
    title, text = described(drawn()[f"{kind} of {name}"])
    assert record["target"] in title
    if kind in ("roc", "rates", "quality", "ranks", "bounds"):
        assert record["shown_value"] in text
        if not record["census"]:
            assert record["shown_low"] in text
    if kind in ("roc", "rates", "ranks", "bounds", "slices"):
        assert f"budget {record['shown_limit']}" in text
        written = texts(drawn()[f"{kind} of {name}"])
        assert f"budget {record['shown_limit']}" in written or record["metric"] == "auc"


def test_the_description_of_slices_holds_each():
    _, text = described(drawn()["slices of sliced"])
    assert text.index("sex=M: 5.0% (2.0% to 8.0%) FAIL") < text.index("sex=F: 1.2%")


HOSTILE = (
    "</title><script>alert(1)</script>",
    "--> <!-- ]]> &lt; &#60;",
    "$x^{2}$ \\frac $",
    '" style="fill: #000001" #000001',
    "\x1b[31mred \u202eright \ud800 \x00 new\nline",
    "\U0001f3e5 漢字 e\u0301",
    "x" * 3_000,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_text(text):
    slices = [{**entry, "slicing": text, "label": text} for entry in records()["sliced"]["slices"]]
    record = {**records()["sliced"], "target": text, "metric": text, "slices": slices}
    for svg in (
        maker("slices")(record, WORDS),
        maker("comparison")(
            [
                {**entry, "comparison": {**entry["comparison"], "defence": text, "name": text}}
                for entry in compared()[:2]
            ],
            WORDS,
        ),
        maker("history")([point(0.1, commit=text, shown_value=text)], record, WORDS),
    ):
        svg.encode("utf-8")
        tags = {element.tag for element in ET.fromstring(svg).iter()}
        assert tags == {"svg", "title", "desc", "path", "text"}
        assert len(svg) < MOST_BYTES
        assert all(entry and entry.isprintable() for entry in texts(svg))


def test_a_colour_in_a_name_stays_a_name():
    figures = maker("comparison")(
        [
            {**entry, "comparison": {**entry["comparison"], "defence": "#000001"}}
            for entry in compared()[:1]
        ],
        WORDS,
    )
    assert "#000001" in texts(figures)


@pytest.mark.parametrize("kind", ["roc", "scores", "rates", "quality", "ranks", "bounds", "slices"])
def test_nothing_is_drawn_of_nothing(kind):
    make = maker(kind, "panel")
    for evidence in (None, {"kind": "guesses", "curve": None}, {"kind": "x"}):
        empty = {**records()["tpr"], "evidence": evidence, "slices": []}
        assert make(empty, WORDS) is None
    assert maker(kind)({**records()["tpr"], "evidence": None, "slices": []}, WORDS) == ""


def test_other_languages_have_the_same_figures():
    for language in languages():
        title, text = described(maker("rates")(records()["guesses"], words_of(language)))
        assert "4.1%" in text
        assert "linkability" in title


def test_matplotlib_waits_until_something_is_drawn():
    code = (
        "import sys, pytest_leakpro.report.figures.plot, pytest_leakpro.report.figures.history\n"
        "print('matplotlib' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
