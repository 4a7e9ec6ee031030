"""Several tests, one decision.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

__all__ = ["attack_weights", "look_shares"]

FIRST_WEIGHT = 0.8
LAST_SHARE = 0.5


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


def look_shares(count: int) -> tuple[float, ...]:
    """Share of the error that each of several looks at growing evidence may spend on a FAIL.

    Parameters
    ----------
    count : int
        Number of looks, at least 1, fixed beforehand.

    Returns
    -------
    tuple of float
        Shares that sum to one: 0.5 for the last, the rest in equal parts; 1 for a single look.
        By the union bound the looks together keep the error, whatever their dependence: the
        figures of successive looks share records and models, and no normal law is assumed for
        them, as the spending functions of Lan and DeMets (1983) need.
    """
    if count == 1:
        return (1.0,)
    early = (1 - LAST_SHARE) / (count - 1)
    return (*([early] * (count - 1)), LAST_SHARE)
