"""The baseline: written when asked, compared with in the test, never lost by mistake."""

import json

import pytest

from pytest_leakpro.store.documents import read_document

TESTS = """
import os
import numpy as np
import pytest
from pytest_leakpro import MembershipScores, assert_leakage_below

def scores(shift, name=None, size=4000):
    rng = np.random.default_rng(3)
    return MembershipScores(rng.normal(shift, 1, size), rng.normal(size=size), name=name)

SHIFT = float(os.environ.get("SHIFT", "0.2"))

@pytest.mark.leakage("auc <= 0.7", "tpr@1%fpr <= 9%")
def test_it(leakpro):
    leakpro.audit(scores(SHIFT))

@pytest.mark.leakage("auc <= 0.7")
def test_other(leakpro):
    leakpro.audit(scores(0.2))
"""
REGRESSION = "baseline 0.5??: +0.???, at least +0.0??: REGRESSION (*allowed)"


@pytest.fixture
def tests(pytester):
    pytester.makepyfile(test_it=TESTS)
    return pytester


@pytest.fixture
def leaky(tests, monkeypatch):
    """A repo with a baseline whose model leaks more since."""
    run(tests, "--leakpro-update-baseline")
    monkeypatch.setenv("SHIFT", "0.6")
    return tests


def run(repo, *flags):
    return repo.runpytest("--leakpro", *flags)


def baseline(repo):
    return read_document(repo.path / "leakpro-baseline.json", "baseline")["measurements"]


def last_run(repo):
    path = max((repo.path / ".leakpro" / "runs").glob("*.json"))
    return read_document(path, "run")["measurements"]


@pytest.mark.parametrize("flags", [[], ["-q"]])
def test_a_first_run_says_so_in_one_line_and_passes(tests, flags):
    result = run(tests, *flags)
    assert result.ret == 0
    said = [line for line in result.outlines if "baseline" in line]
    assert said == [
        "leakpro: no baseline yet; --leakpro-update-baseline writes leakpro-baseline.json"
    ]
    assert not (tests.path / "leakpro-baseline.json").exists()


def test_nothing_changes_and_nothing_fails(tests):
    result = run(tests, "--leakpro-update-baseline")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["leakpro: baseline leakpro-baseline.json: 3 changed; review*"])
    assert {entry["test"] for entry in baseline(tests)} == {
        "test_it.py::test_it",
        "test_it.py::test_other",
    }
    result = run(tests)
    assert result.ret == 0
    lines = ["  baseline 0.5??: unchanged (+0.0?? would be noticed)"]
    result.stdout.fnmatch_lines(lines)


def test_an_increase_fails_the_test(leaky):
    result = run(leaky, "--junitxml=j.xml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E   *LeakageError: membership scores leaks membership above its baseline",
            "E *budget    auc <= 0.7 *",
            "E *measured  0.6?? *",
            f"E *change    {REGRESSION}",
            "E *compared  as independent samples; this speaks of these two models*",
            "E *again *",
            f"  {REGRESSION}",
            "3 budgets: 3 PASS; 2 regressions *",
        ]
    )
    assert "REGRESSION" in (leaky.path / "j.xml").read_text()
    changes = {entry["metric"]: entry["change"] for entry in last_run(leaky)[:2]}
    assert {change["outcome"] for change in changes.values()} == {"regression"}


def test_it_stops_at_the_first_and_runs_the_failed_again(leaky):
    assert run(leaky, "-x").parseoutcomes() == {"failed": 1}
    assert run(leaky, "--lf").parseoutcomes() == {"failed": 1}


HOW = {
    "marker": ([], "", 'max_increase="20pp"', ""),
    "call": ([], "", "", 'max_increase="20pp"'),
    "flag": (["--leakpro-compare-fail=+20pp"], "", "", ""),
    "flags": (
        ["--leakpro-compare-fail=auc:+20pp", "--leakpro-compare-fail=tpr@1%fpr:+0.2"],
        "",
        "",
        "",
    ),
    "ini": ([], "leakpro_compare_fail =\n    auc:+20pp\n    tpr@1%fpr:+20pp\n", "", ""),
}


@pytest.mark.parametrize("how", HOW)
def test_an_increase_can_be_allowed(leaky, how):
    flags, ini, marker, call = HOW[how]
    leaky.makeini(f"[pytest]\n{ini}")
    text = TESTS.replace('"tpr@1%fpr <= 9%")', f'"tpr@1%fpr <= 9%", {marker})')
    leaky.makepyfile(test_it=text.replace("scores(SHIFT))", f"scores(SHIFT), {call})"))
    result = run(leaky, *flags)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*no significant increase beyond +*"])


