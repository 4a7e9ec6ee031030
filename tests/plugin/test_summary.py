"""The table that closes a session."""

import re

import pytest

from pytest_leakpro.store.documents import read_document


def summary(result):
    lines = result.stdout.lines
    start = next(i for i, line in enumerate(lines) if "leakage audits" in line)
    end = next(i for i in range(start + 1, len(lines)) if lines[i].startswith("==="))
    return lines[start:end]


def test_a_row_per_audit_and_budget(three):
    result = three.runpytest("--leakpro")
    result.assert_outcomes(passed=1, failed=2)
    table = summary(result)
    assert max(map(len, table)) <= 80
    text = "\n".join(table)
    for name, verdict in (("quiet", "PASS"), ("loud", "FAIL"), ("unclear", "INCONCLUSIVE")):
        assert re.search(rf"^{name} +auc +0\.\d+ +0\.\d+ to \d\.\d+ +0\.55 +{verdict}$", text, re.M)
    assert "scores as given, not checked; 4,000 + 4,000; 0.0 s" in text
    assert "3 budgets: 1 FAIL, 1 INCONCLUSIVE, 1 PASS   (seed 0, alpha 0.05)" in text


def test_the_failure_says_what_to_do(three):
    result = three.runpytest("--leakpro")
    result.stdout.fnmatch_lines(
        [
            "E       *LeakageError: loud leaks membership above its budget",
            "E         budget    auc <= 0.55        (marker, test_three.py:7)",
            "E         measured  0.8??  (95% bounds 0.8?? to 0.8??)   by loud; scores as given*",
            "E         sizes     4,000 members, 4,000 non-members     seed 0",
            "E         next *",
            'E         again     pytest --leakpro --leakpro-seed=0 "test_three.py::test_loud"',
        ]
    )
    result.stdout.fnmatch_lines(
        [
            "E *InconclusiveError: it cannot be told whether unclear keeps its budget",
            "E         needed *members and * non-members for a PASS of a model without leakage",
        ]
    )
    # Frames of the package are hidden, and so are the values of fixtures: they are the records.
    result.stdout.no_fnmatch_line("*conductor.py*")
    result.stdout.no_fnmatch_line("loud = *")


def test_values_of_fixtures_are_shown_by_other_failures(repo):
    repo.makepyfile("def test_it(quiet): assert quiet is None")
    repo.runpytest("--leakpro").stdout.fnmatch_lines(["quiet = *"])


def test_records_do_not_reach_the_log_or_junit(repo):
    repo.makepyfile(
        """
        import numpy as np, pytest
        from pytest_leakpro import Classifier

        @pytest.fixture
        def cohort():
            rng = np.random.default_rng(0)
            y = rng.integers(0, 2, 300)
            X = np.full((300, 2), 987654.321) + rng.normal(size=(300, 2))
            return (X, y), (X + 1, y)

        @pytest.mark.leakage("auc <= 0.55")
        def test_it(leakpro, cohort):
            members, nonmembers = cohort
            known = {row.tobytes() for row in members[0]}
            def model(X):
                sure = np.array([row.tobytes() in known for row in X])
                return np.c_[np.where(sure, 0, 0.5), np.where(sure, 1, 0.5)]
            leakpro.audit(Classifier(model, members, nonmembers))
        """
    )
    result = repo.runpytest("--leakpro", "--junitxml=junit.xml", "-v")
    result.assert_outcomes(failed=1)
    for text in (result.stdout.str(), (repo.path / "junit.xml").read_text()):
        assert "98765" not in text


def test_nothing_is_printed_where_nothing_was_audited(repo):
    repo.makepyfile("def test_it(): pass")
    result = repo.runpytest("--leakpro")
    result.stdout.no_fnmatch_line("*leakage audits*")


def test_quiet_and_colour(three):
    quiet = three.runpytest("--leakpro", "-q")
    quiet.stdout.fnmatch_lines(["quiet *PASS"])
    quiet.stdout.no_fnmatch_line("*scores as given, not checked; 4,000*")
    coloured = three.runpytest("--leakpro", "--color=yes")
    text = coloured.stdout.str()
    assert re.search(r"\x1b\[31m(\x1b\[1m)?FAIL", text)
    assert "\x1b[32mPASS" in text
    assert "\x1b[33mINCONCLUSIVE" in text
    assert "\x1b" not in three.runpytest("--leakpro", "--color=no").stdout.str()


