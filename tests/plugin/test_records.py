"""What a session writes: complete, the same everywhere, and nothing that gives anybody away."""

import getpass
import json
import platform
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.store.documents import read_document


def runs(repo):
    folder = repo.path / ".leakpro" / "runs"
    return [read_document(path, "run") for path in sorted(folder.glob("*.json"))]


def measurements(repo):
    return runs(repo)[-1]["measurements"]


MODEL = """
import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier
from pytest_leakpro import Classifier

@pytest.fixture
def target():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = (X[:, 0] + rng.normal(size=400) > 0).astype(int)
    members, others = (X[:200], y[:200]), (X[200:], y[200:])
    return Classifier(DecisionTreeClassifier(random_state=0).fit(*members), members, others)
"""


@pytest.fixture
def tree(pytester):
    pytester.makeconftest(MODEL)
    pytester.makepyfile(
        test_tree="""
        import pytest

        @pytest.mark.leakage("auc <= 0.9", shadow_models=4, workers=1)
        def test_tree(leakpro, target):
            leakpro.audit(target)
        """
    )
    return pytester


def test_a_record_says_how_its_figures_came_about(tree, monkeypatch):
    monkeypatch.setenv("LEAKPRO_DIGEST_KEY", "k" * 32)
    for command in (["init"], ["add", "."], ["commit", "-m", "first"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *identity, *command], cwd=tree.path, check=True, capture_output=True)
    assert tree.runpytest("--leakpro").ret == 0
    (record,) = measurements(tree)
    assert record["test"] == record["name"] == "test_tree.py::test_tree"
    assert record["location"] == {"path": "test_tree.py", "line": 3}
    assert (record["target"], record["named"]) == ("DecisionTreeClassifier", False)
    assert record["configuration"] == {"attacks": None, "shadow_models": 4}
    assert record["queries"] == 400
    assert set(record["digests"]) == {"recipe", "data", "model"}
    assert {"python", "numpy", "sklearn"} <= set(record["libraries"])
    assert re.fullmatch("[0-9a-f]{40}", record["commit"]["id"])
    assert record["commit"]["dirty"] is False
    curve = record["evidence"]["curve"]
    x, y = ([int(n) for n in curve[axis].split()] for axis in "xy")
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 200, 200)
    assert len(x) == len(y) <= 100
    assert record["suite"] == [entry["attack"] for entry in record["figures"]]
    comparable = record["comparable"]
    assert comparable["low"] <= comparable["value"] <= comparable["high"]


def test_without_a_key_there_is_no_digest_of_model_or_data(tree):
    tree.runpytest("--leakpro", "--leakpro-update-baseline")
    assert set(measurements(tree)[0]["digests"]) == {"recipe"}
    (entry,) = json.loads((tree.path / "leakpro-baseline.json").read_text())["measurements"]
    assert set(entry["digests"]) == {"recipe"}


def test_digests_depend_on_the_key_and_on_the_data(tree, monkeypatch):
    found = []
    for key, seed in (("k" * 16, 0), ("k" * 16, 0), ("l" * 16, 0), ("k" * 16, 1)):
        tree.makeconftest(MODEL.replace("default_rng(0)", f"default_rng({seed})"))
        monkeypatch.setenv("LEAKPRO_DIGEST_KEY", key)
        tree.runpytest("--leakpro", "--leakpro-no-cache")
        found.append(measurements(tree)[0]["digests"])
    for what in ("data", "model"):
        assert found[0][what] == found[1][what]
        assert len({digests[what] for digests in found}) == 3


def test_a_short_key_is_a_usage_error(tree, monkeypatch):
    monkeypatch.setenv("LEAKPRO_DIGEST_KEY", "guess")
    result = tree.runpytest("--leakpro")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*LEAKPRO_DIGEST_KEY has 5 bytes*"])


def test_nothing_that_is_written_gives_anybody_away(tree):
    tree.runpytest(
        "--leakpro",
        "--leakpro-update-baseline",
        "--leakpro-markdown=m.md",
        "--leakpro-code-quality=q.json",
        "--leakpro-json=r.json",
    )
    written = [*tree.path.glob("*.json"), tree.path / "m.md"]
    written += (tree.path / ".leakpro" / "runs").glob("*.json")
    assert len(written) == 5
    for path in written:
        text = path.read_text(encoding="utf-8")
        for secret in (str(tree.path), platform.node(), str(Path.home())):
            assert secret not in text, (path, secret)
        assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", text)
    assert not (tree.path / ".leakpro" / "scores").exists()


