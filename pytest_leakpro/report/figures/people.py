"""A thousand figures of people, of whom some would be exposed.

Written by hand: a column of people is two dashed lines, one of round heads and one of bodies, so
that a thousand take some thousand characters.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from pytest_leakpro.report.figures.drawing import svg_element
from pytest_leakpro.report.figures.panel import WIDTH, Panel
from pytest_leakpro.report.figures.telling import sentences

if TYPE_CHECKING:
    from pytest_leakpro.report.figures.chart import Chart
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["people_svg"]

_COLUMNS = 40
_ACROSS, _DOWN = 9, 13  # units between two people
_TOP = 3
_KEY = 18  # units between two lines of the key
_TEXT = 12
# Zero would do where a line has round ends, but not every browser draws nothing so.
_HEADS = f"0.01 {_DOWN - 0.01:g}"
_BODIES = f"1.4 {_DOWN - 1.4:g}"
_HEAD_AT, _BODY_AT = 2.4, 7.4  # from the top of a row


class _State(NamedTuple):
    """How some of the people are drawn: a colour, and what is cut out and put in again."""

    colour: str
    hollow: bool
    core: bool


_REST = _State("grid", hollow=False, core=False)
_CERTAIN = _State("bad", hollow=False, core=False)
_LIKELY = _State("bad", hollow=True, core=True)
_POSSIBLE = _State("bad", hollow=True, core=False)


def people_svg(
    total: int, found: float, low: float, high: float, allowed: float | None, words: Words
) -> str:
    """Draw people in rows, of whom some would be exposed, as an inline SVG.

    Parameters
    ----------
    total : int
        How many; at least 1.
    found, low, high : float
        How many of them would be exposed by the estimate, at least and at most. `found` is rounded
        to the nearest, `low` down and `high` up, so that nothing is understated.
    allowed : float or None
        How many the budget allows, rounded down; None without a budget.
    words : Words
        The language.

    Returns
    -------
    str
        Who is exposed for certain is solid, who is by the estimate has a core, who may be is
        hollow; a dashed line stands where the budget ends.
    """
    least = _held(math.floor(low + 1e-9), total)
    most = max(least, _held(math.ceil(high - 1e-9), total))
    middle = min(max(_held(round(found), total), least), most)
    most_allowed = None if allowed is None else _held(math.floor(allowed + 1e-9), total)
    rows = -(-total // _COLUMNS)
    content = [
        _people(0, least, _CERTAIN),
        _people(least, middle, _LIKELY),
        _people(middle, most, _POSSIBLE),
        _people(most, total, _REST),
    ]
    key = [
        (_CERTAIN, words.count("figure.people.low", least)),
        (_LIKELY, words.count("figure.people.found", middle)),
        (_POSSIBLE, words.count("figure.people.high", most)),
    ]
    if least == middle == most:
        key = [(_CERTAIN, words.count("figure.people.exact", most))]
    height = float(_TOP + rows * _DOWN + 12)
    for state, text in key:
        content.append(_key_line(height, text, _one(height, state)))
        height += _KEY
    if most_allowed is not None:
        content.append(_border(most_allowed, total))
        line = f'<path d="M1 {height + 6:g}h16" {_LIMIT}/>'
        content.append(_key_line(height, words.count("figure.people.allowed", most_allowed), line))
        height += _KEY
    panel = Panel(
        "people",
        words("figure.people.title", total=words.number(total)),
        sentences(*(f"{text}." for _, text in key), *_allowed_said(most_allowed, words)),
        _nothing,
        height,
    )
    return svg_element(panel, "".join(content))


def _nothing(chart: Chart) -> None:
    """Draw nothing: these figures need no axes."""


def _allowed_said(allowed: int | None, words: Words) -> list[str]:
    return [] if allowed is None else [f"{words.count('figure.people.allowed', allowed)}."]


def _held(count: int, total: int) -> int:
    return min(max(count, 0), total)


def _people(start: int, stop: int, state: _State) -> str:
    """Draw those from one place in the order of reading to before another."""
    heads, bodies = [], []
    for column in range(_COLUMNS):
        first, after = (-((column - end) // _COLUMNS) for end in (start, stop))
        if first < after:
            x = _ACROSS * (column + 0.5)
            top, last = _TOP + _DOWN * first, _TOP + _DOWN * (after - 1)
            heads.append(f"M{x:g} {top + _HEAD_AT:g}V{last + _HEAD_AT + 1:g}")
            bodies.append(f"M{x:g} {top + _BODY_AT:g}V{last + _BODY_AT + 1.4:g}")
    return _drawn("".join(heads), "".join(bodies), state) if heads else ""


def _one(y: float, state: _State) -> str:
    head, body = f"M9 {y + _HEAD_AT:g}v1", f"M9 {y + _BODY_AT:g}v1.4"
    return _drawn(head, body, state)


def _drawn(heads: str, bodies: str, state: _State) -> str:
    layers = [(state.colour, 3.8, 5.2)]
    if state.hollow:
        layers.append(("paper", 1.8, 3.0))
    if state.core:
        layers.append((state.colour, 0.9, 1.5))
    return "".join(
        f'<path d="{path}" style="fill:none;stroke:var(--{colour});stroke-width:{width};'
        f'stroke-linecap:round;stroke-dasharray:{dashes}"/>'
        for colour, head, body in layers
        for path, width, dashes in ((heads, head, _HEADS), (bodies, body, _BODIES))
    )


_LIMIT = 'style="fill:none;stroke:var(--limit);stroke-width:1.6;stroke-dasharray:5 2.5"'


def _border(allowed: int, total: int) -> str:
    """Draw a line behind the last person that the budget allows."""
    if allowed >= total:
        return ""
    row, column = divmod(allowed, _COLUMNS)
    y, x = _TOP + row * _DOWN - 0.6, column * _ACROSS
    path = f"M0 {y:g}H{WIDTH}" if column == 0 else f"M0 {y + _DOWN:g}H{x}V{y:g}H{WIDTH}"
    return f'<path d="{path}" {_LIMIT}/>'


def _key_line(y: float, text: str, mark: str) -> str:
    return (
        f'{mark}<text x="26" y="{y + 10:g}" style="font-size:{_TEXT}px;fill:var(--ink)">'
        f"{escape(text, quote=False)}</text>"
    )
