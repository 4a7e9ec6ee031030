"""Bounds on the mean of observations of at least 0, by betting.

The capital of `pytest_leakpro.stats.paired_shares`, for observations that have no other side: who
doubts that E[Z] is at most m multiplies it by 1 + f (Z - m)/m, which no largest value enters. Where
Z spreads less than a coin with the same mean this needs far fewer units than bounds that take Z for
such a coin.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

from pytest_leakpro.stats.paired_shares import difference_p_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["bet_lower", "bet_p_value", "bet_upper"]

_SMALLEST = 1e-9  # of the mean: below that nothing is looked for


def bet_p_value(values: ArrayLike, mean: float) -> float:
    """Test "the true mean is at most `mean`".

    Parameters
    ----------
    values : array_like of shape (n,)
        One per independent unit, each at least 0; at least one.
    mean : float
        At least 0.

    Returns
    -------
    float
        In [0, 1]. It is the same in whatever order the units come, and falls with every value.

    References
    ----------
    Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting,
    JRSS B 86, section 4.
    """
    units = np.asarray(values, float)
    most = max(float(units.max()), mean)
    if mean <= 0:
        return 1.0 if most == 0 else 0.0
    # On a scale on which the largest is 1; which scale that is the bet does not depend on.
    return difference_p_value(2 * units / most - 1, 2 * mean / most - 1)


def bet_lower(values: ArrayLike, error: float) -> float:
    """Lower confidence bound on the mean of observations of at least 0.

    Parameters
    ----------
    values : array_like of shape (n,)
        As for `bet_p_value`.
    error : float
        One-sided error, in (0, 1).

    Returns
    -------
    float
        The largest mean that `bet_p_value` refutes; 0 where it refutes none.
    """
    units = np.asarray(values, float)
    mean = float(units.mean())
    least = _SMALLEST * mean

    def excess(limit: float) -> float:
        return bet_p_value(units, limit) - error

    if mean <= 0 or excess(least) > 0:
        return 0.0
    # At the mean itself the p-value is 1.
    return float(optimize.brentq(excess, least, mean, xtol=1e-10, rtol=1e-9))


def bet_upper(values: ArrayLike, error: float, most: float) -> float:
    """Upper confidence bound on the mean of observations in [0, most].

    Parameters
    ----------
    values : array_like of shape (n,)
        As for `bet_p_value`.
    error : float
        One-sided error, in (0, 1).
    most : float
        What no observation exceeds, known beforehand.

    Returns
    -------
    float
        At most `most`.
    """
    return most - bet_lower(np.maximum(most - np.asarray(values, float), 0.0), error)
