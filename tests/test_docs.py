"""What the documentation promises is there."""

import re
from pathlib import Path

import pytest

from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.gate.catalogue import metrics
from pytest_leakpro.plugin.marker import OPTIONS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL_PAGES = [*PAGES, *sorted((ROOT / "docs").glob("*/*.md"))]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_ci_runs_the_readmes_test_command():
    command = next(line.strip() for line in text("README.md").splitlines() if "'.[dev]'" in line)
    assert command in text(".ci/run").splitlines()
    assert command in text("CONTRIBUTING.md")


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_metric_and_attack_has_its_row():
    for name in metrics():
        assert re.search(rf"^\| `{name}[`@\[]", text("docs/metrics.md"), re.M), name
    for name in builtin_attacks():
        assert re.search(rf"^\| `{name}` ", text("docs/attacks.md"), re.M), name


def test_every_flag_ini_key_and_marker_option_is_documented(pytester):
    page = text("docs/configuration.md")
    help_text = pytester.runpytest("--help").stdout.str()
    flags = set(re.findall(r"--(?:no-)?leakpro[a-z-]*", help_text))
    keys = set(re.findall(r"^  (leakpro[a-z_]*) \(", help_text, re.M))
    assert len(flags) >= 9
    assert len(keys) >= 8
    for name in flags | keys:
        assert f"`{name}" in page, name
    for option in OPTIONS:
        assert f"{option}=" in page


def test_every_flag_that_is_mentioned_is_there(pytester):
    help_text = pytester.runpytest("--help").stdout.str()
    known = set(re.findall(r"--(?:no-)?leakpro[a-z-]*", help_text))
    for page in ALL_PAGES:
        flags = re.findall(r"--(?:no-)?leakpro[a-z-]*", page.read_text(encoding="utf-8"))
        assert set(flags) <= known, page.name


def test_the_attack_of_the_docs_runs():
    page = text("docs/attacks.md")
    code = page[page.index("    from dataclasses") : page.index("Pass it as")]
    namespace = {"__name__": "docs"}
    exec("\n".join(line[4:] for line in code.splitlines()), namespace)
    from pytest_leakpro import audit
    from tests.attacks.views import exchangeable

    found = audit(exchangeable(0, 3, 100), "auc <= 0.7", attacks=[namespace["Margin"]()])
    assert found.measurements[0].attack == "margin"


def test_nothing_is_left_to_fill_in():
    for page in ALL_PAGES:
        for placeholder in ("SUMMARY\n", "FAILURE\n", "TABLE\n", "MEASURED\n", "TODO"):
            assert placeholder not in page.read_text(encoding="utf-8"), page.name