def test_the_marker_wins_over_the_flag(leaky):
    marker = '"tpr@1%fpr <= 9%", max_increase="0pp")'
    leaky.makepyfile(test_it=TESTS.replace('"tpr@1%fpr <= 9%")', marker))
    result = run(leaky, "--leakpro-compare-fail=+50pp")
    result.assert_outcomes(passed=1, failed=1)


def test_updating_takes_the_increase_as_it_is(leaky):
    result = run(leaky, "--leakpro-update-baseline")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"  {REGRESSION}", "*2 changed; review and commit it"])
    assert run(leaky).ret == 0


def test_a_violated_budget_is_still_one_when_updating(tests, monkeypatch):
    monkeypatch.setenv("SHIFT", "2")
    result = run(tests, "--leakpro-update-baseline")
    result.assert_outcomes(passed=1, failed=1)
    assert [entry["verdict"] for entry in baseline(tests)] == ["FAIL", "FAIL", "PASS"]


@pytest.mark.parametrize("how", ["flag", "ini"])
def test_a_baseline_can_be_required(tests, how):
    flags = ["--leakpro-require-baseline"] if how == "flag" else []
    ini = "leakpro_require_baseline = true\n" if how == "ini" else ""
    tests.makeini(f"[pytest]\n{ini}")
    result = run(tests, *flags)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E   *LeakproError: membership scores cannot be compared with a baseline*",
            "E *metric    auc: no baseline",
            "E *next      pytest --leakpro --leakpro-update-baseline, review and commit",
        ]
    )
    assert run(tests, *flags, "--leakpro-update-baseline").ret == 0
    assert run(tests, *flags).ret == 0


def test_another_attack_configuration_counts_as_no_baseline(tests):
    run(tests, "--leakpro-update-baseline")
    path = tests.path / "leakpro-baseline.json"
    path.write_text(path.read_text().replace('"shadow_models": null', '"shadow_models": 32'))
    result = run(tests)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  no comparable baseline: *: shadow_models was 32, now left*"])
    assert run(tests, "--leakpro-require-baseline").ret == 1


CORRUPT = {
    "conflict": "{\n<<<<<<< HEAD\n}\n",
    "no JSON": "{",
    "newer": '{"schema_version": 99, "kind": "baseline", "measurements": []}',
    "a run": '{"schema_version": 1, "kind": "run", "measurements": []}',
}


@pytest.mark.parametrize("case", CORRUPT)
@pytest.mark.parametrize("flags", [[], ["--leakpro-update-baseline"]], ids=["", "updating"])
def test_a_corrupt_baseline_is_a_usage_error(tests, case, flags):
    path = tests.path / "leakpro-baseline.json"
    path.write_text(CORRUPT[case])
    result = run(tests, *flags)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: leakpro: {path}*"])
    assert path.read_text() == CORRUPT[case]
    assert not (tests.path / ".leakpro").exists()


def test_a_corrupt_baseline_under_xdist(tests):
    pytest.importorskip("xdist")
    (tests.path / "leakpro-baseline.json").write_text("<<<<<<< HEAD\n")
    result = tests.runpytest_subprocess("--leakpro", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_folder_in_place_of_the_baseline(tests):
    (tests.path / "leakpro-baseline.json").mkdir()
    assert run(tests).ret == pytest.ExitCode.USAGE_ERROR


PARTIAL = {
    "-k": ["-k", "test_it"],
    "path": ["test_it.py"],
    "id": ["test_it.py::test_it"],
    "deselect": ["--deselect=test_it.py::test_it"],
    "ignore": ["--ignore=test_other.py"],
}


@pytest.mark.parametrize("how", PARTIAL)
def test_a_partial_run_prunes_nothing(tests, how):
    run(tests, "--leakpro-update-baseline")
    tests.makepyfile(test_it=TESTS.replace("def test_other", "def test_renamed"))
    run(tests, "--leakpro-update-baseline", *PARTIAL[how])
    assert "test_it.py::test_other" in {entry["test"] for entry in baseline(tests)}


def test_a_run_that_stops_or_breaks_prunes_nothing_that_is_there(tests):
    run(tests, "--leakpro-update-baseline")
    tests.makepyfile(test_a="def test_a(): assert 0")
    run(tests, "--leakpro-update-baseline", "-x")
    tests.makepyfile(test_it=TESTS.replace("scores(SHIFT))", "1 / 0)"))
    run(tests, "--leakpro-update-baseline")
    tests.makepyfile(test_it=TESTS.replace("import os\n", "import os, nothing\n"))
    run(tests, "--leakpro-update-baseline")
    assert len(baseline(tests)) == 3


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "xdist"])
def test_a_whole_run_prunes_tests_that_are_gone(tests, workers):
    if workers:
        pytest.importorskip("xdist")
    run(tests, "--leakpro-update-baseline")
    tests.makepyfile(test_it=TESTS.replace("def test_other", "def test_renamed"))
    result = tests.runpytest_subprocess("--leakpro", "--leakpro-update-baseline", *workers)
    result.stdout.fnmatch_lines(["*: 1 changed, 1 of tests that are gone removed; review*"])
    assert {entry["test"] for entry in baseline(tests)} == {
        "test_it.py::test_it",
        "test_it.py::test_renamed",
    }


