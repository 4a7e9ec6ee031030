"""The page of runs, by the command."""

import json

import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.report.html import document
from pytest_leakpro.store.documents import write_baseline, write_run
from pytest_leakpro.store.history import History
from tests.report.html.parsing import Parsed
from tests.store.samples import record, without_figures


@pytest.fixture
def repo(tmp_path, monkeypatch):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    # Figures are tested where they are drawn.
    monkeypatch.setattr(document.Drawer, "_draw", lambda *_: None)
    return tmp_path


def keep(repo, *records, exit_status=0):
    return History(repo / ".leakpro").add(records, "1.0", exit_status)


def shown(value):
    figures = {"value": value, "low": value - 0.01, "high": value + 0.01}
    texts = {f"shown_{key}": f"{figure:.0%}" for key, figure in figures.items()}
    return record(**figures, **texts)


def text_of(repo, name="leakpro-report.html"):
    return Parsed((repo / name).read_text(encoding="utf-8")).text


def test_the_latest_run_is_what_it_is_about_and_earlier_ones_are_its_history(repo):
    keep(repo, shown(0.02))
    keep(repo, shown(0.03))
    assert main(["report"]) == 0
    text = text_of(repo)
    assert "forest tpr@1%fpr scores, knows the recipe 3% 2% to 4% 5%" in text
    assert "Up to 2 runs" in text
    assert "2 2% 2% 3%" in text  # runs, first, before, now


def test_an_earlier_run_knows_nothing_of_later_ones(repo):
    keep(repo, shown(0.02))
    keep(repo, shown(0.03))
    assert main(["report", "latest~1", "-o", "page.html"]) == 0
    assert "No earlier runs are known." in text_of(repo, "page.html")


def test_history_can_be_left_out(repo):
    keep(repo, shown(0.02))
    keep(repo, shown(0.03))
    assert main(["report", "--no-history"]) == 0
    assert "No earlier runs are known." in text_of(repo)


def test_several_runs_stand_in_the_order_of_their_time(repo):
    for name, time, value in (
        ("b", "2026-02-01T00:00:00Z", 0.04),
        ("a", "2026-03-01T00:00:00Z", 0.02),
    ):
        write_run(repo / f"{name}.json", [shown(value)], "1.0", start_time=time)
    assert main(["report", "a.json", "b.json"]) == 0
    text = text_of(repo)
    assert "Measured on 2026-03-01." in text
    assert "2 4% 4% 2%" in text


def test_runs_that_do_not_tell_their_time_stand_as_they_are_given(repo):
    write_run(repo / "a.json", [shown(0.02)], "1.0")
    write_run(repo / "b.json", [shown(0.04)], "1.0", start_time="2026-01-01T00:00:00Z")
    assert main(["report", "b.json", "a.json"]) == 0
    assert "2 4% 4% 2%" in text_of(repo)


def test_what_only_an_earlier_run_measured_is_on_the_page(repo):
    write_run(repo / "a.json", [record(metric="auc")], "1.0")
    write_run(repo / "b.json", [record(metric="advantage")], "1.0")
    assert main(["report", "a.json", "b.json"]) == 0
    assert (repo / "leakpro-report.html").read_text().count("<tr data-standing=") == 2


@pytest.mark.parametrize("folder", [".leakpro/runs", "elsewhere"])
def test_a_folder_can_be_the_history(repo, folder):
    keep(repo, shown(0.04))
    (repo / "elsewhere").mkdir()
    write_run(repo / "elsewhere" / "x.json", [shown(0.04)], "1.0")
    (repo / folder / "broken.json").write_text("{")
    write_run(repo / "now.json", [shown(0.02)], "1.0")
    assert main(["report", "now.json", "--history", folder]) == 0
    text = text_of(repo)
    assert "2 4% 4% 2%" in text
    assert "1 earlier run could not be read, and is left out: broken" in text


def test_a_folder_of_runs_names_those_that_cannot_be_read(repo):
    keep(repo, shown(0.02))
    (repo / ".leakpro" / "runs" / "0-truncated.json").write_text('{"kind": "run", "measurem')
    assert main(["report", ".leakpro/runs"]) == 0
    assert "0-truncated" in text_of(repo)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"kind": "run", "measurem', "is not JSON"),
        ('{"schema_version": 99, "kind": "run", "measurements": []}', "update pytest-leakpro"),
        ("", "is not JSON"),
        ('{"schema_version": 1, "kind": "run", "measurements": [{}]}', "required"),
        ('{"schema_version": 1, "kind": "run", "measurements": [NaN]}', "NaN is no figure"),
    ],
)
def test_a_run_that_cannot_be_read_is_bad_input(repo, capsys, content, said):
    (repo / "run.json").write_text(content)
    assert main(["report", "run.json"]) == 2
    assert said in capsys.readouterr().err
    assert not (repo / "leakpro-report.html").exists()


def test_a_folder_of_nothing_that_can_be_read_is_bad_input(repo, capsys):
    (repo / "runs").mkdir()
    assert main(["report", "runs"]) == 2
    (repo / "runs" / "a.json").write_text("{")
    assert main(["report", "runs"]) == 2
    assert "no run could be read: a" in capsys.readouterr().err


def test_an_empty_run_has_a_page(repo):
    write_run(repo / "empty.json", [], "1.0")
    assert main(["report", "empty.json"]) == 0
    assert "Nothing was audited." in text_of(repo)


def test_a_run_that_was_killed_says_so(repo):
    keep(repo, record(), without_figures(metric="auc", error="LeakproError: why"), exit_status=2)
    assert main(["report"]) == 0
    text = text_of(repo)
    assert "The run ended before all of its tests had run." in text
    assert "1 could not be measured." in text


def test_a_baseline_has_a_page(repo):
    write_baseline(repo / "leakpro-baseline.json", [record()], "1.0")
    assert main(["report", "baseline"]) == 0
    assert "3.0%" in text_of(repo)


def test_language_and_title(repo):
    keep(repo, record())
    assert main(["report", "--language", "sv", "--title", "Modell <7>"]) == 0
    page = (repo / "leakpro-report.html").read_text(encoding="utf-8")
    assert '<html lang="sv">' in page
    assert "<title>Modell &lt;7&gt;</title>" in page
    assert main(["report", "--language", "xx"]) == 2


def test_one_target_alone(repo, capsys):
    keep(repo, record(), record(metric="auc", target="network"))
    assert main(["report", "--target", "network"]) == 0
    assert "forest" not in text_of(repo)
    assert main(["report", "--target", "forrest"]) == 2
    assert "did you mean 'forest'" in capsys.readouterr().err


def test_what_is_not_installed_is_told(repo, capsys, monkeypatch):
    keep(repo, record())
    monkeypatch.setattr(document, "find_spec", lambda name: None)
    assert main(["report"]) == 2
    assert "pip install 'pytest-leakpro[report]'" in capsys.readouterr().err


def test_records_of_a_fitted_object_can_be_read_again(repo):
    """What was counted in it stands among the checks."""
    held = {"stored_records": {"": {"arrays": 3, "places": []}}}
    found = {**record("counts", metric="stored_records"), "checks": {"contents": held}}
    name = keep(repo, found)
    assert json.loads((repo / ".leakpro" / "runs" / f"{name}.json").read_text())["measurements"]
    assert main(["report"]) == 0
