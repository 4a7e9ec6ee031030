"""Results as files: JSON and JUnit; and sessions that must decide something."""

import json
import xml.etree.ElementTree as ET

import pytest

VARYING = ("seconds", "time", "date", "cache")


def constant(value):
    """Drop what may differ between two runs on the same inputs."""
    if isinstance(value, dict):
        return {
            key: constant(entry)
            for key, entry in value.items()
            if not any(part in key for part in VARYING)
        }
    return [constant(entry) for entry in value] if isinstance(value, list) else value


def results(path):
    return json.loads(path.read_text())


def test_json_holds_every_measurement_and_nothing_about_the_run(three):
    three.runpytest("--leakpro", "--leakpro-json=out/results.json")
    content = results(three.path / "out" / "results.json")
    assert content["schema_version"] == 1
    tests = [entry["test"] for entry in content["measurements"]]
    assert tests == sorted(tests)
    assert len(tests) == 3
    loud = content["measurements"][0]
    assert (loud["target"], loud["metric"], loud["verdict"]) == ("loud", "auc", "FAIL")
    assert loud["low"] > loud["limit"]
    text = json.dumps(content)
    assert str(three.path) not in text
    assert "gw0" not in text


def test_two_runs_write_the_same_file_alone_and_in_parallel(three):
    pytest.importorskip("xdist")
    runs = [[], ["-n2"]]
    written = []
    for number, flags in enumerate(runs):
        three.runpytest_subprocess("--leakpro", f"--leakpro-json={number}.json", *flags)
        written.append(constant(results(three.path / f"{number}.json")))
    assert all(entry == written[0] for entry in written)


def test_one_summary_on_the_controller(three):
    pytest.importorskip("xdist")
    pytest.importorskip("matplotlib")
    result = three.runpytest_subprocess("--leakpro", "--leakpro-report=page.html", "-n2")
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    assert text.count("leakage audits") == 1
    assert text.count("3 budgets:") == 1
    assert (three.path / "page.html").read_text().count("<tr data-standing=") == 3


def test_junit_carries_the_figures_of_the_table(three):
    three.runpytest("--leakpro", "--junitxml=junit.xml", "--leakpro-json=out.json")
    cases = ET.parse(three.path / "junit.xml").iter("testcase")
    properties = {
        prop.get("name"): prop.get("value") for case in cases for prop in case.iter("property")
    }
    for entry in results(three.path / "out.json")["measurements"]:
        prefix = f"leakpro.{entry['target']}.auc"
        assert properties[f"{prefix}.value"] == entry["shown_value"]
        assert properties[f"{prefix}.low"] == entry["shown_low"]
        assert properties[f"{prefix}.high"] == entry["shown_high"]
        assert properties[f"{prefix}.limit"] == "0.55"
        assert properties[f"{prefix}.verdict"] == entry["verdict"]
        assert properties[f"{prefix}.members"] == str(entry["sizes"]["members"])


def test_reruns_replace_what_they_repeat(three):
    pytest.importorskip("pytest_rerunfailures")
    result = three.runpytest("--leakpro", "--reruns=2", "--junitxml=j.xml", "--leakpro-json=o.json")
    result.assert_outcomes(passed=1, failed=2)
    assert len(results(three.path / "o.json")["measurements"]) == 3
    for case in ET.parse(three.path / "j.xml").iter("testcase"):
        names = [prop.get("name") for prop in case.iter("property")]
        assert len(names) == len(set(names))


def test_two_audits_of_one_name_are_kept_apart(repo):
    repo.makepyfile(
        """
        def test_it(leakpro, quiet, loud):
            leakpro.measure(quiet, "auc <= 0.55")
            leakpro.measure(quiet, "auc <= 0.6")
        """
    )
    repo.runpytest("--leakpro", "--leakpro-json=o.json")
    entries = results(repo.path / "o.json")["measurements"]
    assert [(entry["occurrence"], entry["limit"]) for entry in entries] == [(0, 0.55), (1, 0.6)]


def test_nothing_is_written_where_nothing_was_audited(repo):
    repo.makepyfile("def test_it(): pass")
    repo.runpytest("--leakpro", "--leakpro-json=o.json")
    assert not (repo.path / "o.json").exists()


def test_a_path_that_cannot_be_written_loses_no_result(three):
    (three.path / "file").write_text("")
    result = three.runpytest("--leakpro", "--leakpro-json=file/o.json", "-k", "quiet")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["quiet *PASS", "leakpro: the results could not be written to*"])


def test_json_by_ini_key(three):
    three.makeini("[pytest]\nleakpro_json = by-ini.json\n")
    three.runpytest("--leakpro")
    assert (three.path / "by-ini.json").exists()


@pytest.mark.parametrize("how", ["flag", "ini"])
@pytest.mark.parametrize(
    ("selection", "code"),
    [("quiet", 0), ("unclear", 1), ("nothing", 1), ("plain", 1)],
)
def test_require_audits(three, how, selection, code):
    three.makepyfile(test_plain="def test_plain(): pass")
    flags = ["--leakpro", "-k", selection, "--leakpro-inconclusive=pass"]
    if how == "flag":
        flags.append("--leakpro-require-audits")
    else:
        three.makeini("[pytest]\nleakpro_require_audits = true\n")
    result = three.runpytest(*flags)
    assert result.ret == code
    if code:
        result.stdout.fnmatch_lines(["leakpro: no audit ended PASS or FAIL*"])


def test_require_audits_leaves_collecting_and_sessions_without_the_flag_alone(three):
    three.makeini("[pytest]\nleakpro_require_audits = true\n")
    assert three.runpytest("--leakpro", "--collect-only").ret == 0
    assert three.runpytest().ret == 0


def test_require_audits_under_xdist(three):
    pytest.importorskip("xdist")
    flags = ["--leakpro", "--leakpro-require-audits", "-n2"]
    assert three.runpytest_subprocess(*flags, "-k", "quiet").ret == 0
    assert (
        three.runpytest_subprocess(*flags, "-k", "unclear", "--leakpro-inconclusive=pass").ret == 1
    )
