"""Texts of records as the page may show them: no path, no address, no name of a column.

A record is kept where it was made; the page is filed and sent around.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LONGEST", "discreet", "discreet_record", "names_columns", "shown_notes"]

LONGEST = 400
_LONGEST_NAME = 120
_LONGEST_FIGURE = 30
_HIDDEN = "…"
# Where a word begins: a path or an address stands behind a space, a quote, a bracket, a sign.
_START = r"(?:(?<=[\s\"'`(\[{<=,;:|])|^)"
_REST = r"[^\s\"'`)\]}>,;|]+"
_PLACES = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*://{_REST}"  # s3://bucket, tcp://host:8786, file:///home
    rf"|{_START}/{_REST}"
    rf"|{_START}~[\w.-]*/{_REST}"
    rf"|(?<![A-Za-z])[A-Za-z]:[\\/]{_REST}"
    rf"|\\\\{_REST}"
)
# Column names stand in such texts as they are, and only a budget makes one public.
_COLUMNS = re.compile(
    r"\bcolumns?\b|\blinkability: who knows |\binference: .* from "
    r"|left out of the attacks as |aux_columns|quasi_identifiers|secret="
    r"|\btexts of .* in the release"
)
# Curves and histograms are numbers, and long.
_AS_IT_IS = ("curve", "histogram")
_NAMES = ("target", "metric", "attack", "access", "device")
_WITHHELD = ("scores", "digests", "checks")


def discreet(text: str, width: int = LONGEST) -> str:
    """Make a text safe to show to whoever gets the page.

    Parameters
    ----------
    text : str
        Any text of a record.
    width : int
        The longest result.

    Returns
    -------
    str
        Printable, in one line, with ``…`` in place of absolute paths and addresses.
    """
    if "/" in text or "\\" in text:
        text = _PLACES.sub(_HIDDEN, text[: width * 4])
    return printable(text, width)


def shown_notes(texts: Iterable[str]) -> tuple[list[str], int]:
    """Divide notes into those that the page shows, and how many name columns.

    Parameters
    ----------
    texts : iterable of str
        Sentences of a record.

    Returns
    -------
    shown : list of str
        Each once.
    withheld : int
        How many were left out.
    """
    every = list(dict.fromkeys(texts))
    told = [text for text in every if not names_columns(text)]
    return told, len(every) - len(told)


def names_columns(text: str) -> bool:
    """Tell whether a sentence of this package may name columns."""
    return _COLUMNS.search(text) is not None


def discreet_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give a record whose texts are all `discreet`, without what the page has no use for."""
    return {
        key: _discreet(value, _width_of(key))
        for key, value in record.items()
        if key not in _WITHHELD
    }


def _width_of(key: str) -> int:
    if key.startswith("shown_"):
        return _LONGEST_FIGURE
    return _LONGEST_NAME if key in _NAMES else LONGEST


def _discreet(value: Any, width: int) -> Any:
    kind = type(value)
    if kind is str:
        return discreet(value, width)
    if kind is dict:
        return {
            discreet(key, width): entry if key in _AS_IT_IS else _discreet(entry, width)
            for key, entry in value.items()
        }
    if kind is list:
        return [_discreet(entry, width) for entry in value]
    return value
