"""GitLab's code quality."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.report.gitlab import code_quality
from tests.report.examples import (
    EVERY_KIND,
    HOSTILE,
    broken,
    failing,
    hostile,
    measured,
    passing,
    regressed,
    undecided,
)


def check_format(entries):
    """The fields that GitLab documents."""
    for entry in entries:
        assert list(entry) == ["description", "check_name", "fingerprint", "severity", "location"]
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert list(entry["location"]) == ["path", "lines"]
        assert list(entry["location"]["lines"]) == ["begin"]
        assert entry["location"]["lines"]["begin"] >= 1
        assert not entry["location"]["path"].startswith("./")
        assert entry["description"]
    fingerprints = [entry["fingerprint"] for entry in entries]
    assert len(set(fingerprints)) == len(fingerprints)


def test_an_entry():
    (entry,) = code_quality([failing()], "models")
    assert len(entry.pop("fingerprint")) == 64
    assert entry == {
        "description": "`deep forest` `tpr@1%fpr`: FAIL; measured 36% (29% to 40%); limit 5%; "
        "by lira; scores, 32 shadow models",
        "check_name": "leakage-fail",
        "severity": "critical",
        "location": {"path": "models/tests/test_privacy.py", "lines": {"begin": 31}},
    }


def test_each_kind_has_its_severity():
    entries = code_quality(EVERY_KIND)
    check_format(entries)
    assert [(entry["check_name"], entry["severity"]) for entry in entries] == [
        ("leakage-fail", "critical"),
        ("leakage-regression", "critical"),
        ("leakage-error", "major"),
        ("leakage-inconclusive", "major"),
        ("leakage-rerun", "minor"),
        ("leakage-weak", "info"),
    ]


def test_it_is_empty_where_all_is_well():
    assert code_quality([passing(), measured()]) == []


def test_a_fingerprint_outlives_figures_and_lines():
    (before,) = code_quality([failing()])
    moved = failing(
        location={"path": "tests/test_privacy.py", "line": None}, value=0.4, shown_value="40%"
    )
    (after,) = code_quality([moved], "sub")
    assert after["fingerprint"] == before["fingerprint"]
    assert after["location"]["lines"] == {"begin": 1}


@pytest.mark.parametrize(
    "other",
    [
        failing(name="other"),
        failing(target="other"),
        failing(metric="auc"),
        failing(access="label"),
        failing(occurrence=1),
        failing(verdict="INCONCLUSIVE"),
    ],
)
def test_a_fingerprint_tells_findings_apart(other):
    check_format(code_quality([failing(), other]))


def test_equal_identities_have_fingerprints_of_their_own():
    entries = code_quality([failing(), failing(), failing()])
    check_format(entries)
    assert code_quality([failing()])[0]["fingerprint"] == entries[0]["fingerprint"]


def check_inert(entries, count):
    assert len(entries) == count
    check_format(entries)
    text = json.dumps(entries, ensure_ascii=False)
    text.encode("utf-8")
    assert "<" not in text
    for entry in entries:
        for line in (entry["description"], entry["location"]["path"]):
            assert line.isprintable()
            assert len(line) < 1_000
        assert entry["description"].count("`") % 2 == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_inert(text):
    records = [hostile(text), hostile(text, broken()), hostile(text, undecided())]
    check_inert(code_quality(records, text), 3)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.text("`|<@[]()/.", max_size=30))
def test_any_names_stay_inert(text, other):
    check_inert(code_quality([hostile(text), hostile(other, regressed())]), 2)
