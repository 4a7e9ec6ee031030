"""``leakpro.compare``: a test that compares defences, and what the session shows of it."""

import json

import pytest

from pytest_leakpro.cli.main import main

TEST = """
import pytest

@pytest.mark.leakage("auc <= 0.55")
def test_defences(leakpro, loud, quiet):
    defences = {"none": loud, "<b>dp</b>": quiet}
    found = leakpro.compare(defences, utility={"none": 0.9, "<b>dp</b>": 0.8})
    assert found.lower() == ("<b>dp</b>",)
    assert found["none"].verdict.name == "FAIL"
"""


@pytest.fixture
def session(repo):
    repo.makepyfile(test_defences=TEST)
    result = repo.runpytest("--leakpro", "--leakpro-json=r.json", "--leakpro-markdown=m.md")
    result.assert_outcomes(passed=1)  # a comparison does not fail for what it finds
    return repo, result.stdout.str()


def test_the_summary_compares_them(session):
    _, text = session
    _, table = text.split("defences compared in test_defences.py::test_defences")
    head, none, dp, *_ = table.strip().splitlines()
    assert head.split()[:2] == ["defence", "utility"]
    assert none.split()[:2] == ["none", "0.9"]
    assert dp.split()[:2] == ["<b>dp</b>", "0.8"]
    assert "lower by" in dp


def test_records_keep_it_and_show_repeats_it(session, monkeypatch, capsys):
    repo, text = session
    records = json.loads((repo.path / "r.json").read_text())["measurements"]
    assert {record["comparison"]["outcome"] for record in records} == {"first", "lower"}
    assert {record["target"] for record in records} == {"none", "<b>dp</b>"}
    monkeypatch.chdir(repo.path)
    capsys.readouterr()
    assert main(["show", "r.json"]) == 0
    shown = capsys.readouterr().out
    line = next(line for line in text.splitlines() if "lower by" in line)
    assert line in shown.splitlines()


def test_markdown_says_it_and_does_not_read_names(session):
    repo, _ = session
    text = (repo.path / "m.md").read_text()
    assert "lower by" in text
    assert "<b>dp" not in text


def test_without_the_flag_it_waits(repo):
    repo.makepyfile(test_defences=TEST)
    repo.runpytest().assert_outcomes(skipped=1)


def test_a_baseline_knows_each_defence(session):
    repo, _ = session
    repo.runpytest("--leakpro", "--leakpro-update-baseline")
    kept = json.loads((repo.path / "leakpro-baseline.json").read_text())["measurements"]
    assert {entry["target"] for entry in kept} == {"none", "<b>dp</b>"}
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("unchanged") == 2
