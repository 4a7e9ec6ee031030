"""Differences between two measurements: how large an increase is at least.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["correlation_of_estimates", "increase_lower"]

# Beyond it the margin would rest on the difference of two bounds that nearly cancel.
_LARGEST_CORRELATION = 0.95


def increase_lower(
    value_old: float, high_old: float, value_new: float, low_new: float, correlation: float = 0.0
) -> float:
    """Bound an increase from below, from the bounds of the two measurements (MOVER).

    Parameters
    ----------
    value_old, high_old : float
        Estimate and one-sided upper bound before.
    value_new, low_new : float
        Estimate and one-sided lower bound now, at the same level.
    correlation : float
        Of the two estimates, in [0, 1); 0 for independent samples.

    Returns
    -------
    float
        The lower bound of ``new - old`` at about the level of the bounds; minus infinity where a
        bound is missing (NaN or infinite).

    References
    ----------
    Zou and Donner (2008), Construction of confidence limits about effect measures, Statistics in
    Medicine 27, equation 5, with the correlation as in Zou (2007), Toward using confidence
    intervals to compare correlations, Psychological Methods 12, equation 15.
    """
    below, above = value_new - low_new, high_old - value_old
    if not (math.isfinite(below) and math.isfinite(above)):
        return -math.inf
    variance = below**2 + above**2 - 2 * correlation * below * above
    return value_new - value_old - math.sqrt(max(0.0, variance))


def correlation_of_estimates(
    old: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    new: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    estimate: Callable[[NDArray[Any], NDArray[Any]], float],
    *,
    resamples: int = 200,
) -> float:
    """Say how much of the sampling error two measurements on the same records share.

    Parameters
    ----------
    old, new : sequence of (members, nonmembers)
        Scores of each attack of the suite before and now, in the same order of the records.
    estimate : callable
        Reads the metric off members' and non-members' scores; of several attacks the largest
        counts.
    resamples : int
        Number of bootstrap samples of the records.

    Returns
    -------
    float
        A value that the correlation of the two estimates exceeds with a probability of 97.5 % as
        far as the number of resamples goes (Fisher's transform), in [0, 0.95]. It only narrows
        the margin of a comparison; the bounds of each measurement do not rest on it.
    """
    rng = np.random.default_rng(resamples)
    m, n = len(old[0][0]), len(old[0][1])
    values = np.empty((2, resamples))
    for column in range(resamples):
        members, nonmembers = rng.integers(m, size=m), rng.integers(n, size=n)
        for row, suite in enumerate((old, new)):
            values[row, column] = max(
                estimate(scores[members], others[nonmembers]) for scores, others in suite
            )
    if np.ptp(values[0]) == 0 or np.ptp(values[1]) == 0:
        return 0.0
    correlations = np.atleast_2d(np.corrcoef(values))
    observed = min(float(correlations[0, 1]), 1 - 1e-12)
    lower = math.tanh(math.atanh(observed) - 1.96 / math.sqrt(resamples - 3))
    return min(max(lower, 0.0), _LARGEST_CORRELATION)
