"""Several tests, one decision.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["attack_weights", "holm_levels", "look_shares"]

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


def holm_levels(p_values: Sequence[float], error: float) -> tuple[float, ...]:
    """Level at which Holm's procedure last tests each of several hypotheses.

    Parameters
    ----------
    p_values : sequence of float
        One per hypothesis, at least one; any dependence.
    error : float
        The chance that any true hypothesis is rejected, in (0, 1).

    Returns
    -------
    tuple of float
        From ``error`` over their number up to ``error``. A hypothesis is rejected where its
        p-value is at most its level.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6.
    """
    levels = [0.0] * len(p_values)
    left = len(p_values)
    level = error / left
    for place in sorted(range(len(p_values)), key=lambda index: p_values[index]):
        # From the first that is kept on, all are tested at its level.
        level = max(level, error / left)
        levels[place] = level
        if p_values[place] <= level:
            left -= 1
    return tuple(levels)


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
