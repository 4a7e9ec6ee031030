"""Annotations on GitHub."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.report.github import annotations
from tests.report.examples import (
    EVERY_KIND,
    HOSTILE,
    broken,
    failing,
    hostile,
    measured,
    passing,
    record,
    regressed,
    undecided,
    weak,
)

COMMAND = re.compile(r"::(error|warning|notice) ((?:(?:file|line|title)=[^:,]*,?)+)::(.*)")


def parsed(line):
    """What GitHub's runner makes of a line."""
    kind, properties, message = COMMAND.fullmatch(line).groups()
    pairs = dict(pair.split("=", 1) for pair in properties.split(","))
    for escape, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        pairs = {key: value.replace(escape, sign) for key, value in pairs.items()}
        message = message.replace(escape, sign) if escape not in ("%3A", "%2C") else message
    return kind, pairs, message


def test_a_failure_is_annotated_where_its_test_is():
    (line,) = annotations([failing()], "models/churn")
    kind, pairs, message = parsed(line)
    assert kind == "error"
    assert pairs == {
        "file": "models/churn/tests/test_privacy.py",
        "line": "31",
        "title": "deep forest tpr@1%fpr: FAIL",
    }
    assert message == (
        "measured 36% (29% to 40%); limit 5%; by lira; scores, 32 shadow models; "
        "tests/test_privacy.py::test_deep_forest_may_be_shared"
    )


def test_each_kind_has_its_type_and_the_worst_come_first():
    found = [parsed(line) for line in annotations(EVERY_KIND)]
    assert [(kind, pairs["title"].rpartition(": ")[2]) for kind, pairs, _ in found] == [
        ("error", "FAIL"),
        ("error", "REGRESSION"),
        ("error", "ERROR"),
        ("error", "INCONCLUSIVE"),
        ("warning", "PASS in a rerun"),
        ("notice", "PASS (weak suite)"),
    ]
    assert "REGRESSION (no increase is allowed)" in found[1][2]
    assert "members and non-members have other columns" in found[2][2]
    assert "attempt 3; earlier: FAIL, FAIL" in found[4][2]


def test_what_is_well_is_not_annotated():
    assert annotations([passing(), measured()]) == []


def test_an_inconclusive_that_does_not_fail_is_a_warning():
    (line,) = annotations([undecided()], inconclusive_fails=False)
    assert line.startswith("::warning ")
    lines = annotations([broken(), regressed()], inconclusive_fails=False)
    assert all(line.startswith("::error ") for line in lines)


@pytest.mark.parametrize("prefix", ["", ".", "./"])
def test_without_a_line_or_a_prefix(prefix):
    location = {"path": "tests/test_privacy.py", "line": None}
    _, pairs, _ = parsed(annotations([failing(location=location)], prefix)[0])
    assert pairs["file"] == "tests/test_privacy.py"
    assert "line" not in pairs


def test_the_tenth_says_how_many_more_there_are():
    records = [undecided()] * 12 + [weak()] * 10 + [failing()]
    lines = annotations(records)
    errors, notices = lines[:10], lines[10:]
    assert parsed(errors[0])[1]["title"].endswith("FAIL")
    assert parsed(errors[9]) == (
        "error",
        {"title": "leakage audits"},
        "4 more; the summary of the job shows every one",
    )
    assert len(notices) == 10
    assert all("more" not in line for line in notices)


def check_inert(lines, count):
    assert len(lines) == count
    for line in lines:
        line.encode("utf-8")
        assert line.isprintable()
        assert len(line) < 4_000
        assert "<" not in line
        _, pairs, message = parsed(line)
        assert list(pairs) in (["file", "line", "title"], ["line", "title"])
        assert pairs["line"] == "7"
        assert "\n" not in message


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_start_no_command(text):
    records = [hostile(text), hostile(text, broken()), hostile(text, record())]
    check_inert(annotations(records, text), 3)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.text(":,%\r\n=a#[", max_size=30))
def test_no_name_starts_a_command(text, other):
    check_inert(annotations([hostile(text), hostile(other)], text), 2)


def test_a_target_without_a_name():
    (line,) = annotations([broken(target="")])
    assert parsed(line)[1]["title"] == "(no name) tpr@0.1%fpr: ERROR"


def test_what_is_escaped_comes_back():
    (line,) = annotations([failing(target="a: 100%, b%0A", metric="m")])
    assert parsed(line)[1]["title"] == "a: 100%, b%0A m: FAIL"