def test_failed_and_errored_audits_are_written(three):
    three.makepyfile(
        test_errors="""
        import pytest

        @pytest.fixture
        def broken():
            raise ValueError("row 7 of Jane Doe")

        @pytest.mark.leakage("auc <= 0.55", "tpr@1%fpr <= 3%")
        def test_fixture(leakpro, broken):
            leakpro.audit(broken)

        @pytest.mark.leakage("auc <= 0.55")
        def test_wrong(leakpro):
            leakpro.audit(7)

        @pytest.mark.leakage("auc <= 0.55")
        def test_skipped(leakpro):
            pytest.skip("no data")

        def test_plain_error():
            raise ValueError("nothing to do with it")
        """
    )
    result = three.runpytest("--leakpro", "--junitxml=j.xml")
    result.stdout.fnmatch_lines(["6 budgets: 3 ERROR, 1 FAIL, 1 INCONCLUSIVE, 1 PASS *"])
    found = {(entry["test"], entry["metric"]): entry for entry in measurements(three)}
    assert len(found) == 6
    for metric in ("auc", "tpr@1%fpr"):
        entry = found["test_errors.py::test_fixture", metric]
        assert (entry["verdict"], entry["error"], entry["value"]) == ("ERROR", "ValueError", None)
    wrong = found["test_errors.py::test_wrong", "auc"]
    assert wrong["error"].startswith("LeakproError: int cannot be audited")
    assert "Jane" not in json.dumps(list(found.values()))
    assert "leakpro.test_wrong.auc.error" in (three.path / "j.xml").read_text()


@pytest.mark.parametrize("flags", [["--leakpro", "-k", "nothing"], [], ["--collect-only"]])
def test_nothing_is_written_where_nothing_was_measured(three, flags):
    three.runpytest(*flags, "--leakpro-json=r.json", "--leakpro-markdown=m.md")
    assert not (three.path / ".leakpro").exists()
    assert not list(three.path.glob("*.json"))
    assert not (three.path / "m.md").exists()


def figures_of_summary(lines):
    """Read the rows of the table: target, metric, estimate, low, high, limit, verdict."""
    pattern = r"(\S.*?) +(\S+) +(\S+) +(\S+) to (\S+) +(\S+) +([A-Z]+(?: \(weak suite\))?)"
    return sorted(found.groups() for line in lines if (found := re.fullmatch(pattern, line)))


def figures_of_record(record):
    names = ("value", "low", "high", "limit", "verdict")
    return (record["target"], record["metric"], *(record[f"shown_{name}"] for name in names))


def figures_of_junit(path):
    cases = ET.parse(path).iter("testcase")
    properties = {
        entry.get("name"): entry.get("value") for case in cases for entry in case.iter("property")
    }
    rows = []
    for name, value in properties.items():
        found = re.fullmatch(r"leakpro\.(\w+)\.(.+)\.value", name)
        if found:
            target, metric = found.groups()
            rest = ("low", "high", "limit", "verdict")
            prefix = f"leakpro.{target}.{metric}."
            rows.append((target, metric, value, *(properties[prefix + key] for key in rest)))
    return sorted(rows)


def figures_of_markdown(text):
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            target, metric, value, bounds, limit, verdict, *_ = cells
            low, high = bounds.split(" to ")
            word = verdict.partition(" ")[2]
            rows.append((target.strip("`"), metric.strip("`"), value, low, high, limit, word))
    return sorted(rows)


def test_all_outputs_agree_to_the_digit(three, capsys, monkeypatch):
    three.makepyfile(
        test_more="""
        import pytest

        @pytest.mark.leakage("tpr@1%fpr <= 3%", "tpr@0.1%fpr <= 1%", "advantage <= 20%")
        def test_loud(leakpro, loud):
            leakpro.audit(loud)

        @pytest.mark.leakage("tpr@0.1%fpr <= 0.7%", "auc <= 0.519", inconclusive="pass")
        def test_quiet(leakpro, quiet):
            leakpro.audit(quiet)
        """
    )
    result = three.runpytest(
        "--leakpro", "--color=no", "--junitxml=j.xml", "--leakpro-markdown=m.md"
    )
    summary = figures_of_summary(result.outlines)
    record = sorted(map(figures_of_record, measurements(three)))
    assert len(record) == 8
    assert summary == record
    # Two tests measure the AUC of the same target, and each of them has its own properties.
    assert set(figures_of_junit(three.path / "j.xml")) <= set(record)
    assert {row[:2] for row in figures_of_junit(three.path / "j.xml")} == {r[:2] for r in record}
    assert figures_of_markdown((three.path / "m.md").read_text(encoding="utf-8")) == record
    monkeypatch.chdir(three.path)
    capsys.readouterr()
    assert main(["show"]) == 0
    assert figures_of_summary(capsys.readouterr().out.splitlines()) == record


