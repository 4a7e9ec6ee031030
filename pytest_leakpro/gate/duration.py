"""Lengths of time as people write them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

__all__ = ["read_duration"]

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def read_duration(text: str, option: str, example: str) -> float:
    """Read ``10m``: a number of seconds, minutes, hours, days or weeks.

    Parameters
    ----------
    text : str
        What was typed.
    option, example : str
        Where, and what it may look like, for the message.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    LeakproError
        Where number or unit is missing.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise LeakproError(
            f"{option} is {printable(text)!r}: give a number with its unit, such as {example} "
            "(s, m, h, d or w)"
        )
    return float(match[1]) * _SECONDS[match[2]]
