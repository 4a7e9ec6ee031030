"""The page as a document: whole, inert, self-contained, and the same for the same records."""

import base64
import hashlib
import itertools
import re

import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.report.figures.kinds import PANELS
from pytest_leakpro.report.html import document
from pytest_leakpro.report.html.drawing import Drawer
from pytest_leakpro.report.texts.catalogue import languages, words_of
from tests.report.examples import HOSTILE, broken, failing, hostile, measured, passing, weak
from tests.report.examples import record as example
from tests.report.html.pages import every_kind, numbered, page_of, points
from tests.report.html.parsing import Parsed
from tests.store.samples import record

SECTIONS = ["answer", "panel", "audits", "defences", "time", "appendix"]
SIZE_OF_A_FIGURE = 16_000  # bytes; tests of the figures hold this


@pytest.fixture(scope="module")
def records():
    return every_kind()


@pytest.fixture(scope="module", params=languages())
def parsed(request, records):
    """The page of records of every kind, without figures, in every language."""
    page = page_of(records, request.param, history=points(records[0], [0.001, 0.002, 0.0021]))
    return Parsed(page)


@pytest.fixture(scope="module")
def drawn(records):
    """A page with figures: of the first audits, and of a history."""
    history = points(records[0], [0.001, 0.002, 0.0021])
    return page_of(records, history=history, most_figures=8)


def test_its_elements_are_closed_as_they_were_opened(parsed):
    assert parsed.wrong == []


def test_every_section_is_there_and_has_a_heading(parsed):
    assert [found["id"] for found in parsed.named("section")] == SECTIONS
    ids = parsed.attributes("id")
    assert all(found["aria-labelledby"] in ids for found in parsed.named("section"))


def test_ids_are_unique_and_links_lead_to_them(parsed):
    ids = parsed.attributes("id")
    assert len(set(ids)) == len(ids)
    for link in parsed.attributes("href"):
        assert link.startswith("#")
        assert link[1:] in ids
    for name in ("aria-labelledby", "for"):
        for value in parsed.attributes(name):
            assert set(value.split()) <= set(ids)


def test_headings_go_down_one_by_one(parsed):
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_there_are_landmarks_and_a_way_past_the_navigation(parsed):
    tags = [tag for tag, _ in parsed.elements]
    assert [tags.count(tag) for tag in ("main", "nav")] == [1, 1]
    assert "#main" in parsed.attributes("href")


def test_what_is_scrolled_can_be_reached_and_has_a_name(parsed):
    regions = [found for found in parsed.named("div") if found.get("class") == "wide"]
    assert len(regions) >= 4
    for found in regions:
        assert found["tabindex"] == "0"
        assert found.get("aria-label") or found.get("aria-labelledby")


def test_nothing_is_hidden_but_what_needs_a_script(parsed):
    hidden = [(tag, found) for tag, found in parsed.elements if "hidden" in found]
    assert all("data-js" in found for _, found in hidden)
    assert {tag for tag, _ in hidden} == {"form", "p"}
    assert not any("display:none" in style for style in parsed.attributes("style"))


def test_nothing_is_loaded_and_no_other_script_runs(parsed):
    assert not set(parsed.attributes("src") + parsed.attributes("action"))
    names = {name for _, found in parsed.elements for name in found}
    assert not [name for name in names if name.startswith("on")]
    assert {tag for tag, _ in parsed.elements} & {
        "img",
        "iframe",
        "object",
        "link",
        "base",
    } == set()
    assert len(parsed.named("script")) == 1


def test_the_policy_allows_this_script_and_nothing_else(records):
    page = page_of(records)
    script = re.search("<script>(.*)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search('Content-Security-Policy" content="([^"]*)"', page)[1]
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert '<meta name="referrer" content="no-referrer">' in page
    assert "url(" not in page
    assert "@import" not in page
    assert not re.search(r"(?:https?:)?//\w", page.replace("http://www.w3.org/2000/svg", ""))


def test_the_language_is_said_and_english_texts_of_records_are_marked(records):
    page = Parsed(page_of(records, "sv"))
    assert page.named("html") == [{"lang": "sv"}]
    assert page.attributes("lang").count("en") > 10
    assert "Svaret" in page.text
    assert "The answer" not in page.text


