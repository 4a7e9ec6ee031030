"""How numbers and names are written, the same in every output.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "UNBOUNDED",
    "Unit",
    "listed",
    "plain_number",
    "printable",
    "quoted",
    "shown",
    "shown_bounds",
    "written_bounds",
]

UNBOUNDED = "-"
"""What stands in place of a number that there is none of."""

Unit = Literal["percent", "decimal"]


_MOST_PLACES = 10  # nothing that a sample could measure is smaller


def plain_number(value: float, unit: Unit = "decimal") -> str:
    """Write a number that somebody chose, such as a limit, without loss: ``0.1%``, ``0.55``."""
    return f"{value * 100:.12g}%" if unit == "percent" else f"{value:.12g}"


def shown(value: float, unit: Unit, *, digits: int = 2, toward: int = 0) -> str:
    """Write a measured number.

    Parameters
    ----------
    value : float
        What was measured.
    unit : {"percent", "decimal"}
        Percent shows `digits` significant digits, decimal `digits` + 1 digits behind the point.
    digits : int
        Precision, at least 1.
    toward : {-1, 0, 1}
        Round down, to the nearest, or up: bounds are rounded outwards, so that what is shown is
        never tighter than what was proved.

    Returns
    -------
    str
        For example ``"4.7%"`` or ``"0.716"``.
    """
    if not math.isfinite(value):
        return UNBOUNDED
    if unit == "percent":
        value *= 100
        size = math.floor(math.log10(abs(value))) if value else 0
        places = min(_MOST_PLACES, max(0, digits - 1 - size))
    else:
        places = digits + 1
    scaled = value * 10**places
    # The product may miss a round number by a few units in the last place.
    slack = 1e-9 * max(1.0, abs(scaled))
    rounded = (math.floor(scaled + slack), round(scaled), math.ceil(scaled - slack))[toward + 1]
    text = f"{rounded / 10**places:.{places}f}"
    if unit == "percent":
        text = text.rstrip("0").rstrip(".") if float(text) == 0 else text
        return f"{text}%"
    return text


def written_bounds(low: str, high: str) -> str:
    """Write bounds: ``"3% to 6%"``, or ``"at least 1.2"`` where there is no upper one."""
    return f"at least {low}" if high == UNBOUNDED else f"{low} to {high}"


def shown_bounds(
    value: float, low: float, high: float, limit: float | None, unit: Unit
) -> tuple[str, str, str]:
    """Write an estimate and its bounds so that they never seem to contradict the verdict.

    Parameters
    ----------
    value, low, high : float
        The estimate and its bounds.
    limit : float or None
        The budget's limit, if there is one.
    unit : {"percent", "decimal"}
        See `shown`.

    Returns
    -------
    tuple of str
        The estimate, the lower and the upper bound, with as many digits as it takes to see on
        which side of the limit the bounds lie.
    """
    texts = ("", "", "")
    for digits in range(2, 8):
        texts = (
            shown(value, unit, digits=digits),
            shown(low, unit, digits=digits, toward=-1),
            shown(high, unit, digits=digits, toward=1),
        )
        if limit is None:
            break
        seen_low, seen_high = (_read(text, unit) for text in texts[1:])
        if (seen_low > limit) == (low > limit) and (seen_high <= limit) == (high <= limit):
            break
    return texts


def _read(text: str, unit: Unit) -> float:
    if text == "-":
        return math.nan
    return float(text.rstrip("%")) / (100 if unit == "percent" else 1)


def printable(text: str, width: int | None = None) -> str:
    """Make a name safe to print: no control characters, no lone surrogates, one line.

    Parameters
    ----------
    text : str
        Any text, such as a name that a user chose.
    width : int, optional
        The longest result; a longer one is cut and ends in ``…``.

    Returns
    -------
    str
        Characters that would move the cursor, colour or reorder the line are escaped.
    """
    limit = None if width is None else width * 2  # enough, whatever is escaped
    safe = text[:limit]
    if not safe.isprintable():
        safe = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode()
            for character in safe
        )
    if width is not None and (len(safe) > width or len(text) > width * 2):
        return safe[: max(0, width - 1)] + "…"
    return safe


def quoted(name: object) -> str:
    """Write a name that a user chose, such as that of a column, in quotes and safe to print."""
    return repr(printable(str(name), 60))


def listed(texts: Sequence[str], most: int) -> str:
    """Write texts one after the other: ``"a, b and 3 more"``.

    Parameters
    ----------
    texts : sequence of str
        Safe to print.
    most : int
        How many to write out.
    """
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
