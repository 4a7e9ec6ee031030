"""Off means free."""

import subprocess
import sys

import pytest

HEAVY = "numpy scipy pandas sklearn torch matplotlib joblib hypothesis jinja2 cloudpickle"


def test_marked_tests_are_skipped_with_the_reason(three):
    result = three.runpytest("-rs")
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["*leakage audits run with --leakpro*"])
    result.stdout.no_fnmatch_line("*leakage audits =*")


def test_a_test_that_requests_the_fixture_waits_for_the_flag(repo):
    repo.makepyfile("def test_it(leakpro, quiet): leakpro.audit(quiet, 'auc <= 0.55')")
    repo.runpytest().assert_outcomes(skipped=1)
    repo.runpytest("--leakpro", "-m", "leakage").assert_outcomes(passed=1)


def test_the_fixtures_of_a_skipped_test_are_not_set_up(pytester):
    pytester.makepyfile(
        """
        import pytest
        @pytest.fixture
        def model(): raise RuntimeError("trained though nobody asked")
        @pytest.mark.leakage("auc <= 0.55")
        def test_it(leakpro, model): pass
        """
    )
    pytester.runpytest().assert_outcomes(skipped=1)


def test_collecting_loads_no_model_and_no_data(pytester):
    pytester.makepyfile(
        """
        import pytest
        @pytest.fixture(scope="session")
        def model(): raise RuntimeError
        @pytest.mark.leakage("auc <= 0.55")
        def test_it(leakpro, model): pass
        """
    )
    result = pytester.runpytest("--collect-only", "--leakpro", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*::test_it"])


def test_an_assertion_without_the_flag_is_measured_too(repo):
    repo.makepyfile(
        """
        from pytest_leakpro import assert_leakage_below
        def test_loud(loud): assert_leakage_below(loud, "auc <= 0.55")
        def test_quiet(quiet): assert_leakage_below(quiet, "auc <= 0.55")
        """
    )
    result = repo.runpytest()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.no_fnmatch_line("*again *")


@pytest.mark.parametrize("arguments", [[], ["-p", "no:leakpro"]])
def test_an_unused_plugin_imports_nothing_heavy(pytester, arguments):
    pytester.makeconftest(
        f"""
        import sys
        def pytest_unconfigure():
            loaded = sorted(set({HEAVY.split()!r}) & set(sys.modules))
            print("heavy modules:", loaded)
        """
    )
    pytester.makepyfile("def test_nothing(): pass")
    # hypothesis and xdist bring plugins of their own; only this one is under test.
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_leakpro.plugin.hooks", "-s", *arguments],
        capture_output=True,
        text=True,
        env={**_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=pytester.path,
        check=True,
    )
    assert "heavy modules: []" in result.stdout


def test_a_marker_that_is_not_run_imports_nothing_heavy_either(pytester):
    pytester.makeconftest(
        f"""
        import sys
        def pytest_unconfigure():
            print("heavy modules:", sorted(set({HEAVY.split()!r}) & set(sys.modules)))
        """
    )
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.leakage("tpr@0.1%fpr <= 1%", attacks=["loss"])
        def test_it(leakpro): pass
        """
    )
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_leakpro.plugin.hooks", "-s"],
        capture_output=True,
        text=True,
        env={**_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=pytester.path,
        check=True,
    )
    assert "1 skipped" in result.stdout
    assert "heavy modules: []" in result.stdout


def _environment():
    import os

    # Coverage would start its own imports in the subprocess.
    return {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}


def test_switched_off_by_name(three):
    result = three.runpytest("-p", "no:leakpro")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*fixture 'leakpro' not found*"])
    assert three.runpytest("-p", "no:leakpro", "--leakpro").ret == 4
