"""One line in the configuration that the repository has.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import importlib
import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.pytest_files import ConfigurationFile, configuration_file
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.store.atomic import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Configured", "require_audits", "write_visible"]

KEY = "leakpro_require_audits"
LINE = f"{KEY} = true"


@dataclass(frozen=True)
class Configured:
    """What became of the configuration.

    Attributes
    ----------
    path : Path
        The file.
    said : str
        What to tell the user.
    """

    path: Path
    said: str


def require_audits(root: Path) -> Configured:
    """Make a session without a verdict red, by one line in pytest's configuration.

    Parameters
    ----------
    root : Path
        The repository's folder; folders above it are looked at up to that with ``.git``.

    Returns
    -------
    Configured
    """
    file = _nearest(root)
    if file is None:
        path = root / "pytest.ini"
        write_visible(path, f"[pytest]\n{LINE}\n".encode())
        return Configured(path, f"wrote pytest.ini with {LINE}")
    name = printable(os.path.relpath(file.path, root))
    present = file.value(KEY)
    if present is not None:
        return Configured(file.path, f"{name} has {KEY} = {printable(present, 40)} already")
    by_hand = f"put this line into the pytest section of {name} yourself: {LINE}"
    if file.path.is_symlink():
        return Configured(file.path, f"{name} is a link; {by_hand}")
    text = _with_line(file)
    if not _means_the_same(file, text):
        return Configured(file.path, by_hand)
    write_visible(file.path, text.encode())
    return Configured(file.path, f"set {LINE} in {name}")


def write_visible(path: Path, content: bytes) -> None:
    """Write a file in one step that others may read as any other of the repository's.

    Raises
    ------
    OSError
    """
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    write_bytes(path, content)
    path.chmod(mode)


def _nearest(root: Path) -> ConfigurationFile | None:
    """Find the file that pytest will read; not above the repository."""
    folders = [root]
    if not (root / ".git").exists():
        above = list(root.parents)
        tops = [place for place, folder in enumerate(above) if (folder / ".git").exists()]
        folders += above[: tops[0] + 1] if tops else []
    for folder in folders:
        file = configuration_file(folder)
        if file is not None:
            return file
    return None


def _with_line(file: ConfigurationFile) -> str:
    end = "\r\n" if "\r\n" in file.text else "\n"
    if file.header is None:
        start = file.text if not file.text or file.text.endswith("\n") else file.text + end
        return f"{start}[pytest]{end}{LINE}{end}"
    lines = file.lines
    header = lines[file.header]
    if not header.endswith(("\n", "\r")):
        lines[file.header] = header + end
    lines.insert(file.header + 1, LINE + end)
    return "".join(lines)


def _means_the_same(file: ConfigurationFile, text: str) -> bool:
    """Check that the new text says what the old one said, and the one thing more."""
    try:
        before, after = _meaning(file, file.text), _meaning(file, text)
    except Exception:
        # A file that cannot be read is not ours to mend; parsers have errors of their own.
        return False
    added = {key: value for key, value in after.items() if key not in before}
    return (
        len(added) == 1
        and next(iter(added))[-1] == KEY
        and next(iter(added.values())) in {"true", True}
        and all(after.get(key) == value for key, value in before.items())
    )


def _meaning(file: ConfigurationFile, text: str) -> dict[tuple[str, ...], Any]:
    if file.path.suffix == ".toml":
        reader = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
        return dict(_leaves(reader.loads(text), ()))
    iniconfig = importlib.import_module("iniconfig")  # pytest's own reader
    sections = iniconfig.IniConfig(str(file.path), data=text)
    return {(section.name, key): value for section in sections for key, value in section.items()}


def _leaves(value: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(value, dict):
        return [(path, value)]
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, inner in value.items():
        found += _leaves(inner, (*path, key))
    return found
