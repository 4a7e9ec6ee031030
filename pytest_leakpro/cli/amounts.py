"""Amounts as people type them: shares, sizes, ages.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

__all__ = ["read_share", "read_sizes", "written_age", "written_bytes", "written_duration"]


def read_share(text: str, option: str) -> float:
    """Read ``0.3%`` or ``0.003``.

    Parameters
    ----------
    text : str
        What was typed.
    option : str
        Where, for the message.

    Raises
    ------
    LeakproError
        Where it is no finite number.
    """
    stripped = text.strip()
    try:
        value = float(stripped.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise LeakproError(f"{option} is {printable(text)!r}: give a number such as 0.3% or 0.003")
    # Through the decimal digits: 0.3% is 0.003, not 0.0030000000000000001.
    return float(f"{value / 100:.15g}") if stripped.endswith("%") else value


def read_sizes(text: str) -> tuple[int, int]:
    """Read ``2000,1500``: members, non-members; one number stands for both.

    Raises
    ------
    LeakproError
        Where these are no two whole numbers of at least 1.
    """
    parts = text.replace("_", "").split(",")
    numbers = [int(part) for part in parts if part.strip().isdecimal()]
    if len(numbers) != len(parts) or len(numbers) > 2 or min(numbers) < 1:
        raise LeakproError(
            f"--sizes is {printable(text)!r}: give members and non-members, such as 2000,1500"
        )
    if max(numbers) > 100_000_000:
        raise LeakproError("--sizes: a hundred million on a side is the most that can be planned")
    return numbers[0], numbers[-1]


def written_age(seconds: float) -> str:
    """Write an age in the largest unit that fits: ``3 days``."""
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count:,} {name}{'s' * (count != 1)}"
    return "just now"


def written_bytes(size: float) -> str:
    """Write a size: ``2.3 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    raise AssertionError


def written_duration(seconds: float) -> str:
    """Write how long something takes: ``3.5 min``."""
    if seconds >= 7200:
        return f"{seconds / 3600:,.1f} h"
    if seconds >= 120:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