TWO = TESTS.replace(
    "    leakpro.audit(scores(SHIFT))",
    "    leakpro.audit(scores(SHIFT), name='first')\n"
    "    leakpro.audit(scores(0.2, 'second'), name='second')",
)


@pytest.mark.parametrize("stop", ["verdict", "error", "assertion"])
def test_an_audit_that_its_test_did_not_reach_is_not_gone(tests, monkeypatch, stop):
    tests.makepyfile(test_it=TWO)
    run(tests, "--leakpro-update-baseline")
    names = {entry["name"] for entry in baseline(tests)}
    assert {"first", "second"} <= names
    if stop == "verdict":
        monkeypatch.setenv("SHIFT", "3")
    else:
        what = "scores(0.2, 'second')" if stop == "error" else "    leakpro.audit(scores(0.2, 's"
        other = "7" if stop == "error" else "    assert not leakpro\n" + what
        tests.makepyfile(test_it=TWO.replace(what, other))
    run(tests, "--leakpro-update-baseline")
    assert {entry["name"] for entry in baseline(tests)} == names


def test_an_audit_that_its_test_no_longer_makes_is_gone(tests):
    tests.makepyfile(test_it=TWO)
    run(tests, "--leakpro-update-baseline")
    one = TWO.replace("    leakpro.audit(scores(0.2, 'second'), name='second')", "")
    tests.makepyfile(test_it=one)
    run(tests, "--leakpro-update-baseline")
    assert "second" not in {entry["name"] for entry in baseline(tests)}


def test_a_test_that_is_skipped_is_not_gone(tests):
    run(tests, "--leakpro-update-baseline")
    skipped = TESTS.replace("def test_other(leakpro):\n", "def test_other():\n    pytest.skip()\n")
    tests.makepyfile(test_it=skipped)
    run(tests, "--leakpro-update-baseline")
    assert len(baseline(tests)) == 3


def test_the_path_can_be_chosen(tests):
    run(tests, "--leakpro-update-baseline", "--leakpro-baseline=ci/base.json")
    assert read_document(tests.path / "ci" / "base.json", "baseline")
    tests.makeini("[pytest]\nleakpro_baseline = ci/base.json\n")
    run(tests).stdout.fnmatch_lines(["*baseline *: unchanged*"])


def test_a_name_outlives_its_test(tests, monkeypatch):
    named = TESTS.replace('"tpr@1%fpr <= 9%")', '"tpr@1%fpr <= 9%", name="release")')
    tests.makepyfile(test_it=named)
    run(tests, "--leakpro-update-baseline")
    tests.makepyfile(test_it=named.replace("def test_it", "def test_renamed"))
    monkeypatch.setenv("SHIFT", "0.6")
    run(tests).assert_outcomes(passed=1, failed=1)


def test_the_class_of_an_unnamed_target_may_change_but_a_name_may_not(leaky):
    leaky.makepyfile(test_it=TESTS.replace("scores(SHIFT)", "scores(SHIFT, 'named')"))
    result = run(leaky)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["leakpro: 2 measurements have no baseline yet;*"])


def test_two_tests_of_one_name(tests):
    twice = TESTS.replace('<= 0.7")', '<= 0.7", name="x")').replace('9%")', '9%", name="x")')
    tests.makepyfile(test_it=twice)
    result = run(tests)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_it.py::test_other: *the name 'x' is taken by *::test_it*"])


