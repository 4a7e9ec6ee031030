"""What a number of canaries can decide, for planning only.

Exposures are taken to follow the exponential law that is cut off at the largest possible value: a
model that saw no canary gives that law, with a mean of 1/ln 2 bits, and of all laws with another
mean it assumes the least (its entropy is the largest).

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize, special

from pytest_leakpro.stats.paired_shares import BETS, CAPITAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cut_exponential", "exposure_fail_chance", "exposure_pass_chance"]

_POINTS = 1024
_NEAR = 1e-6


def cut_exponential(mean: float, most: float, shares: NDArray[Any]) -> NDArray[Any]:
    """Give quantiles of the exponential law on [0, most] with a mean.

    Parameters
    ----------
    mean : float
        In [0, most].
    most : float
        Above 0.
    shares : ndarray of shape (k,)
        In (0, 1).

    Returns
    -------
    ndarray of shape (k,)
        In [0, most], rising with the shares.
    """
    unit = min(max(mean / most, _NEAR), 1 - _NEAR)
    if unit > 0.5:
        return most - cut_exponential(most * (1 - unit), most, 1 - shares)
    if unit > 0.5 - _NEAR:
        return most * shares
    rate = float(optimize.brentq(lambda r: _mean_of(r) - unit, 1e-7, 1.1 / unit))
    raw = -most * np.log1p(shares * math.expm1(-rate)) / rate
    quantiles: NDArray[Any] = np.clip(raw, 0.0, most)
    return quantiles


def _mean_of(rate: float) -> float:
    """Mean of the law on [0, 1]."""
    if rate < 1e-4:
        return 0.5 - rate / 12
    return 1 / rate - 1 / math.expm1(min(rate, 700.0))


@lru_cache(maxsize=4096)
def exposure_pass_chance(size: int, limit: float, error: float, mean: float, most: float) -> float:
    """Chance that the upper bound of the mean comes out within a limit.

    Parameters
    ----------
    size : int
        Number of canaries.
    limit : float
        In bits, below `most`.
    error : float
        One-sided error, in (0, 1).
    mean, most : float
        Of the exposures, in bits.

    Returns
    -------
    float
        In [0, 1], by the normal law of the log of the capital of each bet.
    """
    return _refuted_chance(size, most - limit, error, most - _law(mean, most))


@lru_cache(maxsize=4096)
def exposure_fail_chance(size: int, limit: float, error: float, mean: float, most: float) -> float:
    """Chance that the lower bound exceeds a limit; as `exposure_pass_chance`."""
    return _refuted_chance(size, limit, error, _law(mean, most))


@lru_cache(maxsize=64)
def _law(mean: float, most: float) -> NDArray[Any]:
    return cut_exponential(mean, most, (np.arange(_POINTS) + 0.5) / _POINTS)


def _refuted_chance(size: int, limit: float, error: float, law: NDArray[Any]) -> float:
    logs = np.log(np.maximum(1 + BETS[:, None] * (law - limit) / limit, 1e-300))
    drift, spread = logs.mean(axis=1), np.maximum(logs.std(axis=1), 1e-12)
    needed = -np.log(error * CAPITAL)
    return float(special.ndtr((size * drift - needed) / (math.sqrt(size) * spread)).max())
