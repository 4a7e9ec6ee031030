"""Flags, ini keys in every kind of file, and which of them wins."""

import pytest

TEST = """
import pytest

def test_it(leakpro, quiet, request):
    audit = leakpro.measure(quiet)
    expected = {expected!r}
    found = dict(
        seed=audit.seed,
        alpha=audit.alpha,
        budgets=[str(entry.budget) for entry in audit.measurements],
        source=audit.measurements[0].source,
    )
    assert {{key: found[key] for key in expected}} == expected
"""

INI = """[pytest]
leakpro = true
leakpro_seed = 7
leakpro_alpha = 0.1
leakpro_budgets =
    auc <= 0.56
    advantage <= 20%
"""
PYPROJECT = """[tool.pytest.ini_options]
leakpro = true
leakpro_seed = 7
leakpro_alpha = 0.1
leakpro_budgets = ["auc <= 0.56", "advantage <= 20%"]
"""
NATIVE = PYPROJECT.replace("tool.pytest.ini_options", "tool.pytest")

EXPECTED = {
    "seed": 7,
    "alpha": 0.1,
    "budgets": ["auc <= 0.56", "advantage <= 20%"],
    "source": "ini file",
}


@pytest.mark.parametrize(
    ("file", "content"),
    [("pytest.ini", INI), ("pyproject.toml", PYPROJECT), ("pyproject.toml", NATIVE)],
    ids=["pytest.ini", "ini_options", "native"],
)
def test_ini_keys_in_every_kind_of_file(repo, file, content):
    if content is NATIVE and int(pytest.__version__.split(".")[0]) < 9:
        pytest.skip("[tool.pytest] came with pytest 9")
    (repo.path / file).write_text(content)
    repo.makepyfile(TEST.format(expected=EXPECTED))
    repo.runpytest().assert_outcomes(passed=1)


def test_the_command_line_wins_over_the_ini_file(repo):
    repo.makeini(INI)
    repo.makepyfile(
        TEST.format(
            expected={"seed": 3, "alpha": 0.2, "budgets": ["auc <= 0.6"], "source": "command line"}
        )
    )
    repo.runpytest(
        "--leakpro-seed=3", "--leakpro-alpha=0.2", "--leakpro-budget=auc <= 0.6"
    ).assert_outcomes(passed=1)


def test_several_budgets_on_the_command_line(repo):
    repo.makepyfile(TEST.format(expected={"budgets": ["auc <= 0.6", "tpr@1%fpr <= 5%"]}))
    repo.runpytest(
        "--leakpro", "--leakpro-budget", "auc <= 0.6", "--leakpro-budget", "tpr@1%fpr <= 5%"
    ).assert_outcomes(passed=1)


def test_no_leakpro_beats_addopts_and_ini(three):
    three.makeini("[pytest]\naddopts = --leakpro\nleakpro = true\n")
    three.runpytest().assert_outcomes(passed=1, failed=2)
    three.runpytest("--no-leakpro").assert_outcomes(skipped=3)


@pytest.mark.parametrize(("policy", "failed"), [("fail", 2), ("warn", 1), ("pass", 1)])
def test_inconclusive(three, policy, failed):
    flag = three.runpytest("--leakpro", f"--leakpro-inconclusive={policy}")
    flag.assert_outcomes(failed=failed, passed=3 - failed, warnings=2 if policy == "warn" else 1)
    three.makeini(f"[pytest]\nleakpro_inconclusive = {policy}\n")
    three.runpytest("--leakpro").assert_outcomes(
        failed=failed, passed=3 - failed, warnings=2 if policy == "warn" else 1
    )
    flag.stdout.fnmatch_lines(["unclear *INCONCLUSIVE"])


WEAK = """
import numpy as np
from pytest_leakpro import Classifier

def test_it(leakpro):
    rng = np.random.default_rng(0)
    sides = [(rng.normal(size=(4000, 2)), rng.integers(0, 2, 4000)) for _ in range(2)]
    leakpro.audit(Classifier(lambda X: X, *sides, output="logits"), "auc <= 0.55")
"""


@pytest.mark.parametrize(
    ("policy", "outcome", "warnings"),
    [("warn", "passed", 1), ("pass", "passed", 0), ("inconclusive", "failed", 0)],
)
def test_weak_suite(repo, policy, outcome, warnings):
    repo.makepyfile(WEAK)
    result = repo.runpytest("--leakpro", f"--leakpro-weak-suite={policy}")
    result.assert_outcomes(**{outcome: 1}, warnings=warnings)
    shown = "INCONCLUSIVE" if policy == "inconclusive" else "PASS (weak suite)"
    result.stdout.fnmatch_lines([f"callable *{shown}"])
    repo.makeini(f"[pytest]\nleakpro_weak_suite = {policy}\n")
    repo.runpytest("--leakpro").assert_outcomes(**{outcome: 1}, warnings=warnings)


@pytest.mark.parametrize(
    ("ini", "flags", "says"),
    [
        ("leakpro_budgets = auc < 0.5", [], 'expected "<="'),
        ("leakpro_inconclusive = never", [], "inconclusive cannot be 'never'"),
        ("leakpro_weak_suite = no", [], "weak_suite cannot be 'no'"),
        ("leakpro_seed = -1", [], "seed is a whole number"),
        ("leakpro_seed = x", [], "leakpro_seed"),
        ("", ["--leakpro-seed=x"], "invalid int value"),
        ("", ["--leakpro-alpha=0"], "alpha is a probability"),
        ("", ["--leakpro-inconclusive=never"], "invalid choice"),
        ("", ["--leakpro-budget=acu <= 0.5"], "did you mean 'auc'"),
    ],
)
def test_values_that_cannot_be_are_usage_errors(three, ini, flags, says):
    three.makeini(f"[pytest]\n{ini}\n")
    result = three.runpytest("--leakpro", *flags)
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert says in text
    assert "INTERNALERROR" not in text


def test_flags_do_not_swallow_what_follows(three):
    result = three.runpytest("--leakpro", "test_three.py::test_quiet")
    result.assert_outcomes(passed=1)


def test_attacks_of_other_plugins_run_when_named(repo):
    repo.makeconftest(
        """
        from dataclasses import dataclass
        from typing import ClassVar
        from pytest_leakpro.attacks.base import MembershipAttack

        @dataclass(frozen=True)
        class Oracle(MembershipAttack):
            name: ClassVar[str] = "oracle"
            def score(self, view, rng):
                return rng.normal(9, 1, view.n_members), rng.normal(size=view.n_nonmembers)

        def pytest_leakpro_attacks(config):
            return [Oracle()]
        """
    )
    repo.makepyfile(WEAK.replace('"auc <= 0.55"', '"auc <= 0.55", attacks=["oracle"]'))
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*by oracle;*"])
