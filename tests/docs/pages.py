"""Pages of the documentation as programs: the files that they show, and the commands that they run.

A fenced block with a title is a file, or in `diff` a change of one; a `console` block is a command
and what it prints. They count in the order of the page.
"""

import contextlib
import io
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)
_TITLE = re.compile(r'title="([^"]+)"')
_SECONDS = re.compile(r"\d[\d,.]* (s|min)\b")
_FIGURE = re.compile(r"\d[\d,.]*%?")
_CUT = "…"
_OTHER_PLUGINS = ("cacheprovider", "rerunfailures", "randomly")


@dataclass(frozen=True)
class File:
    """A file that the page shows."""

    name: str
    text: str


@dataclass(frozen=True)
class Change:
    """Lines of a file that the page replaces by others."""

    name: str
    removed: str
    added: str


@dataclass(frozen=True)
class Command:
    """A command, and the lines that the page shows of what it prints."""

    words: tuple[str, ...]
    printed: tuple[str, ...]


def steps(page):
    """Give the files and commands of a page, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for language, rest, body in _FENCE.findall(text):
        title = _TITLE.search(rest)
        if title and language == "diff":
            yield Change(title[1], _marked(body, "-"), _marked(body, "+"))
        elif title:
            yield File(title[1], body)
        elif language == "console":
            first, *printed = body.rstrip("\n").split("\n")
            assert first.startswith("$ "), f"{page}: a console block begins with its command"
            yield Command(tuple(shlex.split(first[2:])), tuple(printed))


def put(step, folder):
    """Write a file, or change it, in a folder."""
    path = folder / step.name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = step.text if isinstance(step, File) else path.read_text(encoding="utf-8")
    if isinstance(step, Change):
        assert text.count(step.removed) == 1, f"{step.name} does not hold what is changed, once"
        text = text.replace(step.removed, step.added)
    path.write_text(text, encoding="utf-8")


def printed(words, folder):
    """Run a command in this process, which has loaded all that is large, and give its lines."""
    before, paths, finders = set(sys.modules), [*sys.path], [*sys.meta_path]
    out = io.StringIO()
    off = [part for name in _OTHER_PLUGINS for part in ("-p", f"no:{name}")]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            pytest.main([*words[1:], "--leakpro-workers=1", *off])
    finally:
        sys.path[:], sys.meta_path[:] = paths, finders
        # Those of the page: the next one has modules of the same names.
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(folder)):
                del sys.modules[name]
    return out.getvalue().splitlines()


def missing(printed, lines, *, figures=True):
    """Give the first line that the page shows and the command did not print, None if all are there.

    The lines must come in the order of the page; a line that is `…` stands for any number of lines.
    Seconds may differ, and with `figures=False` so may all numbers, and what is said below a row.
    """
    found = iter([_plain(line, figures) for line in lines])
    for line in printed:
        if line.strip() in (_CUT, "") or not (figures or line.strip() == line):
            continue
        wanted = _plain(line, figures)
        if not any(candidate == wanted for candidate in found):
            return line
    return None


def _plain(line, figures):
    line = " ".join(_SECONDS.sub("# s", line).split())
    # A line that was cut to the width of the terminal ends earlier where its seconds are longer.
    line = re.sub(r"(; [^;]{0,8})?…$", _CUT, line)
    return line if figures else _FIGURE.sub("#", line)


def _marked(body, sign):
    return "".join(line[1:] + "\n" for line in body.splitlines() if line.startswith(sign))
