"""How many records an attack that guesses has a try at.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError

__all__ = ["MOST_ATTEMPTS", "check_attempts", "number_of_attempts"]

MOST_ATTEMPTS = 5000
"""By default all records of a side are attacked, at most this many."""


def check_attempts(attempts: Any, attack: str) -> None:
    """Check what the user sets.

    Raises
    ------
    LeakproError
        Where it is neither None nor a whole number of at least 10.
    """
    wrong = not isinstance(attempts, (int, np.integer)) or isinstance(attempts, bool)
    if attempts is not None and (wrong or attempts < 10):
        raise LeakproError(f"attempts of the attack {attack!r}: give a whole number of at least 10")


def number_of_attempts(
    attempts: int | None, n: int, attack: str, side: str, noun: str = "rows"
) -> int:
    """Give how many of n are attacked.

    Parameters
    ----------
    attempts : int or None
        As the user sets it.
    n : int
        How many there are.
    attack : str
        Its name, for the error.
    side, noun : str
        Of whom there are n, and what they are, for the error.

    Raises
    ------
    LeakproError
        Where there are fewer than are asked for.
    """
    if attempts is not None and attempts > n:
        raise LeakproError(
            f"the attack {attack!r} is to make {attempts:,} attempts, and {side} has {n:,} {noun}: "
            f"ask for no more than there are, or give more {noun}"
        )
    return min(n, attempts or MOST_ATTEMPTS)
