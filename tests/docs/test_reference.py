"""Every public name has its entry in the API reference, and the site leads to every page."""

import ast
import re

import pytest
import yaml

import pytest_leakpro
from tests.docs.pages import DOCS

ROOT = DOCS.parent
REFERENCE = "\n".join(
    page.read_text(encoding="utf-8") for page in sorted((DOCS / "api").glob("*.md"))
)
ENTRIES = re.findall(r"^::: ([\w.]+)$", REFERENCE, re.M)


def names_in(module):
    """Give the functions and classes that a module exports, without importing it."""
    path = ROOT / "pytest_leakpro" / f"{module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    exported = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return [f"pytest_leakpro.{module}.{name}" for name in exported if not name.isupper()]


@pytest.mark.parametrize("name", pytest_leakpro.__all__)
def test_every_public_name_has_one_entry(name):
    assert ENTRIES.count(f"pytest_leakpro.{name}") == 1


@pytest.mark.parametrize("module", ["strategies", "opacus", "flower", "defences"])
def test_every_name_of_a_public_module_has_one_entry(module):
    names = names_in(module)
    assert names
    for name in names:
        assert ENTRIES.count(name) == 1, name


def test_every_entry_is_there():
    """The site's build would stop at another one; it takes an environment of its own."""
    for entry in ENTRIES:
        module, _, name = entry.removeprefix("pytest_leakpro").strip(".").rpartition(".")
        if not module:
            assert name in pytest_leakpro.__all__, entry
            continue
        home = ROOT / "pytest_leakpro" / (module.replace(".", "/") + ".py")
        defined = ast.parse(home.read_text(encoding="utf-8")).body
        own = {getattr(node, "name", None) for node in defined}
        imported = {alias.name for node in defined for alias in getattr(node, "names", ())}
        assert name in own | imported, entry


def test_every_page_stands_in_the_navigation():
    class Loader(yaml.SafeLoader):
        """Reads the tags that mkdocs adds as nothing."""

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
    site = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)

    def pages(entry):
        if isinstance(entry, str):
            return [entry]
        parts = entry.values() if isinstance(entry, dict) else entry
        return [page for part in parts for page in pages(part)]

    shown = pages(site["nav"])
    there = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert len(shown) == len(set(shown))
    assert set(shown) == there - set(site["not_in_nav"].split())
