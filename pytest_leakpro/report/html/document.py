"""The page as one document, which asks nothing of a network and little of a browser.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.identity import identity_of
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.completing import complete
from pytest_leakpro.report.html.answer import answer_of
from pytest_leakpro.report.html.appendix import appendix_of
from pytest_leakpro.report.html.audits import audits_of
from pytest_leakpro.report.html.defences import comparisons_of
from pytest_leakpro.report.html.discreet import LONGEST, discreet, discreet_record
from pytest_leakpro.report.html.drawing import Drawer
from pytest_leakpro.report.html.grouping import grouped
from pytest_leakpro.report.html.panel import panel_of
from pytest_leakpro.report.html.timeline import timeline_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.gate.identity import Identity
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["ENDED_EARLY", "MOST_FIGURES", "missing_libraries", "render_page"]

MOST_FIGURES = 100
_MOST_HISTORIES = 24
ENDED_EARLY = (2, 3)
"""The exit statuses of pytest after which tests are missing: interrupted, and an internal error."""

_FOLDER = "pytest_leakpro.report.html"
_NEEDED = ("jinja2", "matplotlib")
# Spaces that keep numbers together are no control characters, whatever str.isprintable says.
_SPACES = "\u00a0\u202f"


def missing_libraries() -> str:
    """Say what the page needs and is not installed; empty where all is there."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if not missing:
        return ""
    return (
        f"the page takes {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
        "installed: pip install 'pytest-leakpro[report]'"
    )


def render_page(
    records: Sequence[Mapping[str, Any]],
    *,
    words: Words,
    made_on: str,
    version: str,
    measured_on: str = "",
    history: Mapping[Identity, Sequence[Mapping[str, Any]]] | None = None,
    title: str = "",
    unread: Sequence[str] = (),
    ended_early: bool = False,
    most_figures: int = MOST_FIGURES,
) -> str:
    """Write the page.

    Parameters
    ----------
    records : sequence of mapping
        One per measurement; of a run, or of a baseline.
    words : Words
        The texts of a language.
    made_on : str
        The day, as ``2026-11-29``.
    version : str
        Of the package.
    measured_on : str
        The day of the latest run; empty where nobody knows.
    history : mapping of Identity to sequence of mapping, optional
        The points of each measurement, the oldest first and the latest last.
    title : str
        The heading; that of the language by default.
    unread : sequence of str
        Names of runs that could not be read.
    ended_early : bool
        Whether the run stopped before all its tests had run.
    most_figures : int
        How many figures are drawn, those of the worst first.

    Returns
    -------
    str
        HTML that is equal for equal input, and loads nothing. Names in it are inert.

    Raises
    ------
    LeakproError
        Where jinja2 or matplotlib is not installed.
    """
    missing = missing_libraries()
    if missing:
        raise LeakproError(missing)
    entries = [(identity_of(record), discreet_record(complete(record))) for record in records]
    groups = grouped(entries)
    kept = min(_MOST_HISTORIES, most_figures // 4) if history else 0
    drawer, later = Drawer(words, most_figures - kept), Drawer(words, kept)
    comparisons = comparisons_of(entries, drawer, words)
    audits = audits_of(groups, drawer, words)
    script = _text("page.js")
    page: str = (
        _template().render(
            words=words,
            title=discreet(title, LONGEST) or words("page.title"),
            made_on=made_on,
            measured_on=measured_on,
            version=version,
            unread=[discreet(name) for name in unread],
            ended_early=ended_early,
            answer=answer_of(groups, words),
            panel=panel_of(groups, words),
            audits=audits,
            comparisons=comparisons,
            timeline=timeline_of(groups, history or {}, later, words),
            appendix=appendix_of(groups, words),
            people=drawer.people,
            style=_trusted(_text("page.css")),
            script=_trusted(script),
            script_hash=_hash(script),
        )
        + "\n"
    )
    return page


def _text(name: str) -> str:
    return resources.files(_FOLDER).joinpath(name).read_text("utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _trusted(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - files of this package


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _inert(value: Any) -> Any:
    """Let nothing through that would move text about, wherever it comes from."""
    if type(value) is not str or value.isprintable():
        return value
    parts = value
    for space in _SPACES:
        parts = parts.replace(space, " ")
    if parts.isprintable():
        return value
    return printable(value)
