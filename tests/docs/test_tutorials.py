"""The tutorials run as they stand, and print what they say they print."""

import contextlib
import io
import os
import sys

import pytest

from tests.docs.pages import DOCS, Command, missing, put, steps

# What a page needs beside the package.
NEEDS = {
    "tutorials/images.md": ("torch",),
    "tutorials/federated-update.md": ("torch", "skimage"),
    "tutorials/federated-rounds.md": ("torch",),
    "tutorials/language-model.md": ("torch", "transformers"),
    "tutorials/differential-privacy.md": ("torch", "opacus", "dp_accounting"),
}
# What is computed by torch differs in its last bits between processors: verdicts are compared there.
ABOUT = tuple(NEEDS)
PAGES = [
    "first-verdict.md",
    *sorted(f"tutorials/{page.name}" for page in (DOCS / "tutorials").glob("*.md")),
]
PAGES.remove("tutorials/index.md")
OTHER_PLUGINS = ("cacheprovider", "rerunfailures", "randomly")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in, outside of any CI system."""
    for name in [*os.environ]:
        if name.startswith(("CI", "GITHUB", "GITLAB", "LEAKPRO", "BUILD_", "PYTEST")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(words, folder):
    """Run a command in this process, which has loaded all that is large, and give its lines."""
    before, paths, finders = set(sys.modules), [*sys.path], [*sys.meta_path]
    out = io.StringIO()
    off = [part for name in OTHER_PLUGINS for part in ("-p", f"no:{name}")]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            pytest.main([*words[1:], "--leakpro-workers=1", *off])
    finally:
        sys.path[:], sys.meta_path[:] = paths, finders
        # Those of the page: the next one has modules of the same names.
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(folder)):
                del sys.modules[name]
    return out.getvalue().splitlines()


@pytest.mark.parametrize("page", PAGES)
def test_a_tutorial_prints_what_it_says(page, folder):
    for module in NEEDS.get(page, ()):
        pytest.importorskip(module)
    ran = 0
    for step in steps(page):
        if isinstance(step, Command):
            assert step.words[0] == "pytest", step.words
            lines = printed(step.words, folder)
            lost = missing(step.printed, lines, figures=page not in ABOUT)
            shown = "\n".join(lines)
            assert lost is None, f"{page}, {' '.join(step.words)} did not print\n{lost}\nbut\n{shown}"
            ran += 1
        else:
            put(step, folder)
    assert ran, f"{page} runs nothing"
