"""Where pytest's root is, and which file holds its configuration.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ConfigurationFile", "configuration_file", "configured", "pytest_root"]

# As pytest looks for them; each with the headers under which its keys may stand.
_HEADERS = {
    "pytest.toml": ("pytest",),
    ".pytest.toml": ("pytest",),
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "pyproject.toml": ("tool.pytest", "tool.pytest.ini_options"),
    "tox.ini": ("pytest",),
    "setup.cfg": ("tool:pytest",),
}
# These are pytest's own: they count although they may be empty.
_OWN = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
_ANY_HEADER = re.compile(r"\s*\[")


@dataclass(frozen=True)
class ConfigurationFile:
    """A file that pytest reads its settings from.

    Attributes
    ----------
    path : Path
        The file.
    text : str
        Its content, line ends as they are.
    header : int or None
        The line (from 0) of the section's header; None where one of pytest's own files has none.
    """

    path: Path
    text: str
    header: int | None

    @property
    def lines(self) -> list[str]:
        """The lines with their ends."""
        return self.text.splitlines(keepends=True)

    def value(self, key: str) -> str | None:
        """Give what a key of the section is set to, as it is written; None where it is not."""
        if self.header is None:
            return None
        pattern = re.compile(rf"[\"']?{re.escape(key)}[\"']?\s*[=:]\s*(.*)")
        for line in self.lines[self.header + 1 :]:
            if _ANY_HEADER.match(line):
                return None
            match = pattern.match(line.strip())
            if match is not None:
                return match[1].strip()
        return None


def configuration_file(folder: Path) -> ConfigurationFile | None:
    """Find the file in a folder that pytest would read its settings from.

    Parameters
    ----------
    folder : Path
        Where to look; not above it.

    Returns
    -------
    ConfigurationFile or None
        None where there is none with a section for pytest.
    """
    for name, headers in _HEADERS.items():
        path = folder / name
        try:
            if not path.is_file():
                continue
            with path.open(encoding="utf-8", newline="") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            continue
        header = _header_line(text, headers)
        if header is not None or name in _OWN:
            return ConfigurationFile(path, text, header)
    return None


def _header_line(text: str, headers: tuple[str, ...]) -> int | None:
    for number, line in enumerate(text.splitlines()):
        match = re.match(r"\ufeff?\s*\[\s*([^\[\]]+?)\s*\]\s*(?:[#;].*)?$", line)
        if match is not None and re.sub(r"\s*\.\s*|[\"']", _plain, match[1]) in headers:
            return number
    return None


def _plain(match: re.Match[str]) -> str:
    return "." if "." in match[0] else ""


def pytest_root(start: Path) -> Path:
    """Find pytest's root: the nearest folder upwards that is marked as one.

    Parameters
    ----------
    start : Path
        Where to begin; also the answer where no folder is marked.
    """
    marks = (".leakpro", *_HEADERS)
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in marks):
            return folder
    return start


def configured(root: Path, key: str) -> str | None:
    """Give a text setting of pytest's configuration in a folder, without its quotes."""
    file = configuration_file(root)
    value = None if file is None else file.value(key)
    if value is None or file is None:
        return None
    if file.path.suffix == ".toml":
        match = re.match(r"\"([^\"]*)\"|'([^']*)'", value)
        return None if match is None else match[1] or match[2]
    return re.split(r"\s[#;]", value)[0].strip()