def constant(record):
    return {key: value for key, value in record.items() if key not in ("seconds", "change")}


SHUFFLE = "\ndef pytest_collection_modifyitems(items):\n    items.reverse()\n"


def test_the_same_records_however_the_session_runs(three):
    pytest.importorskip("xdist")
    conftest = (three.path / "conftest.py").read_text()
    found = []
    ways = [[], ["-n2"], ["reversed"]]
    for flags in ways:
        if flags == ["reversed"]:
            (three.path / "conftest.py").write_text(conftest + SHUFFLE)
            flags = []
        three.runpytest_subprocess("--leakpro", *flags)
        found.append([constant(record) for record in measurements(three)])
    assert len(found[0]) == 3
    assert all(records == found[0] for records in found)


def test_groups_of_xdist_are_no_part_of_a_test(three):
    pytest.importorskip("xdist")
    text = (three.path / "test_three.py").read_text()
    mark = "@pytest.mark.xdist_group('g')\n@pytest.mark.leakage"
    (three.path / "test_three.py").write_text(text.replace("@pytest.mark.leakage", mark))
    three.runpytest_subprocess("--leakpro", "-n2", "--dist=loadgroup")
    assert {record["test"] for record in measurements(three)} == {
        f"test_three.py::test_{name}" for name in ("quiet", "loud", "unclear")
    }


FLAKY = """
import pytest
from conftest import scores

TRIES = []

@pytest.mark.leakage("auc <= 0.55")
def test_it(leakpro):
    TRIES.append(1)
    leakpro.audit(scores(2.0 if len(TRIES) < 3 else 0.0, name="flaky"))
"""


@pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["alone", "xdist"])
def test_a_test_that_was_repeated_until_it_passed_says_so(repo, workers):
    pytest.importorskip("pytest_rerunfailures")
    repo.makepyfile(test_flaky=FLAKY)
    result = repo.runpytest_subprocess(
        "--leakpro", "--reruns=3", "--junitxml=j.xml", "--leakpro-markdown=m.md", *workers
    )
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines(["  attempt 3 of this test; earlier: FAIL, FAIL"])
    (record,) = measurements(repo)
    assert (record["verdict"], record["attempt"]) == ("PASS", 3)
    assert record["earlier"] == ["FAIL", "FAIL"]
    assert "leakpro.earlier attempts" in (repo.path / "j.xml").read_text()
    assert "earlier: FAIL, FAIL" in (repo.path / "m.md").read_text(encoding="utf-8")


def test_an_attempt_that_ended_in_an_error_is_no_audit_of_the_next(repo):
    pytest.importorskip("pytest_rerunfailures")
    repo.makepyfile(
        test_flaky=FLAKY.replace("    leakpro.audit", "    assert TRIES[1:]\n    #", 1)
        + "    leakpro.audit(scores(0.0, name='flaky'))\n"
    )
    repo.runpytest("--leakpro", "--reruns=2")
    (record,) = measurements(repo)
    assert (record["verdict"], record["earlier"]) == ("PASS", ["ERROR"])


def test_every_subtest_is_recorded(repo):
    pytest.importorskip("_pytest.subtests")
    repo.makepyfile(
        test_sub="""
        from conftest import scores

        def test_it(leakpro, subtests):
            for number in range(3):
                with subtests.test(number=number):
                    leakpro.audit(scores(0.0, name=f"model {number}"), "auc <= 0.55")
            with subtests.test("loud"):
                leakpro.audit(scores(2.0, name="loud"), "auc <= 0.55")
        """
    )
    result = repo.runpytest("--leakpro")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["4 budgets: 1 FAIL, 3 PASS *"])
    assert [record["target"] for record in measurements(repo)] == [
        "loud",
        "model 0",
        "model 1",
        "model 2",
    ]


def test_a_folder_that_cannot_be_written_loses_no_verdict(three):
    (three.path / ".leakpro").write_text("in the way")
    result = three.runpytest("--leakpro", "-k", "quiet")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["quiet *PASS", "leakpro: this run is not kept in *"])


FULL_DISK = """
import errno, os

def full(handle):
    raise OSError(errno.ENOSPC, "No space left on device")

def pytest_collection_finish():
    os.fsync = full

def pytest_unconfigure():
    os.fsync = original

original = os.fsync
"""


