"""What a ``leakpro.toml`` declares, read and checked before anything runs.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.session import SessionDefaults
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.plugin.marker import OPTIONS
from pytest_leakpro.plugin.toml_lines import line_of_error, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_leakpro.plugin.toml_lines import TomlPath

__all__ = ["Declaration", "read_declarations"]

_EXAMPLE = """\
    [[audit]]
    name = "churn-model"
    target = "churn.audit:target"
    budgets = ["tpr@0.1%fpr <= 1%", "auc <= 0.55"]"""
_REQUIRED = ("name", "target", "budgets")
_LONGEST_NAME = 100
# A name stands in node ids, which are split at "::" and "[" (pytest) and at "]" (pytest-xdist), and
# in commands that are copied into a shell.
_NOT_IN_NAMES = re.compile(r'::|^:|:$|[\[\]"\\`$]')


@dataclass(frozen=True)
class Declaration:
    """One audit that a file declares.

    Attributes
    ----------
    name : str
        What it is called, once in the file.
    target : str
        ``"module:factory"``.
    budgets : tuple of Budget
        At least one, of different metrics.
    options : mapping
        As the marker ``leakage`` takes them.
    file : str
        The file, as messages name it.
    target_line : int
        Where the target stands, counted from 1.
    budget_lines : tuple of int
        Where each budget stands.
    """

    name: str
    target: str
    budgets: tuple[Budget, ...]
    options: Mapping[str, Any]
    file: str
    target_line: int
    budget_lines: tuple[int, ...]


def read_declarations(path: Path, file: str | None = None) -> tuple[Declaration, ...]:
    """Read the audits that a file declares.

    Parameters
    ----------
    path : Path
        The file.
    file : str, optional
        How messages name it; its path by default.

    Returns
    -------
    tuple of Declaration
        At least one, in the order of the file.

    Raises
    ------
    LeakproError
        With file, line and key, for whatever is not as it should be.
    """
    file = printable(str(path) if file is None else file)
    text = _read_text(path, file)
    try:
        document, lines = read_toml(text)
    except RecursionError:
        raise LeakproError(f"{file}: arrays stand within arrays without end") from None
    except ValueError as error:
        message = f"{file}:{line_of_error(error, text)}: this is no TOML: {printable(str(error))}"
        if "('audit',)" in str(error) or re.search(r"^\s*\[audit\]", text, re.MULTILINE):
            message += "; each audit begins with [[audit]], in two brackets"
        raise LeakproError(message) from None
    return _Reader(file, document, lines).declarations()


def _read_text(path: Path, file: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LeakproError(f"{file} cannot be read: {error.strerror or error}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LeakproError(
            f"{file}:{line}: byte 0x{content[error.start]:02x} is no UTF-8; save the file as UTF-8"
        ) from None


class _Reader:
    """Turns a document into declarations; an error names the line of what it is about."""

    def __init__(self, file: str, document: dict[str, Any], lines: dict[TomlPath, int]) -> None:
        self.file = file
        self.document = document
        self.lines = lines

    def fail(self, path: TomlPath, message: str) -> LeakproError:
        line = self.lines.get(path, 1)
        return LeakproError(f"{self.file}:{line}: {self.place(path)}: {message}")

    def place(self, path: TomlPath) -> str:
        if path[0] != "audit" or len(path) == 1:
            keys = (("[defaults]",) if path[0] == "defaults" else path[:1]) + path[1:2]
        else:
            name = self.document["audit"][path[1]].get("name")
            named = isinstance(name, str) and name
            keys = (f'[[audit]] "{name}"' if named else "[[audit]]", *path[2:3])
        return ", ".join(printable(str(key), 80) for key in keys)

    def declarations(self) -> tuple[Declaration, ...]:
        self.check_keys((), self.document, ("audit", "defaults"))
        defaults, audits = self.document.get("defaults", {}), self.document.get("audit", [])
        if not isinstance(defaults, dict):
            raise self.fail(("defaults",), "this is a table: write [defaults] and its keys below")
        if isinstance(audits, dict):
            raise self.fail(("audit",), "write [[audit]], in two brackets: there may be several")
        if not isinstance(audits, list) or not all(isinstance(entry, dict) for entry in audits):
            raise self.fail(("audit",), "audits are tables, each of which begins with [[audit]]")
        if not audits:
            raise LeakproError(f"{self.file}:1: no audit is declared; write\n{_EXAMPLE}")
        self.check_options(("defaults",), defaults, extra=("budgets",))
        if "budgets" in defaults:
            self.budgets(("defaults", "budgets"), defaults["budgets"])
        found: list[Declaration] = []
        for index, entry in enumerate(audits):
            declared = self.declaration(("audit", index), entry, defaults)
            if declared.name in [other.name for other in found]:
                raise self.fail(
                    ("audit", index, "name"),
                    "another audit of this file has this name already; give each its own",
                )
            found.append(declared)
        return tuple(found)

    def declaration(
        self, path: TomlPath, entry: dict[str, Any], defaults: dict[str, Any]
    ) -> Declaration:
        self.check_options(path, entry, extra=_REQUIRED)
        for key in _REQUIRED:
            if key not in entry and not (key == "budgets" and key in defaults):
                raise self.fail(path, f"{key} is missing; an audit is declared as\n{_EXAMPLE}")
        name = self.name((*path, "name"), entry["name"])
        target = self.target((*path, "target"), entry["target"])
        own = "budgets" in entry
        where = (*path, "budgets") if own else ("defaults", "budgets")
        budgets, budget_lines = self.budgets(where, (entry if own else defaults)["budgets"])
        options = {
            key: value for key, value in {**defaults, **entry}.items() if key not in _REQUIRED
        }
        target_line = self.lines[(*path, "target")]
        return Declaration(name, target, budgets, options, self.file, target_line, budget_lines)

    def check_keys(self, path: TomlPath, table: dict[str, Any], known: Iterable[str]) -> None:
        known = tuple(known)
        for key in table:
            if key not in known:
                hint = nearest_match(printable(key, 60), known)
                raise self.fail((*path, key), f"there is no such key{hint}")

    def check_options(
        self, path: TomlPath, table: dict[str, Any], *, extra: tuple[str, ...]
    ) -> None:
        options = [option for option in OPTIONS if option != "name"]
        self.check_keys(path, table, (*extra, *options))
        for key in options:
            if key in table:
                try:
                    _check_option(key, table[key])
                except LeakproError as error:
                    raise self.fail((*path, key), str(error)) from None

    def name(self, path: TomlPath, name: object) -> str:
        if not isinstance(name, str) or not name:
            raise self.fail(path, "the name of an audit is a text, such as churn-model")
        if len(name) > _LONGEST_NAME or not name.isprintable() or name != name.strip():
            raise self.fail(
                path,
                f"a name is one line of at most {_LONGEST_NAME} printable characters without "
                "spaces around them",
            )
        found = _NOT_IN_NAMES.search(name)
        if found:
            raise self.fail(
                path,
                f"a name is part of its tests' ids, where {found.group()!r} cannot stand; "
                "letters, digits, spaces, dots and hyphens can",
            )
        return name

    def target(self, path: TomlPath, target: object) -> str:
        module, colon, attribute = target.partition(":") if isinstance(target, str) else ("",) * 3
        parts = [*module.split("."), *attribute.split(".")]
        if not colon or not all(part.isidentifier() for part in parts):
            shown = printable(target, 80) if isinstance(target, str) else type(target).__name__
            raise self.fail(
                path,
                "a target is the function that makes it, as module:function, such as "
                f'"churn.audit:target", not {shown!r}',
            )
        return f"{module}:{attribute}"

    def budgets(self, path: TomlPath, texts: object) -> tuple[tuple[Budget, ...], tuple[int, ...]]:
        if not isinstance(texts, list) or not texts:
            raise self.fail(path, 'budgets are a list of texts, as ["auc <= 0.55"]')
        budgets: list[Budget] = []
        lines: list[int] = []
        for index, text in enumerate(texts):
            line = self.lines[(*path, index)]
            try:
                budget = Budget.parse(text, f"{self.file}:{line}")
            except LeakproError as error:
                raise self.fail((*path, index), str(error)) from None
            if str(budget.metric) in [str(other.metric) for other in budgets]:
                raise self.fail(
                    (*path, index), f"{budget.metric} has two budgets; give one limit for each"
                )
            budgets.append(budget)
            lines.append(line)
        return tuple(budgets), tuple(lines)


def _check_option(name: str, value: Any) -> None:
    if name == "attacks":
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else ()
        if (
            not isinstance(names, list)
            or not names
            or not all(isinstance(entry, str) for entry in names)
        ):
            raise LeakproError("attacks are a name or a list of names")
        return
    SessionDefaults(**{name: value})
