"""Several tests, one decision.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

__all__ = ["attack_weights"]

FIRST_WEIGHT = 0.8


def attack_weights(count: int) -> tuple[float, ...]:
    """Share of the error that each of several ranked attacks may spend on a FAIL.

    Parameters
    ----------
    count : int
        Number of attacks, at least 1, in an order fixed without the target's members.

    Returns
    -------
    tuple of float
        Weights that sum to one: 0.8 for the first, the rest in equal parts; 1 for a single attack.
    """
    if count == 1:
        return (1.0,)
    rest = (1 - FIRST_WEIGHT) / (count - 1)
    return (FIRST_WEIGHT, *([rest] * (count - 1)))
