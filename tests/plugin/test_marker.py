"""The marker, where it may stand and what it may say."""

from textwrap import dedent

import pytest


def test_is_registered(repo):
    repo.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.leakage(*budgets*"])
    repo.makepyfile("import pytest\n@pytest.mark.leakage\ndef test_it(): pass")
    assert repo.runpytest("--strict-markers", "--leakpro").ret == 0


BODIES = {
    "module": """
        pytestmark = pytest.mark.leakage("auc <= 0.55")
        def test_it(leakpro, loud): leakpro.audit(loud)
        """,
    "class": """
        @pytest.mark.leakage("auc <= 0.55")
        class TestIt:
            def test_it(self, leakpro, loud): leakpro.audit(loud)
        """,
    "param": """
        MARK = pytest.mark.leakage("auc <= 0.55")
        @pytest.mark.parametrize("limit", [pytest.param(1, marks=MARK)])
        def test_it(leakpro, loud, limit): leakpro.audit(loud)
        """,
    "assertion": """
        @pytest.mark.leakage("auc <= 0.55")
        def test_it(loud): pytest_leakpro.assert_leakage_below(loud)
        """,
}


@pytest.mark.parametrize("where", BODIES)
def test_budgets_come_from_the_nearest_marker(repo, where):
    repo.makepyfile("import pytest, pytest_leakpro\n" + dedent(BODIES[where]))
    repo.runpytest().assert_outcomes(skipped=1)
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E     budget    auc <= 0.55 *marker, *"])


def test_a_session_wide_marker(repo):
    repo.makeconftest(
        (repo.path / "conftest.py").read_text() + "\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items: item.add_marker(pytest.mark.leakage('auc <= 0.55'))\n"
    )
    repo.makepyfile("def test_it(leakpro, loud): leakpro.audit(loud)")
    repo.runpytest("--leakpro").stdout.fnmatch_lines(["*budget    auc <= 0.55*"])


def test_the_closest_marker_replaces_the_others(repo):
    repo.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.leakage("auc <= 0.99", seed=5)

        @pytest.mark.leakage("auc <= 0.55")
        def test_inner(leakpro, loud): leakpro.audit(loud)

        def test_outer(leakpro, loud): leakpro.audit(loud)

        @pytest.mark.leakage("auc <= 0.55")
        def test_call(leakpro, loud): leakpro.audit(loud, "auc <= 0.98")
        """
    )
    result = repo.runpytest("--leakpro", "-rA")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*sizes *seed 0"])


def test_options_of_the_marker(repo):
    repo.makepyfile(
        """
        import pytest

        @pytest.mark.leakage("auc <= 0.55", inconclusive="pass", seed=9, alpha=0.2)
        def test_it(leakpro, unclear):
            audit = leakpro.audit(unclear)
            assert (audit.seed, audit.alpha) == (9, 0.2)
        """
    )
    repo.runpytest("--leakpro", "--leakpro-seed=4", "--leakpro-alpha=0.01").assert_outcomes(
        passed=1
    )


@pytest.mark.parametrize(
    ("marker", "says"),
    [
        ("'auc < 0.55'", 'expected "<="'),
        ("'aux <= 0.55'", "did you mean 'auc'"),
        ("0.55", "a budget is text"),
        ("'auc <= 0.55', sed=3", "did you mean 'seed'"),
        ("'auc <= 0.55', seed=-3", "seed is a whole number"),
        ("'auc <= 0.55', alpha=2", "alpha is a probability"),
        ("'auc <= 0.55', inconclusive='never'", "inconclusive cannot be 'never'"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--leakpro"], ["--leakpro", "-n2"]], ids=str)
def test_a_wrong_marker_is_a_usage_error_with_the_node_id(repo, marker, says, flags):
    if flags[1:]:
        pytest.importorskip("xdist")
        if says != 'expected "<="':
            pytest.skip("one of them is enough under xdist")
    repo.makepyfile(
        test_wrong=f"import pytest\n@pytest.mark.leakage({marker})\ndef test_it(): pass"
    )
    result = repo.runpytest(*flags)
    text = result.stdout.str() + result.stderr.str()
    assert result.ret != 0
    assert "test_wrong.py::test_it: the marker 'leakage' is wrong" in text
    assert says in text
    if not flags[1:]:
        assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_without_any_budget(repo):
    repo.makepyfile("def test_it(leakpro, quiet): leakpro.audit(quiet)")
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*LeakproError: there is no budget: give one in the call*"])


def test_a_wrong_marker_that_a_hook_adds_fails_its_test(repo):
    repo.makeconftest(
        (repo.path / "conftest.py").read_text() + "\n@pytest.hookimpl(trylast=True)"
        "\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items: item.add_marker(pytest.mark.leakage('auc < 0.55'))\n"
    )
    repo.makepyfile("def test_it(leakpro, quiet): leakpro.audit(quiet)")
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*::test_it: the marker 'leakage' is wrong: cannot read*"])