def test_equal_records_give_equal_pages(drawn, records):
    history = points(records[0], [0.001, 0.002, 0.0021])
    assert page_of(records, history=history, most_figures=8) == drawn


def test_figures_are_drawn_for_the_worst_and_the_rest_is_said(drawn):
    parsed = Parsed(drawn)
    assert parsed.wrong == []
    pictures = [found for found in parsed.named("svg") if found.get("role") == "img"]
    assert len(pictures) >= 8
    assert "are left out to keep the page small" in parsed.text
    section = drawn.partition('<section id="time"')[2]
    assert section.partition("</section>")[0].count('role="img"') == 1
    assert not re.search(r"(?:https?:)?//\w", drawn.replace("http://www.w3.org/2000/svg", ""))


def test_a_figure_that_cannot_be_drawn_is_said(monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setitem(PANELS, "roc", fail)
    page = Parsed(page_of([record()], most_figures=1)).text
    assert "This picture could not be drawn" in page


def test_figures_are_those_of_the_record(records):
    text = Parsed(page_of(records)).text
    for found in records:
        for key in ("shown_value", "shown_low", "shown_high", "shown_limit", "shown_verdict"):
            assert found[key] in text


def test_what_is_not_audited_and_what_is_weak_stand_out(parsed, request):
    words = words_of(parsed.named("html")[0]["lang"])
    assert words("panel.not_audited") in parsed.text
    weak_targets = parsed.text.partition(words("panel.weak"))[2]
    assert weak_targets.strip().startswith("vendor model")


def test_risks_that_nobody_audited_are_listed():
    text = Parsed(page_of([passing()])).text
    missing = text.partition("Not audited by anyone here:")[2].partition("“Not audited”")[0]
    for name in ("Singling out", "Linkability", "Inference", "Memorised text"):
        assert name in missing
    assert "Membership" not in missing


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], "Nothing was audited."),
        ([passing()], "No attack in the suite exceeded a budget."),
        ([failing(), passing()], "1 of 2 budgets is exceeded."),
        ([weak()], "1 is met by weak attacks only."),
        ([broken()], "1 could not be measured."),
        ([measured()], "No budget was set, so nothing was decided."),
        ([measured(), passing()], "1 figure was measured without a budget."),
        ([example(attempt=3, earlier=["FAIL"])], "1 is met in a rerun only."),
    ],
)
def test_the_headline_says_what_was_decided(records, expected):
    page = page_of(records)
    headline = Parsed(page.partition('<p class="headline')[2].partition("</p>")[0]).text
    assert expected in headline
    assert "private" not in Parsed(page).text.lower()


def test_a_run_that_ended_early_says_so():
    assert "before all of its tests had run" in page_of([passing()], ended_early=True)
    assert "before all of its tests had run" not in page_of([passing()])


def test_runs_that_could_not_be_read_are_named():
    text = Parsed(page_of([passing()], unread=["20260101T000000Z-ab", "x"])).text
    assert "2 earlier runs could not be read" in text
    assert "20260101T000000Z-ab" in text


def test_the_command_that_repeats_it_can_be_copied():
    assert "pytest --leakpro --leakpro-seed=0 tests/test_privacy.py::test_churn_may_be_shared" in (
        Parsed(page_of([passing()])).text
    )
    quoted = Parsed(page_of([passing(test="t.py::t[a b]")])).text
    assert "--leakpro-seed=0 't.py::t[a b]'" in quoted


def test_papers_of_attacks_and_what_bounds_assume_stand_in_the_appendix():
    text = Parsed(page_of([record()])).text
    assert "Membership inference attacks from first principles" in text
    assert "a random sample of the same population" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text):
    harmless = hostile("name")
    reference = Parsed(
        page_of([harmless, hostile("name", broken())], title="name", unread=["name"])
    )
    page = page_of([hostile(text), hostile(text, broken())], title=text, unread=[text])
    page.encode("utf-8")
    parsed = Parsed(page)
    assert parsed.wrong == []
    assert {tag for tag, _ in parsed.elements} <= {*(tag for tag, _ in reference.elements), "em"}
    names = {name for _, found in parsed.elements for name in found}
    assert names <= {name for _, found in reference.elements for name in found}
    assert len(parsed.named("script")) == 1
    assert all(
        line.replace("\u00a0", " ").isprintable() for line in parsed.texts if line.strip("\n")
    )
    assert len(page) < len(page_of([harmless])) + 200_000


