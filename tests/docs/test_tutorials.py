"""The tutorials run as they stand, and print what they say they print."""

import os

import pytest
import sklearn.ensemble  # noqa: F401

# Sessions in this process forget the modules that they imported, and numpy cannot be loaded twice.
import pytest_leakpro.auditing.conductor  # noqa: F401
from pytest_leakpro.attacks.registry import builtin_attacks
from tests.docs.pages import DOCS, Command, missing, put, steps

# What a page needs beside the package.
NEEDS = {}
# Pages whose figures rest on floating-point sums that differ between processors.
ABOUT = ()
PAGES = [
    "first-verdict.md",
    *sorted(f"tutorials/{page.name}" for page in (DOCS / "tutorials").glob("*.md")),
]
PAGES.remove("tutorials/index.md")
QUICKLY = ("--leakpro-workers=1", "-p", "no:cacheprovider", "-p", "no:randomly")


@pytest.fixture
def folder(pytester, monkeypatch):
    """An empty folder, outside of any CI system."""
    for name in [*os.environ]:
        if name.startswith(("CI", "GITHUB", "GITLAB", "LEAKPRO", "BUILD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    return pytester


@pytest.mark.parametrize("page", PAGES)
def test_a_tutorial_prints_what_it_says(page, folder):
    for module in NEEDS.get(page, ()):
        pytest.importorskip(module)
    builtin_attacks()
    ran = 0
    for step in steps(page):
        if not isinstance(step, Command):
            put(step, folder.path)
            continue
        assert step.words[0] == "pytest", step.words
        result = folder.runpytest_inprocess(*step.words[1:], *QUICKLY)
        lost = missing(step.printed, result.stdout.lines, figures=page not in ABOUT)
        assert lost is None, f"{page}, {' '.join(step.words)}: not printed\n  {lost}"
        ran += 1
    assert ran, f"{page} runs nothing"
