"""Whether one share exceeds a multiple of another, tested exactly from two counts.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from pytest_leakpro.stats.binomial import at_least, clopper_pearson_lower, clopper_pearson_upper

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["excess_p_value", "lower_log_ratio", "trials_for_excess"]

_NUISANCE_SHARE = 0.05  # of the error, spent on where the second share lies
_CELLS = 128  # of the range in which it lies
_BLOCKS_PER_DEVIATION = 8.0
_FIRST_STEP, _GROWTH = 0.01, 1.12
_CAUTION = 1.3  # the exact test asks for somewhat more than its normal approximation


def excess_p_value(
    first: int, second: int, trials: int, log_ratio: float, extra: float, error: float
) -> float:
    """Test "P is at most exp(log_ratio) Q + extra" from a count of each.

    The counts are ordered by how little a fair split would explain the first, and the p-value is
    the largest probability, over every Q that the second count does not rule out, of counts at
    least as extreme. Between the points of a grid the probability is bounded by its monotony, so
    that the p-value is never too small.

    Parameters
    ----------
    first, second : int
        How often an event was seen, each in [0, trials]: binomial with shares P and Q, and
        independent.
    trials : int
        Attempts on either side, at least 1.
    log_ratio : float
        In [0, infinity).
    extra : float
        In [0, 1).
    error : float
        The level that the p-value is going to be compared with, in (0, 1): a twentieth of it is
        spent on the range of Q. The p-value is valid whatever is given.

    Returns
    -------
    float
        In (0, 1].

    References
    ----------
    Barnard (1947), Significance tests for 2x2 tables, Biometrika 34.
    Berger and Boos (1994), P values maximized over a confidence set for the nuisance parameter,
    JASA 89.
    Röhmel and Mansmann (1999), Unconditional non-asymptotic one-sided tests for independent
    binomial proportions, Biometrical Journal 41.
    """
    spent = _NUISANCE_SHARE * error
    observed = float(_extremeness(first, second, trials, log_ratio, extra))
    if observed >= 0.5:
        return 1.0
    low = float(clopper_pearson_lower(second, trials, spent / 2))
    high = float(clopper_pearson_upper(second, trials, spent / 2))
    # Equal steps of the square root are about equal steps in standard deviations.
    cells = np.linspace(math.sqrt(low), math.sqrt(high), _CELLS + 1) ** 2
    starts = _block_starts(low, high, trials)
    needed = _least_first(starts, observed, trials, log_ratio, extra)
    below, above = cells[:-1, None], cells[1:, None]
    largest = np.minimum(1.0, math.exp(min(log_ratio, 700.0)) * above + extra)
    reaches = at_least(needed[None, :], trials, largest)
    tail = at_least(starts[None, :], trials, below)
    mass = tail - np.concatenate([tail[:, 1:], np.zeros((len(tail), 1))], axis=1)
    worst = float(np.max(np.sum(mass * reaches, axis=1)))
    return min(1.0, worst + spent)


def lower_log_ratio(
    first: int, second: int, trials: int, claimed: float, extra: float, error: float
) -> float:
    """Bound the log ratio of two shares from below: P exceeds exp(bound) Q + extra.

    Ratios are tested one after the other on a grid that does not depend on the counts, each at
    the full error, up to the first that is not refuted; so the bound holds at that error.

    Parameters
    ----------
    first, second, trials, extra
        As for `excess_p_value`.
    claimed : float
        Where the grid begins, in [0, infinity).
    error : float
        The chance that the bound lies above the log ratio, in (0, 1).

    Returns
    -------
    float
        At least `claimed` where that is refuted, else minus infinity; no more than what the
        trials can show.

    References
    ----------
    As for `excess_p_value`; the order of tests is that of a fixed sequence (Maurer, Hothorn and
    Lehmacher 1995).
    """
    bound, tried, step = -math.inf, claimed, _FIRST_STEP
    most = max(claimed, math.log(trials) + 1)
    while tried <= most and excess_p_value(first, second, trials, tried, extra, error) <= error:
        bound, tried, step = tried, tried + step, step * _GROWTH
    return bound


def trials_for_excess(
    first: float, second: float, log_ratio: float, extra: float, error: float, power: float
) -> float:
    """Say how many attempts on either side would refute, roughly: for planning only.

    Parameters
    ----------
    first, second : float
        The shares, each in (0, 1).
    log_ratio, extra, error
        As for `excess_p_value`.
    power : float
        The chance to refute, in (0.5, 1).

    Returns
    -------
    float
        Infinity where there is nothing to refute.
    """
    ratio = math.exp(min(log_ratio, 700.0))
    gap = first - ratio * second - extra
    if gap <= 0:
        return math.inf
    limit = min(1.0, ratio * second + extra)
    spread_within = limit * (1 - limit) + ratio**2 * second * (1 - second)
    spread = first * (1 - first) + ratio**2 * second * (1 - second)
    z_error, z_power = -special.ndtri(error), special.ndtri(power)
    reach = z_error * math.sqrt(spread_within) + z_power * math.sqrt(spread)
    return _CAUTION * float(reach / gap) ** 2


def _extremeness(
    first: ArrayLike,
    second: ArrayLike,
    trials: int,
    log_ratio: float,
    extra: float,
) -> NDArray[np.float64]:
    """Give the chance that a split of the events at the ratio leaves so many to the first.

    It falls with the first count and rises with the second, which is what the test needs.
    """
    beyond = np.asarray(first, float) - extra * trials
    inside = special.betainc(
        np.maximum(beyond, 1e-12), np.asarray(second, float) + 1, special.expit(log_ratio)
    )
    return np.where(beyond <= 0, 1.0, inside)


def _block_starts(low: float, high: float, trials: int) -> NDArray[np.int64]:
    """Cut the second count's range into blocks that are narrow where its mass lies."""
    edges = [0]
    position, end = max(0.0, _far(low, trials, -9)), _far(high, trials, 9)
    while position <= min(end, trials):
        edges.append(int(position))
        width = math.sqrt(max(1.0, position * (1 - position / trials))) / _BLOCKS_PER_DEVIATION
        position = max(float(int(position) + 1), position + width)
    return np.unique(np.asarray(edges, int))


def _far(share: float, trials: int, deviations: float) -> float:
    mean = trials * share
    return mean + deviations * math.sqrt(mean * (1 - share)) + math.copysign(9, deviations)


def _least_first(
    seconds: NDArray[np.int64],
    observed: float,
    trials: int,
    log_ratio: float,
    extra: float,
) -> NDArray[np.int64]:
    """Give the least first count that is as extreme as observed, for every second count."""
    low, high = np.zeros(len(seconds), int), np.full(len(seconds), trials + 1)
    limit = observed * (1 + 1e-9)
    while np.any(low < high):
        middle = (low + high) // 2
        extreme = _extremeness(middle, seconds, trials, log_ratio, extra) <= limit
        high = np.where(extreme & (low < high), middle, high)
        low = np.where(~extreme & (low < high), middle + 1, low)
    return low
