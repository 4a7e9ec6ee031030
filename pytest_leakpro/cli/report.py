"""``report``: the page of one run or several, from their records alone.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.runs import PRIVATE, WHICH

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["add", "run"]

DEFAULT_OUTPUT = "leakpro-report.html"
EPILOG = f"""RUN is {WHICH}. Of several runs the latest measurement of each
audit is what the page is about, and earlier ones are its history. Of a single run in
.leakpro/runs the earlier ones there are.

examples:
  pytest-leakpro report
  pytest-leakpro report nightly-1.json nightly-2.json -o page.html --language sv
"""
_DAY = 10  # characters of a date


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    import argparse

    parser = subparsers.add_parser(
        "report",
        help="the page of a run, for people who decide",
        description="Write what was measured as one self-contained page.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "runs", metavar="RUN", nargs="*", default=["latest"], help="which (the latest)"
    )
    parser.add_argument(
        "-o", "--output", metavar="PATH", default=DEFAULT_OUTPUT, help=f"({DEFAULT_OUTPUT})"
    )
    parser.add_argument("--language", default="en", help="of the page: en or sv (en)")
    parser.add_argument("--title", default="", help="the heading of the page")
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="NAME",
        help="show this target alone; may be repeated",
    )
    history = parser.add_mutually_exclusive_group()
    history.add_argument("--history", metavar="DIR", help="a folder of earlier runs")
    history.add_argument("--no-history", action="store_true", help="show no earlier runs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    from pytest_leakpro import __version__
    from pytest_leakpro.gate.identity import identity_of
    from pytest_leakpro.report.html.document import ENDED_EARLY, missing_libraries, render_page
    from pytest_leakpro.report.series import series
    from pytest_leakpro.report.texts.catalogue import words_of
    from pytest_leakpro.store.atomic import write_text

    missing = missing_libraries()
    if missing:
        _refuse(missing)
    words = words_of(arguments.language)
    found = [one for wanted in arguments.runs for one in _documents(wanted)]
    documents = _in_order([document for _, document, _ in found if document is not None])
    unread = [path.stem for path, document, _ in found if document is None]
    if not documents:
        _refuse(f"no run could be read: {', '.join(unread)}")
    earlier, not_read = _earlier(arguments, found)
    latest = {
        identity_of(record): record for document in documents for record in document["measurements"]
    }
    records = _chosen(list(latest.values()), arguments.target)
    page = render_page(
        records,
        words=words,
        title=arguments.title,
        made_on=dt.datetime.now(dt.timezone.utc).date().isoformat(),
        measured_on=(documents[-1].get("start_time") or "")[:_DAY],
        version=__version__,
        history=None if arguments.no_history else series([*earlier, *documents]),
        unread=[*not_read, *unread],
        ended_early=documents[-1].get("exit_status") in ENDED_EARLY,
    )
    write_text(Path(arguments.output), page)
    return 0


def _refuse(why: str) -> None:
    from pytest_leakpro.gate.errors import LeakproError

    raise LeakproError(why)


Found = tuple[Path, "dict[str, Any] | None", bool]
"""A file, what it holds (None where it cannot be read), and whether it was asked for by itself."""


def _documents(wanted: str) -> list[Found]:
    """Read what is meant by a name: a file, or all of a folder.

    A file of a folder that cannot be read is told on the page; one that was asked for is an error.
    """
    from pytest_leakpro.cli.runs import path_of
    from pytest_leakpro.gate.errors import LeakproError
    from pytest_leakpro.store.documents import read_document

    path = path_of(wanted)
    if not path.is_dir():
        return [(path, read_document(path), True)]
    files = sorted(path.glob("*.json"))
    if not files:
        raise LeakproError(f"{path} holds no runs")
    return [(file, _read(file), False) for file in files]


def _read(file: Path) -> dict[str, Any] | None:
    from pytest_leakpro.gate.errors import LeakproError
    from pytest_leakpro.store.documents import read_document

    try:
        return read_document(file)
    except LeakproError:
        return None


def _in_order(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort runs by their time; they stay as they were given where one does not tell its own."""
    if all(document.get("start_time") for document in documents):
        return sorted(documents, key=lambda document: str(document["start_time"]))
    return list(documents)


def _earlier(
    arguments: argparse.Namespace, found: Sequence[Found]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the outlines of earlier runs, and the names of those that cannot be read."""
    from pytest_leakpro.gate.errors import LeakproError
    from pytest_leakpro.store.history import RUNS, History
    from pytest_leakpro.store.outlines import outline_of

    if arguments.no_history:
        return [], []
    given = {path.resolve() for path, _, _ in found}
    if arguments.history is not None:
        folder = Path(arguments.history)
        if not folder.is_dir():
            raise LeakproError(f"--history: there is no folder {folder}")
        if folder.resolve().name == RUNS and folder.resolve().parent.name == PRIVATE:
            history = History(folder.resolve().parent)
            return history.outlines(_others(history, given))
        others = [one for one in _documents(str(folder)) if one[0].resolve() not in given]
        read = [outline_of(document) for _, document, _ in others if document is not None]
        return read, [path.stem for path, document, _ in others if document is None]
    path, _, alone = found[0]
    if len(found) > 1 or not alone or path.resolve().parent.name != RUNS:
        return [], []
    history = History(path.resolve().parent.parent)
    return history.outlines(name for name in history.names() if name < path.stem)


def _others(history: Any, given: Iterable[Path]) -> list[str]:
    folder = history.folder.resolve()
    return [name for name in history.names() if folder / f"{name}.json" not in given]


def _chosen(records: list[Mapping[str, Any]], targets: Sequence[str]) -> list[Mapping[str, Any]]:
    from pytest_leakpro.gate.errors import LeakproError, nearest_match
    from pytest_leakpro.gate.wording import quoted

    known = {record["target"] for record in records}
    for name in targets:
        if name not in known:
            raise LeakproError(f"there is no target {quoted(name)}{nearest_match(name, known)}")
    return [record for record in records if not targets or record["target"] in targets]
