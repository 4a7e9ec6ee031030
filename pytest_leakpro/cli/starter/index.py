"""What the names in a repository's code stand for, as far as imports tell.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from pytest_leakpro.cli.starter.sources import is_main_guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_leakpro.cli.starter.sources import Source, Sources

__all__ = ["Definition", "Index", "Scope", "own_nodes"]

_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Definition(NamedTuple):
    """A function or class at the top level of a file."""

    source: Source
    node: ast.FunctionDef | ast.ClassDef

    @property
    def name(self) -> str:
        """What it is called."""
        return self.node.name


class Index:
    """All top-level functions and classes, by their full names.

    Parameters
    ----------
    sources : Sources
        What was read.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.definitions: list[Definition] = []
        self._by_name: dict[str, list[tuple[str, Definition]]] = {}
        self._scopes: dict[int, Scope] = {}
        for source in sources.files:
            for node in source.tree.body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    definition = Definition(source, node)
                    self.definitions.append(definition)
                    full = f"{dotted_path(source)}.{node.name}"
                    self._by_name.setdefault(node.name, []).append((full, definition))

    def scope(self, source: Source) -> Scope:
        """Give the names of a file."""
        if id(source) not in self._scopes:
            self._scopes[id(source)] = Scope(source)
        return self._scopes[id(source)]

    def find(self, full: str) -> Definition | None:
        """Give what a full name stands for in this repository.

        A file may be known under several names: with ``src.`` in front, or by its bare name in a
        script beside it.
        """
        candidates = self._by_name.get(full.rpartition(".")[2], [])
        for known, definition in candidates:
            if known == full:
                return definition
        # Without a dot it is a name that no import explains.
        near = [
            definition
            for known, definition in candidates
            if "." in full and (known.endswith(f".{full}") or full.endswith(f".{known}"))
        ]
        return near[0] if len(near) == 1 else None


class Scope:
    """The names of one file.

    Parameters
    ----------
    source : Source
        The file.
    """

    def __init__(self, source: Source) -> None:
        self._here = dotted_path(source)
        self._names: dict[str, str] = {
            node.name: f"{self._here}.{node.name}"
            for node in source.tree.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        }
        package = source.path.name == "__init__.py"
        # Also those within functions: whatever it is imported under, it is meant by the name.
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname:
                        self._names[alias.asname] = alias.name
                    else:
                        top = alias.name.partition(".")[0]
                        self._names[top] = top
            elif isinstance(node, ast.ImportFrom):
                home = self._home(node, package)
                for alias in node.names:
                    name = f"{home}.{alias.name}" if home else alias.name
                    self._names[alias.asname or alias.name] = name

    def _home(self, node: ast.ImportFrom, package: bool) -> str:
        if not node.level:
            return node.module or ""
        parts = self._here.split(".")
        up = node.level - package
        kept = parts[: len(parts) - up] if up else parts
        return ".".join([*kept, *([node.module] if node.module else [])])

    def mentions(self, library: str) -> bool:
        """Tell whether the file imports anything of a library."""
        return any(name.partition(".")[0] == library for name in self._names.values())

    def full_name(self, node: ast.AST) -> str:
        """Give the full name of a name or a chain of attributes; empty for anything else."""
        chain: list[str] = []
        while isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self._names.get(node.id, node.id), *reversed(chain)])


def dotted_path(source: Source) -> str:
    """Give the name of a file's module, also where nobody can import it by that."""
    if source.module:
        return source.module
    parts = source.path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Walk through statements, but neither into nested functions nor into a main guard."""
    waiting = list(body)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _NESTED) or (isinstance(node, ast.stmt) and is_main_guard(node)):
            continue
        yield node
        waiting += list(ast.iter_child_nodes(node))[::-1]
