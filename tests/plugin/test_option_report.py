"""The report: a page that a session writes, which agrees with everything else that it says."""

import json
import platform
import re
import xml.etree.ElementTree as ET

import pytest

from pytest_leakpro.report.html import document
from tests.report.html.parsing import Parsed

# Sessions in this process forget the modules that they imported, and matplotlib is large.
pytest.importorskip("matplotlib.backends.backend_svg")
pytest.importorskip("jinja2")

SHOWN = ("shown_value", "shown_low", "shown_high", "shown_limit", "shown_verdict")


def page_at(repo, name="page.html"):
    return (repo.path / name).read_text(encoding="utf-8")


def row_of(page, target):
    """The cells of a target's row in the table of all measurements."""
    table = page.partition('id="measurements"')[2].partition("</table>")[0]
    rows = re.findall("<tr data-standing.*?</tr>", table)
    (row,) = [row for row in rows if f"<bdi>{target}</bdi>" in row]
    return [Parsed(cell).text for cell in re.findall("<t[hd].*?</t[hd]>", row)]


def test_terminal_record_junit_markdown_and_page_agree_to_the_digit(three):
    result = three.runpytest(
        "--leakpro",
        "--leakpro-report=page.html",
        "--leakpro-json=run.json",
        "--leakpro-markdown=summary.md",
        "--junitxml=junit.xml",
    )
    terminal, page = result.stdout.str(), page_at(three)
    markdown = (three.path / "summary.md").read_text(encoding="utf-8")
    properties = {
        found.get("name"): found.get("value")
        for found in ET.parse(three.path / "junit.xml").iter("property")
    }
    records = json.loads((three.path / "run.json").read_text())["measurements"]
    assert len(records) == 3
    assert {record["verdict"] for record in records} == {"PASS", "FAIL", "INCONCLUSIVE"}
    for record in records:
        target = record["target"]
        value, low, high, limit, verdict = (record[key] for key in SHOWN)
        junit = [
            properties[f"leakpro.{target}.auc.{key}"]
            for key in ("value", "low", "high", "limit", "verdict")
        ]
        assert junit == [value, low, high, limit, verdict]
        (line,) = [line for line in terminal.splitlines() if line.startswith(f"{target} ")]
        assert line.split() == [target, "auc", value, low, "to", high, limit, verdict]
        (row,) = [line for line in markdown.splitlines() if line.startswith(f"| `{target}`")]
        assert [value, f"{low} to {high}", limit] == [cell.strip() for cell in row.split("|")][3:6]
        cells = row_of(page, target)
        assert cells[1:2] + cells[3:6] == ["auc", value, f"{low} to {high}", limit]
        assert cells[7].endswith(f" {verdict}")


def test_the_ini_file_can_ask_for_it_and_choose_the_language(three):
    three.makeini("[pytest]\nleakpro_report = page.html\nleakpro_language = sv\n")
    three.runpytest("--leakpro", "-k", "quiet")
    assert '<html lang="sv">' in page_at(three)
    three.runpytest("--leakpro", "-k", "quiet", "--leakpro-language=en")
    assert '<html lang="en">' in page_at(three)


def test_earlier_runs_are_its_history_and_those_that_cannot_be_read_are_named(three):
    for _ in range(2):
        three.runpytest("--leakpro", "-k", "quiet")
    (three.path / ".leakpro" / "runs" / "20200101T000000000000Z-dead.json").write_text(
        '{"kind": "ru'
    )
    three.runpytest("--leakpro", "-k", "quiet", "--leakpro-report=page.html")
    text = Parsed(page_at(three)).text
    assert "Up to 3 runs" in text
    assert "1 earlier run could not be read" in text
    assert "20200101T000000000000Z-dead" in text


def test_a_session_that_is_interrupted_writes_what_it_has_and_says_so(repo):
    repo.makepyfile(
        """
        import pytest

        @pytest.mark.leakage("auc <= 0.55")
        def test_a(leakpro, quiet):
            leakpro.audit(quiet)

        def test_b():
            raise KeyboardInterrupt
        """
    )
    repo.runpytest_inprocess("--leakpro", "--leakpro-report=page.html", no_reraise_ctrlc=True)
    text = Parsed(page_at(repo)).text
    assert "The run ended before all of its tests had run" in text
    assert "quiet" in text


def test_nothing_is_written_where_nothing_was_audited(repo):
    repo.makepyfile("def test_a():\n    pass")
    repo.runpytest("--leakpro", "--leakpro-report=page.html")
    assert not (repo.path / "page.html").exists()


def test_a_page_that_cannot_be_written_loses_no_verdict(three):
    (three.path / "page.html").mkdir()
    result = three.runpytest("--leakpro", "--leakpro-report=page.html", "-k", "quiet")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*1 budget: 1 PASS*", "*the report could not be written to*"])


def test_an_unknown_language_is_refused_before_anything_runs(three):
    result = three.runpytest("--leakpro", "--leakpro-report=page.html", "--leakpro-language=de")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--leakpro-language: the page speaks en, sv, not 'de'*"])


def test_missing_libraries_are_told_before_anything_runs(three, monkeypatch):
    monkeypatch.setattr(document, "missing_libraries", lambda: "the page takes jinja2")
    result = three.runpytest("--leakpro", "--leakpro-report=page.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--leakpro-report: the page takes jinja2*"])


@pytest.mark.slow
def test_a_session_without_a_page_loads_nothing_for_it(three):
    three.makeconftest(
        (three.path / "conftest.py").read_text() + "\ndef pytest_unconfigure():\n"
        "    import sys\n"
        "    print('loaded', sorted({'jinja2', 'matplotlib'} & set(sys.modules)))\n"
    )
    result = three.runpytest_subprocess("--leakpro", "-k", "quiet", "-s", "-p", "no:html")
    result.stdout.fnmatch_lines(["*loaded []*"])


CANARY = "canary"
PLANTED = f"""
import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier
from pytest_leakpro import Classifier, LeakproError, SyntheticData

def people(seed, n=240):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    table = pd.DataFrame(
        {{
            "{CANARY}_age": np.round(50 + 10 * first),
            "{CANARY}_lab": np.round(first + rng.normal(size=n), 3),
            "{CANARY}_town": rng.choice([f"{CANARY} town {{i}}" for i in range(5)], n),
            "budgeted": np.round(rng.normal(size=n) + first, 1),
        }},
        index=[f"{CANARY}-id-{{seed}}-{{i}}" for i in range(n)],
    )
    return table, np.where(first > 0, "{CANARY} yes", "{CANARY} no")

def numbers(seed):
    table, y = people(seed)
    return table.drop(columns="{CANARY}_town"), y

@pytest.mark.leakage("tpr@10%fpr <= 30%", "stored_records <= 0", "auc <= 0.6")
def test_model(leakpro):
    model = KNeighborsClassifier().fit(*numbers(0))
    leakpro.measure(
        Classifier(
            model, members=numbers(0), nonmembers=numbers(1), train=False, secret="budgeted",
            name="neighbours",
        ),
        "tpr@10%fpr <= 30%", "stored_records <= 0", "attribute_inference[budgeted] <= 20%",
    )

def release(seed):
    table, _ = people(seed)
    table["{CANARY}_key"] = np.arange(len(table)) + 10_000
    table["{CANARY}_text"] = [f"{CANARY} wrote these words about number {{i}}" for i in table.index]
    return table

def test_release(leakpro):
    leakpro.measure(
        SyntheticData(
            original=release(0), synthetic=release(2), control=release(1), name="release"
        ),
        "linkability <= 20%", "inference[budgeted] <= 30%", "singling_out <= 20%",
        "exact_copies <= 10%",
    )

@pytest.mark.leakage("linkability <= 20%")
def test_wrong(leakpro):
    lacking = release(2).drop(columns="{CANARY}_lab")
    leakpro.audit(SyntheticData(original=release(0), synthetic=lacking, control=release(1)))

@pytest.mark.leakage("auc <= 0.6")
def test_elsewhere(leakpro, tmp_path):
    raise LeakproError(f"cannot read {{tmp_path}}/{CANARY}.csv, nor tcp://{CANARY}:8786")
"""


@pytest.mark.filterwarnings("ignore")
def test_nothing_planted_in_data_columns_or_paths_stands_on_the_page(pytester):
    """Values, ids, labels, columns that no budget names, paths and hosts."""
    pytester.makepyfile(PLANTED)
    result = pytester.runpytest(
        "--leakpro", "--leakpro-report=page.html", "--leakpro-json=run.json", "-p", "no:randomly"
    )
    records = (pytester.path / "run.json").read_text()
    page = page_at(pytester)
    assert CANARY in records  # else this would hold of anything
    for planted in (CANARY, str(pytester.path), str(pytester.path.parent), "/tmp/", "8786"):
        assert planted not in page, page[page.find(planted) - 200 :][:400]
    host = platform.node()
    assert len(host) < 4 or host not in page
    for shown in ("neighbours", "stored_records", "inference[budgeted]", "are left out here"):
        assert shown in page, result.stdout.str()
    assert "the text of the error names columns" in page
