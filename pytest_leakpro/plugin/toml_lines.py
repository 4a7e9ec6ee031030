"""TOML with the line of every key and value, which TOML libraries do not give.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["TomlPath", "line_of_error", "read_toml"]

TomlPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Up to two quotes may stand directly before the three that close a string of several lines.
_STRING = re.compile(
    r"""
    "{3}(?:\\.|[^\\])*?"{3,5}
    | '{3}.*?'{3,5}
    | "(?:\\.|[^"\\])*"
    | '[^']*'
    """,
    re.DOTALL | re.VERBOSE,
)
_OTHER_VALUE = re.compile(r"[^,\]}#\n]*")


def read_toml(text: str) -> tuple[dict[str, Any], dict[TomlPath, int]]:
    """Parse TOML, and tell where everything stands.

    Parameters
    ----------
    text : str
        Of the file, without a byte-order mark.

    Returns
    -------
    tuple of dict and dict
        The document, and the line, counted from 1, of each table, key and element by its path,
        such as ``("audit", 0, "budgets", 1)``.

    Raises
    ------
    ValueError
        For what is no TOML.
    RecursionError
        For arrays within arrays without end.
    """
    document = tomllib.loads(text)
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return document, scanner.lines


def line_of_error(error: ValueError, text: str) -> int:
    """Give the line that a syntax error speaks of; the last one where it names none."""
    found = re.search(r"at line (\d+)", str(error))
    return int(found.group(1)) if found else max(1, len(text.splitlines()))


class _Scanner:
    """Walks through a text that the parser has accepted, and notes where things stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ends = [found.start() for found in re.finditer("\n", text)]
        self.lines: dict[TomlPath, int] = {}
        self.lengths: dict[TomlPath, int] = {}

    def document(self) -> None:
        table: TomlPath = ()
        while self.skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.statement(table)

    def header(self) -> TomlPath:
        line, brackets = self.line(), 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        path: TomlPath = ()
        keys = self.keys()
        for key in keys[:-1]:
            path += (key,)
            if path in self.lengths:  # what follows [[x]] belongs to its last element
                path += (self.lengths[path] - 1,)
        path += (keys[-1],)
        self.at += brackets
        if brackets == 2:
            index = self.lengths.get(path, 0)
            self.lengths[path] = index + 1
            path += (index,)
        self.note(path, line)
        return path

    def statement(self, table: TomlPath) -> None:
        line = self.line()
        path = table + self.keys()
        self.at += 1  # the equals sign
        self.note(path, line)
        self.value(path)

    def value(self, path: TomlPath) -> None:
        self.skip(_SPACE)
        sign = self.text[self.at]
        if sign in "\"'":
            self.skip(_STRING)
        elif sign == "[":
            self.at += 1
            index = 0
            while self.more("]"):
                self.note((*path, index), self.line())
                self.value((*path, index))
                index += 1
        elif sign == "{":
            self.at += 1
            while self.more("}"):
                self.statement(path)
        else:
            self.skip(_OTHER_VALUE)

    def more(self, end: str) -> bool:
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self.skip(_BLANK)
        if self.text[self.at] == end:
            self.at += 1
            return False
        return True

    def keys(self) -> tuple[str, ...]:
        keys = []
        while True:
            start = self.skip(_SPACE)
            if self.text[start] in "\"'":
                raw = self.text[start : self.skip(_STRING)]
                keys.append(tomllib.loads(f"key = {raw}")["key"])
            else:
                keys.append(self.text[start : self.skip(_BARE_KEY)])
            if self.text[self.skip(_SPACE)] != ".":
                return tuple(keys)
            self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        assert found is not None, "the parser has accepted this text"
        self.at = found.end()
        return self.at

    def line(self) -> int:
        return bisect_left(self.ends, self.at) + 1

    def note(self, path: TomlPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)