def test_hostile_names_do_no_harm(repo):
    repo.makepyfile(
        r"""
        import pytest
        from conftest import scores
        NAMES = ["\x1b[31mred", "a\nFAILED b", "\u202eabc", "\udc80", "x" * 10_000]

        @pytest.mark.parametrize("at", range(len(NAMES)))
        @pytest.mark.leakage("auc <= 0.55")
        def test_it(leakpro, at):
            leakpro.audit(scores(1.5, name=NAMES[at]))
        """
    )
    result = repo.runpytest(
        "--leakpro", "--color=no", "--junitxml=junit.xml", "--leakpro-json=out.json"
    )
    result.assert_outcomes(failed=5)
    table = summary(result)
    assert len(table) == 1 + 1 + 5 * 2 + 1 + 1
    assert max(map(len, table)) <= 80
    assert "\x1b" not in result.stdout.str()
    assert (repo.path / "junit.xml").exists()
    assert (repo.path / "out.json").exists()


def test_an_audit_in_a_fixture_is_in_the_summary(repo):
    repo.makepyfile(
        """
        import pytest
        from pytest_leakpro import assert_leakage_below

        @pytest.fixture
        def released(quiet):
            assert_leakage_below(quiet, "auc <= 0.55")
            yield quiet
            assert_leakage_below(quiet, "advantage <= 20%")

        def test_it(released): pass
        """
    )
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(passed=1)
    text = "\n".join(summary(result))
    assert "auc" in text
    assert "advantage" in text


def test_measuring_never_fails(repo):
    repo.makepyfile(
        """
        def test_it(leakpro, loud):
            assert leakpro.measure(loud, "auc <= 0.55").verdict.value == "FAIL"
            assert leakpro.measure(loud).verdict is None
        """
    )
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(passed=1)
    assert "1 budget: 1 FAIL" in "\n".join(summary(result))


@pytest.mark.parametrize("style", ["unittest", "subtests"])
def test_other_kinds_of_tests(repo, style):
    bodies = {
        "unittest": """
        import unittest
        from conftest import scores
        from pytest_leakpro import assert_leakage_below
        class TestIt(unittest.TestCase):
            def test_it(self):
                assert_leakage_below(scores(0.0, name="quiet"), "auc <= 0.55")
        """,
        "subtests": """
        from pytest_leakpro import assert_leakage_below
        def test_it(subtests, quiet):
            with subtests.test("first"):
                assert_leakage_below(quiet, "auc <= 0.55")
        """,
    }
    repo.makepyfile(bodies[style])
    result = repo.runpytest("--leakpro")
    assert result.ret == 0
    text = "\n".join(summary(result))
    assert text.count("quiet") >= 1
    assert "1 budget: 1 PASS" in text


def test_rates_and_remarks_reach_every_output(repo):
    repo.makepyfile(
        """
        import pytest
        from pytest_leakpro import Counts, Guesses

        @pytest.mark.leakage("linkability <= 5%")
        def test_links(leakpro):
            leakpro.audit(Guesses((30, 1000), (30, 1000), (31, 1000), name="release"))

        @pytest.mark.leakage("exact_copies <= 0")
        def test_copies(leakpro):
            leakpro.audit(Counts(0, 1000, name="release"))
        """
    )
    options = ("--junitxml=j.xml", "--leakpro-json=out.json", "--leakpro-markdown=m.md")
    result = repo.runpytest("--leakpro", "--leakpro-update-baseline", *options)
    result.assert_outcomes(passed=2)
    text = "\n".join(summary(result))
    rates, note = "main 3.0%, control 3.0%, naive 3.1%", "weak attack: it succeeds 3.0% of the time"
    for part in (rates, f"note: {note}", "0 of 1,000", "2 budgets: 2 PASS"):
        assert part in text
    junit, markdown = ((repo.path / name).read_text() for name in ("j.xml", "m.md"))
    assert f'name="leakpro.release.linkability.rates" value="{rates}' in junit
    assert f'name="leakpro.release.linkability.remarks" value="{note}' in junit
    assert note in markdown
    assert rates in markdown
    # What is written is valid by its schema, and what is compared with it is unchanged.
    records = read_document(repo.path / "out.json", "run")["measurements"]
    (linked,) = [entry for entry in records if entry["metric"] == "linkability"]
    assert linked["control_rate"] == 0.03
    assert linked["remarks"][0].startswith(note)
    assert linked["notes"] == []
    again = repo.runpytest("--leakpro")
    again.assert_outcomes(passed=2)
    assert "\n".join(summary(again)).count("unchanged") == 2
