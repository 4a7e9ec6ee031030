"""Folders that are closed to others and kept out of version control.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.store.atomic import write_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["make_private"]


def make_private(root: Path, *folders: Path) -> None:
    """Make a folder, and folders in it, for this user alone, ignored by git.

    Parameters
    ----------
    root : Path
        Gets a ``.gitignore`` that ignores all of it.
    *folders : Path
        Further folders in it, parents before children.

    Raises
    ------
    OSError
        Where they cannot be made.
    """
    if not (folders[-1] if folders else root).is_dir():
        root.parent.mkdir(parents=True, exist_ok=True)
        for folder in (root, *folders):
            folder.mkdir(mode=0o700, exist_ok=True)
    ignore = root / ".gitignore"
    if not ignore.exists():
        write_text(ignore, "*\n")
