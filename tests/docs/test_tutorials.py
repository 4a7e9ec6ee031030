"""The tutorials run as they stand, and print what they say they print."""

import pytest

from tests.docs.pages import DOCS, Command, missing, printed, put, steps

# What a page needs beside the package.
NEEDS = {
    "tutorials/images.md": ("torch",),
    "tutorials/federated-update.md": ("torch", "skimage"),
    "tutorials/federated-rounds.md": ("torch",),
    "tutorials/language-model.md": ("torch", "transformers"),
    "tutorials/differential-privacy.md": ("torch", "opacus", "dp_accounting"),
}
# The last bits of torch differ between processors: there only verdicts are compared.
ABOUT = tuple(NEEDS)
PAGES = [
    "first-verdict.md",
    *sorted(f"tutorials/{page.name}" for page in (DOCS / "tutorials").glob("*.md")),
]
PAGES.remove("tutorials/index.md")


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
            assert lost is None, (
                f"{page}, {' '.join(step.words)} did not print\n{lost}\nbut\n{shown}"
            )
            ran += 1
        else:
            put(step, folder)
    assert ran, f"{page} runs nothing"


def test_what_is_not_printed_is_told():
    lines = ["a   0.5  PASS", "  by loss; 1.2 s", "b   0.7  FAIL"]
    assert missing(["a 0.5 PASS", "by loss; 9.9 s", "…", "b 0.7 FAIL"], lines) is None
    assert missing(["b 0.7 FAIL", "a 0.5 PASS"], lines) == "a 0.5 PASS"
    assert missing(["a 0.6 PASS"], lines) == "a 0.6 PASS"
    assert missing(["a 0.6 PASS"], lines, figures=False) is None
    assert missing(["b 0.7 PASS"], lines, figures=False) == "b 0.7 PASS"