def test_two_tests_that_give_one_name_in_the_call(tests):
    twice = TESTS.replace("SHIFT))", "SHIFT), name='x')").replace("0.2))", "0.2), name='x')")
    tests.makepyfile(test_it=twice)
    result = run(tests)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E   *LeakproError: the name 'x' is taken by *::test_it*"])
    pytest.importorskip("xdist")
    result = tests.runpytest_subprocess("--leakpro", "-n2", "--dist=each", "--tx=2*popen")
    assert result.ret == 1


def test_names_that_only_all_workers_know_to_be_taken(tests):
    pytest.importorskip("xdist")
    twice = TESTS.replace("SHIFT))", "SHIFT), name='x')").replace("0.2))", "0.2), name='x')")
    tests.makepyfile(test_it=twice)
    tests.makeconftest("import time\ndef pytest_runtest_setup(item): time.sleep(1)\n")
    result = tests.runpytest_subprocess("--leakpro", "-n2")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["leakpro: the name 'x' is given by *::test_it and by *"])
    assert len(last_run(tests)) == 3


def test_parameters_are_part_of_a_name(tests):
    tests.makepyfile(
        test_it=TESTS
        + """
@pytest.mark.parametrize("shift", [0.1, 0.2])
@pytest.mark.leakage("auc <= 0.7", name="release")
def test_each(leakpro, shift):
    leakpro.audit(scores(shift))
"""
    )
    assert run(tests).ret == 0
    names = {entry["name"] for entry in last_run(tests)}
    assert {"release[0.1]", "release[0.2]"} <= names


PAIRED = """
import os
import numpy as np
import pytest
from pytest_leakpro import Classifier

class Model:
    def __init__(self, records, noise):
        self.known, self.noise = {row.tobytes() for row in records}, noise
    def __call__(self, X):
        sharp = np.array([row.tobytes() in self.known for row in X])
        margin = self.noise * sharp + X[:, 0] * 3
        p = 1 / (1 + np.exp(-margin))
        return np.stack([1 - p, p], axis=1)

@pytest.mark.leakage("auc <= 0.9")
def test_it(leakpro):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 3)), np.ones(2000, dtype=int)
    model = Model(X[:1000], float(os.environ.get("SHARP", "0.2")))
    leakpro.audit(Classifier(model, (X[:1000], y[:1000]), (X[1000:], y[1000:])))
"""


def test_kept_scores_make_the_comparison_paired(tests, monkeypatch):
    tests.makepyfile(test_it=PAIRED)
    run(tests, "--leakpro-update-baseline", "--leakpro-save-scores")
    assert len(list((tests.path / ".leakpro" / "scores").iterdir())) == 1
    monkeypatch.setenv("SHARP", "0.4")
    result = run(tests)
    result.stdout.fnmatch_lines(
        ["E * change *REGRESSION*, paired", "E *compared  by a paired test*"]
    )
    assert last_run(tests)[0]["change"]["method"] == "paired"
    # Without the scores the same increase is not significant.
    for path in (tests.path / ".leakpro" / "scores").iterdir():
        path.unlink()
    assert run(tests).ret == 0
    assert last_run(tests)[0]["change"]["method"] == "independent samples"


def test_scores_of_other_records_are_not_paired(tests):
    tests.makepyfile(test_it=PAIRED)
    run(tests, "--leakpro-update-baseline", "--leakpro-save-scores")
    tests.makepyfile(test_it=PAIRED.replace("default_rng(0)", "default_rng(1)"))
    run(tests)
    assert last_run(tests)[0]["change"]["method"] == "independent samples"


def test_scores_that_cannot_be_kept_lose_no_verdict(tests):
    tests.makepyfile(test_it=PAIRED)
    (tests.path / ".leakpro").write_text("in the way")
    result = run(tests, "--leakpro-save-scores")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*the scores of Model are not kept: *", "1 budget: 1 PASS *"])


def test_wrong_increases_are_usage_errors(tests):
    result = run(tests, "--leakpro-compare-fail=auc:+5%")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*could mean a share of the baseline*write 5pp*"])
    tests.makepyfile(test_it=TESTS.replace('9%")', '9%", max_increase="a lot")'))
    result = run(tests)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*max_increase: cannot read the increase 'a lot'*"])


def test_the_baseline_is_the_same_alone_and_in_parallel(tests):
    pytest.importorskip("xdist")
    found = []
    for flags in ([], ["-n2", "--dist=loadgroup"]):
        tests.runpytest_subprocess("--leakpro", "--leakpro-update-baseline", *flags)
        path = tests.path / "leakpro-baseline.json"
        found.append(json.loads(path.read_text()))
        path.unlink()
    assert found[0] == found[1]
