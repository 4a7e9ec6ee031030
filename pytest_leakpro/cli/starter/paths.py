"""Which folders must be on the path before the test can import what it audits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_leakpro.cli.pytest_files import configuration_file
from pytest_leakpro.cli.starter.sources import imported_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_leakpro.cli.starter.sources import Source, Sources

__all__ = ["all_folders", "needed_folders"]


def all_folders(used: Sequence[Source], sources: Sources) -> list[str]:
    """List the folders, from the root, that the used files are imported from.

    Parameters
    ----------
    used : sequence of Source
        What the test imports.
    sources : Sources
        All files; the root is among the folders where one of them imports from it.
    """
    folders = list(dict.fromkeys(source.base for source in used))
    if used and "" not in folders:
        at_root = {source.module.partition(".")[0] for source in sources.files if not source.base}
        beside = [source for source in sources.files if source.base in folders]
        names = {
            name.partition(".")[0] for source in beside for name in imported_names(source.tree)
        }
        if names & at_root:
            folders.append("")
    return folders


def needed_folders(used: Sequence[Source], sources: Sources) -> list[str]:
    """List those that are neither installed nor put on the path by pytest's configuration."""
    file = configuration_file(sources.root)
    listed = (file.value("pythonpath") if file is not None else None) or ""
    on_path = {str(Path(entry)) for entry in re.findall(r"[^\s\"',\[\]]+", listed)}
    return [
        folder
        for folder in all_folders(used, sources)
        if str(Path(folder)) not in on_path
        and not _installed((one for one in used if one.base == folder), sources.root)
    ]


def _installed(used: Iterable[Source], root: Path) -> bool:
    """Tell whether this interpreter finds the files without help from the current folder."""
    tops = {(source.module.partition(".")[0], root / source.base) for source in used}
    return bool(tops) and all(_finds(top, folder, root) for top, folder in tops)


def _finds(top: str, folder: Path, root: Path) -> bool:
    path = [entry for entry in sys.path if entry and Path(entry).resolve() != root.resolve()]
    for finder in sys.meta_path:
        try:
            # Editable installations bring finders of their own.
            spec = finder.find_spec(top, path if finder is PathFinder else None, None)
        except Exception:  # noqa: S112 - a finder of somebody else's
            continue
        if spec is not None:
            places = [spec.origin, *(spec.submodule_search_locations or ())]
            return any(
                place is not None and Path(place).resolve().is_relative_to(folder.resolve())
                for place in places
            )
    return False
