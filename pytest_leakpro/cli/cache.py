"""``cache``: what is kept of shadow models, and how to be rid of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.amounts import written_age, written_bytes
from pytest_leakpro.cli.columns import paragraph, print_lines, text_columns
from pytest_leakpro.gate.duration import read_duration
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import argparse

    from pytest_leakpro.store.cache import CacheEntry
    from pytest_leakpro.store.open_cache import AnyCache

__all__ = ["add", "run"]

DEFAULT_FOLDER = Path(".leakpro", "cache")


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand and its own two."""
    parser = subparsers.add_parser(
        "cache",
        help="what is kept of shadow models",
        description="Look at, or clear, the signals of shadow models that audits have kept.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    info = actions.add_parser("info", help="what each entry is for", allow_abbrev=False)
    clear = actions.add_parser("clear", help="remove entries", allow_abbrev=False)
    for action in (info, clear):
        action.add_argument(
            "--dir",
            metavar="DIR",
            help="the cache's folder or URL (leakpro_cache_dir of pytest's configuration, else "
            ".leakpro/cache in pytest's root)",
        )
    clear.add_argument(
        "--older-than", metavar="AGE", help="only entries not added to for so long, as 30d or 12h"
    )
    clear.add_argument("--yes", action="store_true", help="do not ask")
    info.set_defaults(run=run, action="info")
    clear.set_defaults(run=run, action="clear")


def run(arguments: argparse.Namespace) -> int:
    """Show the entries, or remove them."""
    from pytest_leakpro.store.cache import SignalCache, of_age
    from pytest_leakpro.store.open_cache import open_cache

    cache = open_cache(_place(arguments.dir))
    where = printable(cache.where)
    if isinstance(cache, SignalCache) and cache.folder.exists() and not cache.folder.is_dir():
        raise LeakproError(f"{where} is a file, not the folder of a cache")
    entries = cache.entries()
    older_than = None
    if arguments.action == "clear" and arguments.older_than is not None:
        older_than = read_duration(arguments.older_than, "--older-than", "30d")
        entries = of_age(entries, older_than)
    if not entries:
        what = "nothing that old" if older_than is not None else "nothing"
        print_lines([f"{what} is kept in {where}"])
        return 0
    if arguments.action == "info":
        print_lines(_table(entries, where))
        return 0
    return _clear(cache, entries, older_than, sure=arguments.yes)


def _place(given: str | None) -> str | Path:
    from pytest_leakpro.cli.pytest_files import configured, pytest_root
    from pytest_leakpro.store.cache_url import is_url

    if given is not None:
        return given
    root = pytest_root(Path.cwd())
    place = configured(root, "leakpro_cache_dir") or DEFAULT_FOLDER
    return place if isinstance(place, str) and is_url(place) else root / place


def _table(entries: list[CacheEntry], where: str) -> list[str]:
    rows = []
    for entry in entries:
        # Whoever can write the folder can write anything into it.
        about: dict[str, Any] = entry.about if isinstance(entry.about, dict) else {}
        target = about.get("target")
        rows.append(
            [
                printable(target, 30) if isinstance(target, str) else "unknown",
                f"{entry.files:,}",
                _count(about.get("records")),
                written_bytes(entry.size),
                written_age(entry.age_seconds),
                entry.key[:12],
            ]
        )
    headings = ("target", "shadow models", "records", "size", "age", "key")
    return [
        *text_columns(headings, rows, right=(1, 2, 3)),
        "",
        *paragraph(f"{_total(entries)} in {where}"),
        *paragraph(
            "Cached signals tell who was a member: they are personal data, in a CI cache too."
        ),
    ]


def _count(value: Any) -> str:
    return printable(f"{value:,}", 12) if isinstance(value, int) else "-"


def _total(entries: list[CacheEntry]) -> str:
    files, size = sum(entry.files for entry in entries), sum(entry.size for entry in entries)
    noun = "entry" if len(entries) == 1 else "entries"
    return f"{len(entries):,} {noun}, {files:,} files, {written_bytes(size)}"


def _clear(
    cache: AnyCache, entries: list[CacheEntry], older_than: float | None, *, sure: bool
) -> int:
    where = printable(cache.where)
    if not sure:
        if sys.stdin is None or not sys.stdin.isatty():
            raise LeakproError(
                f"{_total(entries)} in {where} would be removed, and nobody can be asked here: "
                "give --yes"
            )
        print(f"remove {_total(entries)} in {where}? [y/N] ", end="", flush=True)  # noqa: T201
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            print_lines(["nothing was removed"])
            return 0
    removed = cache.clear(older_than)
    left = {entry.key for entry in cache.entries()} & {entry.key for entry in entries}
    if left:
        raise LeakproError(f"{len(left)} of {removed} entries in {where} could not be removed")
    print_lines([f"removed {_total(entries)}"])
    return 0
