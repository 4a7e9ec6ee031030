"""The Python files of a repository, read but never run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
import os
import re
import stat
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.names import is_importable_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeGuard

__all__ = ["Source", "Sources", "imported_names", "is_main_guard", "read_sources"]

MOST_FILES = 3_000
MOST_FOLDERS = 20_000
LARGEST_FILE = 1_000_000  # bytes; nobody writes more by hand

_SKIPPED_FOLDERS = re.compile(
    r"\..*|__pycache__|node_modules|site-packages|dist-packages|build|dist|env|venv|virtualenv"
    r"|.*\.egg-info|tests?|testing|docs?|migrations|third_party|vendor(?:ed)?|wandb|mlruns"
)
_SKIPPED_FILES = re.compile(r"test_.*|.*_tests?|conftest|setup|noxfile|tasks|fabfile|dodo|__main__")
# A module that does one of these when it is imported is a script: no test can import it.
_SCRIPT_CALLS = {"parse_args", "parse_known_args", "exit", "quit", "input", "abort"}


@dataclass(frozen=True)
class Source:
    """One file.

    Attributes
    ----------
    path : PurePosixPath
        Where it is, from the root.
    tree : ast.Module
        What it says.
    module : str
        The name under which it can be imported; empty where it has none.
    base : str
        The folder from the root, ``""`` or ``"src"`` for example, that must be on the path then.
    script : bool
        Whether importing it would read the command line, ask, or exit.
    """

    path: PurePosixPath
    tree: ast.Module
    module: str
    base: str
    script: bool


@dataclass
class Sources:
    """All that was read.

    Attributes
    ----------
    root : Path
        The repository's folder.
    files : list of Source
        In the order of their paths.
    skipped : Counter of str
        How many files were left out, by reason.
    """

    root: Path
    files: list[Source] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def read_sources(root: Path) -> Sources:
    """Read the files that could hold a model or its data.

    Parameters
    ----------
    root : Path
        The repository's folder. Hidden folders, virtual environments, tests, links and what was
        built are left out.

    Returns
    -------
    Sources
    """
    sources = Sources(root)
    parsed: list[tuple[PurePosixPath, ast.Module]] = []
    for path in _python_files(root, sources.skipped):
        tree = _parse(root / path, sources.skipped)
        if tree is not None:
            parsed.append((path, tree))
    src_layout = not any(_imports_src(tree) for _, tree in parsed)
    loose = {path.parent for path, tree in parsed if _imports_neighbours(root, path, tree)}
    for path, tree in parsed:
        base, module = _module(root, path, loose, src_layout=src_layout)
        sources.files.append(Source(path, tree, module, base, _is_script(tree)))
    return sources


def _python_files(root: Path, skipped: Counter[str]) -> Iterator[PurePosixPath]:
    found = 0
    for number, (folder, folders, files) in enumerate(os.walk(root)):
        if number >= MOST_FOLDERS:
            skipped["further folders"] += 1
            return
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not _SKIPPED_FOLDERS.fullmatch(name) and not _is_environment(here / name)
        )
        for name in sorted(files):
            if not name.endswith(".py") or _SKIPPED_FILES.fullmatch(name[:-3]):
                continue
            if found >= MOST_FILES:
                skipped["further files"] += 1
                continue
            found += 1
            yield PurePosixPath((here / name).relative_to(root).as_posix())


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").exists() or (folder / "conda-meta").exists()


def _parse(path: Path, skipped: Counter[str]) -> ast.Module | None:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would never end
            skipped["no regular file"] += 1
            return None
        if status.st_size > LARGEST_FILE:
            skipped["too large"] += 1
            return None
        content = path.read_bytes()
    except OSError:
        skipped["not readable"] += 1
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in somebody else's strings
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        skipped["not valid Python"] += 1
        return None


def _imports_src(tree: ast.Module) -> bool:
    return any(name.partition(".")[0] == "src" for name in imported_names(tree))


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield the full names of the modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


def _imports_neighbours(root: Path, path: PurePosixPath, tree: ast.Module) -> bool:
    """Tell whether a file imports what stands beside it by its bare name, as scripts do."""
    if not path.parent.parts or (root / path.parent / "__init__.py").is_file():
        return False
    names = {name.partition(".")[0] for name in imported_names(tree)}
    return any(_stands(root / path.parent, name) and not _stands(root, name) for name in names)


def _module(
    root: Path, path: PurePosixPath, loose: set[PurePosixPath], *, src_layout: bool
) -> tuple[str, str]:
    """Tell from which folder a file can be imported, and under which name."""
    base = path.parent
    while base.parts and (root / base / "__init__.py").is_file():
        base = base.parent
    # No package: from the root, unless the files of this folder take it for the root themselves.
    if base == path.parent and base not in loose:
        base = PurePosixPath()
    if not base.parts and src_layout and path.parts[0] == "src" and len(path.parts) > 1:
        base = PurePosixPath("src")
    parts = path.relative_to(base).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    folder = str(base) if base.parts else ""
    importable = bool(parts) and all(map(is_importable_name, parts))
    if not importable or parts[0] in sys.stdlib_module_names:
        return folder, ""
    return folder, ".".join(parts)


def _stands(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _is_script(tree: ast.Module) -> bool:
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if is_main_guard(statement):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                function = node.func
                name = getattr(function, "attr", None) or getattr(function, "id", "")
                if name in _SCRIPT_CALLS:
                    return True
    return False


def is_main_guard(statement: ast.stmt) -> TypeGuard[ast.If]:
    """Tell whether this is ``if __name__ == "__main__":``."""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )
