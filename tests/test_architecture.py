"""Imports point down the floors of the house, and every module costs what it should."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_leakpro

PACKAGE = Path(pytest_leakpro.__file__).parent
FLOORS = {
    "stats": 0,
    "gate": 1,
    "store": 2,
    "targets": 3,
    "shadow": 4,
    "attacks": 5,
    "mechanisms": 5,
    "auditing": 6,
    "report": 7,
    "plugin": 8,
    "cli": 8,
}
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"torch", "sklearn", "pandas", "matplotlib", "jinja2", "xgboost", "lightgbm"}
# Rooms that must stay light even at their top level: they are imported in every session.
LIGHT = ("plugin", "gate")
NUMERIC = {"numpy", "scipy", "joblib", "hypothesis", "cloudpickle"}


def relative(path):
    return str(path.relative_to(PACKAGE))


def room_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


def imports(tree, *, top_level_only=False):
    """Names of imported modules; those for type checkers alone do not count."""
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_point_down(path):
    room = room_of(path)
    if room is None:
        return
    assert room in FLOORS, f"{room} is no room of the house"
    for name in imports(ast.parse(path.read_text())):
        if not name.startswith("pytest_leakpro."):
            continue
        other = name.split(".")[1]
        assert other == room or FLOORS[other] < FLOORS[room], f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    top = {name.split(".")[0] for name in imports(ast.parse(path.read_text()), top_level_only=True)}
    forbidden = HEAVY | NUMERIC if room_of(path) in LIGHT else HEAVY
    assert not top & forbidden


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_say_what_they_are_and_are_not_rewritten(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert "PYTEST_DONT_REWRITE" in docstring


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_files_can_be_read_in_a_sitting(path):
    assert len(path.read_text().splitlines()) <= 500
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


def test_importing_the_package_and_the_plugin_costs_nothing():
    heavy = sorted(HEAVY | NUMERIC)
    code = (
        "import sys, pytest_leakpro, pytest_leakpro.plugin.hooks\n"
        f"print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
