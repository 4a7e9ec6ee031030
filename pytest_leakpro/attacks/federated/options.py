"""Checks of the settings of attacks.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import Any

from pytest_leakpro.gate.errors import LeakproError

__all__ = ["positive"]


def positive(name: str, option: str, value: Any, *, or_zero: bool = False) -> None:
    """Check a finite positive number.

    Raises
    ------
    LeakproError
    """
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not fits or not math.isfinite(value) or value < 0 or (value == 0 and not or_zero):
        word = "number of at least 0" if or_zero else "positive number"
        raise LeakproError(f"{option} of the attack {name!r}: give a {word}")
