"""Runs beside each other, and a run by itself."""

import numpy as np
import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.store.documents import write_baseline, write_run
from pytest_leakpro.store.history import History
from pytest_leakpro.store.scores import SavedScores, save_scores
from tests.store.samples import EVIDENCE, record, without_figures

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "a\nFAILED b",
    "\u202eabc",
    "\udc80",
    "x" * 10_000,
    "<script>alert(1)</script>",
    "[a](http://b) | `c`",
]


def interval(value, margin=0.01):
    figures = {"value": value, "low": max(0.0, value - margin), "high": value + margin}
    return {**figures, "comparable": dict(figures)}


@pytest.fixture
def repo(tmp_path, monkeypatch):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keep(repo, *records):
    return History(repo / ".leakpro").add(records, "1.0", 0)


def test_a_significant_increase_is_exit_code_1(repo, capsys):
    keep(repo, record(**interval(0.03)), record(metric="auc", **interval(0.5)))
    keep(repo, record(**interval(0.07)), record(metric="auc", **interval(0.505)))
    assert main(["compare", "latest~1", "latest"]) == 1
    out = capsys.readouterr().out
    regression, other = out.index("REGRESSION (no increase is allowed)"), out.index("+0.005")
    assert regression < other
    assert "2 compared: 1 with a significant increase" in out
    assert main(["compare", "latest~1", "latest", "--fail-on", "tpr@1%fpr:+3pp"]) == 0
    assert main(["compare", "latest~1", "latest", "--fail-on=+3pp"]) == 0
    assert main(["compare", "latest~1", "latest", "--fail-on=tpr@1%fpr:+1pp"]) == 1
    assert main(["compare", "latest", "latest~1"]) == 0


def test_the_baseline_and_files_and_folders_can_be_named(repo, capsys):
    write_baseline(repo / "leakpro-baseline.json", [record(**interval(0.03))], "1.0")
    name = keep(repo, record(**interval(0.07)))
    write_run(repo / "other.json", [record(**interval(0.07))], "1.0")
    for now in ("latest", name[:-3], "other.json", ".leakpro/runs"):
        assert main(["compare", "baseline", now]) == 1
    (repo / "pytest.ini").write_text("[pytest]\nleakpro_baseline = other.json\n")
    assert main(["compare", "baseline", "latest"]) == 0


def test_what_stands_on_one_side_only_is_said(repo, capsys):
    keep(repo, record(metric="auc"), record(configuration={"attacks": None, "shadow_models": 4}))
    keep(repo, record(metric="advantage"), record())
    assert main(["compare", "latest~1", "latest"]) == 0
    out = capsys.readouterr().out
    assert "no comparable baseline: another attack configuration was asked for" in out
    assert "only in A" in out
    assert "1 not comparable, 1 only in B, 1 only in A" in " ".join(out.split())


def test_kept_scores_make_it_paired(repo, capsys):
    rng = np.random.default_rng(0)
    members, others, noise = (rng.normal(size=500) for _ in range(3))
    names = [
        save_scores(
            repo / ".leakpro", SavedScores("ab", {"lira": (members + step + noise * 0.1, others)})
        )
        for step in (0.0, 0.1)
    ]
    for value, name in zip((0.5, 0.53), names, strict=True):
        keep(repo, record(metric="auc", scores=name, **interval(value, 0.03)))
    assert main(["compare", "latest~1", "latest"]) == 1
    assert "REGRESSION (no increase is allowed), paired" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "latest~1", "latest"], "no run in"),
        (["compare", "baseline", "latest"], "there is no baseline"),
        (["show", "nothing.json"], "there is no file 'nothing.json'"),
        (["compare", "a", "b", "--fail-on", "5%"], "could mean a share of the baseline"),
        (["compare", "a", "b", "--fail-on", "aux:+5pp"], "there is no metric 'aux'"),
    ],
)
def test_bad_input_is_exit_code_2(repo, capsys, arguments, says):
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_a_file_that_is_wrong_is_named(repo, capsys):
    (repo / "wrong.json").write_text("<<<<<<< HEAD\n")
    assert main(["show", "wrong.json"]) == 2
    assert "wrong.json, line 1: there are merge conflicts" in capsys.readouterr().err


@pytest.mark.parametrize("kind", EVIDENCE)
def test_every_kind_of_evidence_is_shown_and_compared(repo, capsys, kind):
    keep(repo, record(kind))
    assert main(["show"]) == 0
    assert "3.0%" in capsys.readouterr().out
    assert main(["compare", "latest", "latest"]) == 0


def test_errors_attempts_and_changes_are_shown(repo, capsys):
    change = {
        "outcome": "regression",
        "shown": "baseline 3.0%: REGRESSION",
        "notes": ["other data"],
    }
    keep(
        repo,
        record(attempt=2, earlier=["FAIL"], notes=["dropped 3 records"], change=change),
        without_figures(metric="auc", error="ValueError", notes=["dropped 3 records"]),
    )
    assert main(["show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "  ValueError",
        "  attempt 2 of this test; earlier: FAIL",
        "  baseline 3.0%: REGRESSION",
        "  note: other data",
        "2 budgets: 1 ERROR, 1 PASS; 1 regression",
    ):
        assert line in lines
    assert lines.count("  note: dropped 3 records") == 1


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_do_no_harm(repo, capsys, name):
    fields = ("test", "name", "target", "attack", "strength", "access")
    hostile = record(**dict.fromkeys(fields, name), suite=[name], notes=[name], earlier=[name])
    keep(repo, hostile)
    keep(repo, {**hostile, "suite": ["other", name], "error": name})
    assert main(["show", "latest~1"]) == 0
    assert main(["show"]) == 0
    shown = capsys.readouterr().out
    assert main(["compare", "latest~1", "latest"]) == 0
    compared = capsys.readouterr().out
    assert len(compared.splitlines()) == 5
    for text in (shown, compared):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not any(line.startswith("FAILED") for line in text.splitlines())
        assert max(map(len, text.splitlines())) < 600
        text.encode("utf-8")