def test_a_full_disk_loses_no_verdict_and_no_baseline(three):
    three.runpytest("--leakpro", "--leakpro-update-baseline")
    before = (three.path / "leakpro-baseline.json").read_bytes()
    conftest = (three.path / "conftest.py").read_text()
    (three.path / "conftest.py").write_text(FULL_DISK + conftest.replace("4000", "3000"))
    result = three.runpytest("--leakpro", "--leakpro-update-baseline", "--leakpro-json=r.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "quiet *PASS",
            "leakpro: this run is not kept in *: No space left on device",
            "leakpro: the results could not be written to *r.json: No space left on device",
            "leakpro: the baseline *leakpro-baseline.json was not updated: No space left on device",
        ]
    )
    assert (three.path / "leakpro-baseline.json").read_bytes() == before
    assert len(runs(three)) == 1


def test_the_page_of_pytest_html_shows_the_figures(three):
    pytest.importorskip("pytest_html")
    three.runpytest("--leakpro", "--html=r.html", "--self-contained-html")
    page = (three.path / "r.html").read_text(encoding="utf-8")
    for record in measurements(three):
        assert record["shown_value"] in page


def test_github_gets_a_summary_and_annotations_once(three, monkeypatch):
    pytest.importorskip("xdist")
    path = three.path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(three.path.parent))
    result = three.runpytest_subprocess("--leakpro", "-n2")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.count("## Leakage audits") == 1
    commands = [line for line in result.outlines if line.startswith("::")]
    assert len(commands) == 2
    assert all(f"file={three.path.name}/test_three.py,line=" in line for line in commands)
    monkeypatch.delenv("GITHUB_ACTIONS")
    result = three.runpytest_subprocess("--leakpro")
    assert not [line for line in result.outlines if line.startswith("::")]
    assert path.read_text(encoding="utf-8") == text


def test_gitlab_gets_a_report_even_where_all_is_well(three):
    flags = ["--leakpro", "--leakpro-code-quality=q.json"]
    three.runpytest(*flags)
    found = json.loads((three.path / "q.json").read_text())
    assert {entry["location"]["path"] for entry in found} == {"test_three.py"}
    assert len(found) == 2
    three.runpytest(*flags, "-k", "quiet")
    assert json.loads((three.path / "q.json").read_text()) == []


HOSTILE = """
import pytest
from conftest import scores

NAMES = ["\x1b[31mred", "a\\nFAILED b", "\\u202eabc", "\\udc80", "x" * 10_000, "<b>&|`[a](http://b)"]

@pytest.mark.parametrize("name", NAMES, ids=NAMES)
@pytest.mark.leakage("auc <= 0.55")
def test_it(leakpro, name):
    leakpro.audit(scores(1.5, name=name))

@pytest.mark.parametrize("name", NAMES, ids=NAMES)
@pytest.mark.leakage("auc <= 0.55")
def test_error(leakpro, name):
    raise ValueError(name)
"""


def test_hostile_test_ids_do_no_harm_in_any_output(repo, capsys, monkeypatch):
    repo.makeini(
        "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n"
    )
    repo.makepyfile(test_hostile=HOSTILE)
    repo.runpytest(
        "--leakpro",
        "--color=no",
        "--tb=no",
        "-rN",
        "--leakpro-update-baseline",
        "--leakpro-markdown=m.md",
        "--leakpro-code-quality=q.json",
        "--junitxml=j.xml",
        "--html=r.html",
    )
    assert len(measurements(repo)) == 12
    assert len(json.loads((repo.path / "leakpro-baseline.json").read_text())["measurements"]) == 6
    assert len(json.loads((repo.path / "q.json").read_text())) == 12
    ET.parse(repo.path / "j.xml")
    markdown = (repo.path / "m.md").read_text(encoding="utf-8")
    assert len([line for line in markdown.splitlines() if line.startswith("| `")]) == 12
    monkeypatch.chdir(repo.path)
    capsys.readouterr()
    assert main(["show"]) == 0
    assert main(["compare", "baseline", "latest"]) == 0
    for text in (capsys.readouterr().out, markdown, (repo.path / "q.json").read_text()):
        assert not {"\x1b", "\u202e"} & set(text)
        assert max(map(len, text.splitlines())) < 5000
    repo.runpytest("--leakpro", "--color=no", "-rN", "-k", "red and test_it")
    again = [line for line in capsys.readouterr().out.splitlines() if "again" in line]
    assert again
    assert not any("\x1b" in line for line in again)