def test_many_measurements_stay_small():
    """1,000 measurements of 500 tests: the figures that there may be, and the rest, in 5 MB."""
    base = [record(), record(metric="auc"), weak(), failing()]
    many = [
        {
            **numbered(base[place % 4], place),
            "test": f"t.py::t[{place // 2}]",
            "target": f"m{place // 2}",
        }
        for place in range(1_000)
    ]
    many = [{**entry, "name": entry["test"]} for entry in many]
    page = page_of(many)
    assert page.count("<tr data-standing=") == 1_000
    assert len(page.encode()) + document.MOST_FIGURES * SIZE_OF_A_FIGURE < 5_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {"value": 1e308, "low": 1e308, "high": 1e308},
        {"low": None, "high": None},
        {"value": None, "low": None, "high": None, "verdict": "INCONCLUSIVE"},
        {"limit": 0.0},
        {"limit": 1e308},
        {"metric": "somebodys_own[x]"},
        {"metric": "tpr"},
        {"evidence": None},
        {"evidence": {"kind": "membership_scores", "curve": {"kind": "roc", "x": "a", "y": "b"}}},
        {"evidence": {"kind": "guesses", "attempts": {"main": 0}, "successes": {}, "curve": None}},
        {"evidence": {"kind": "counts", "attempts": {}, "successes": {}, "curve": None}},
        {"access": ""},
        {"access": "from space"},
        {"suite": [], "attack": ""},
        {"sizes": {}},
        {"libraries": {}, "commit": None, "configuration": {}},
        {
            "configuration": {
                "attacks": [{"name": "lira", "signal": "loss"}],
                "shadow_models": "auto",
            }
        },
    ],
    ids=str,
)
def test_odd_records_have_a_page(changes):
    parsed = Parsed(page_of([record(**changes)], most_figures=8))
    assert parsed.wrong == []
    assert [found["id"] for found in parsed.named("section")] == [
        name for name in SECTIONS if name != "defences"
    ]


def test_a_baseline_has_a_page():
    optional = ("location", "attempt", "earlier", "error", "seconds", "strength", "weak_suite")
    shown = [key for key in record() if key.startswith("shown_")]
    more = (
        "pass_chance",
        "source",
        "notes",
        "figures",
        "change",
        "queries",
        "device",
        "libraries",
        "commit",
    )
    kept = {key: value for key, value in record().items() if key not in (*optional, *shown, *more)}
    assert "3.0%" in Parsed(page_of([kept])).text


def test_odd_histories_have_a_page():
    found = record()
    history = points(found, [0.01, None, 0.02, 0.03])
    for point in next(iter(history.values())):
        point["low"] = point["high"] = None
    parsed = Parsed(page_of([found], history=history, most_figures=8))
    assert parsed.wrong == []
    assert "Up to 4 runs" in parsed.text


def test_what_is_missing_is_said_by_the_extra(monkeypatch):
    monkeypatch.setattr(document, "find_spec", lambda name: None)
    assert "jinja2 and matplotlib, which are not" in document.missing_libraries()
    with pytest.raises(LeakproError, match=r"pytest-leakpro\[report\]"):
        page_of([passing()])


def test_curves_that_metrics_share_are_drawn_once(monkeypatch):
    from pytest_leakpro.report.html.grouping import grouped

    drawn = []
    kinds = {plan: kind for kind, plan in PANELS.items()}
    monkeypatch.setattr(
        Drawer, "_draw", lambda self, plan, *things: drawn.append((kinds[plan], things))
    )
    entries = [(None, record(metric=metric)) for metric in ("auc", "tpr@1%fpr")]
    named = [
        (document.identity_of(found), {**found, "slices": [], "census": False})
        for _, found in entries
    ]
    Drawer(words_of("en"), 10).of_group(grouped(named)[0])
    assert [kind for kind, _ in drawn] == ["roc", "scores"]
    assert drawn[0][1][0]["metric"] == "tpr@1%fpr"
