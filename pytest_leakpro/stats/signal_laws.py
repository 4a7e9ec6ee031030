"""The laws that shadow models' signals of a record follow: moments and densities.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

from pytest_leakpro.stats.moderated import (
    SMALLEST_VARIANCE,
    floor_variances,
    moderate_variances,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    "Variance",
    "log_likelihood",
    "log_upper_tail",
    "moderate_gaps",
    "record_blocks",
    "record_moments",
    "standardise",
    "unit_of",
]

Variance = Literal["moderated", "per-example", "global"]

_HALF_LOG_TAU = math.log(2 * math.pi) / 2
# Far below what rounding leaves of a spread: it acts on records whose models agree exactly.
_PER_EXAMPLE_SHARE = 1e-20
_BLOCK = 1 << 17  # elements, so that a block of records stays in the processor's cache
_FAR = 5.0  # beyond it the tail is a continued fraction that never underflows
_DEPTH = 40  # its levels: 1e-13 at _FAR, fewer would do further out


def record_blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut the records of a (models, records) array into blocks that keep memory bounded."""
    models, records = shape
    width = max(1, _BLOCK // max(models, 1))
    for start in range(0, records, width):
        yield slice(start, min(start + width, records))


def unit_of(largest: float) -> float:
    """Give a power of two that brings signals of a largest magnitude to about unit size."""
    exponent = math.frexp(largest)[1]
    # Exact, and scores are invariant under scaling: so squares of huge signals cannot overflow.
    return 2.0 ** -max(-1000, min(1000, exponent))


def log_likelihood(
    target: NDArray[Any],
    moments: tuple[NDArray[Any], NDArray[Any]],
    count: NDArray[Any],
    variance: Variance,
    unit: float,
) -> NDArray[np.float64]:
    """Give the log density of the target's signals under the law of some shadow models'.

    Parameters
    ----------
    target : ndarray of shape (n,)
    moments, count, unit
        As from and for `record_moments`.
    variance : {"moderated", "per-example", "global"}
        As for `lira_online`.

    Returns
    -------
    ndarray of shape (n,)
        Up to a constant that depends on the unit.
    """
    return _log_density(*standardise(target, moments, count, variance, unit))


def standardise(
    target: NDArray[Any],
    moments: tuple[NDArray[Any], NDArray[Any]],
    count: NDArray[Any],
    variance: str,
    unit: float,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Give the target's standardised signals, their scales and the degrees of freedom.

    No degrees of freedom stand for normal laws.
    """
    location, squares = moments
    z = np.multiply(target, unit, dtype=float)
    z -= location
    dof = None
    if variance == "per-example":
        spread = floor_variances(squares / count, _PER_EXAMPLE_SHARE)
    elif variance == "global":
        pooled = float(squares.sum()) / float((count - 1).sum())
        spread = np.full(len(z), max(pooled, SMALLEST_VARIANCE))
    else:
        spread, prior_dof = moderate_variances(squares / (count - 1), count - 1)
        spread *= 1 + 1 / count
        dof = None if math.isinf(prior_dof) else prior_dof + count - 1
    scale = np.sqrt(spread, out=spread)
    z /= scale
    return z, scale, dof


def record_moments(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    member: bool,
    count: NDArray[Any],
    unit: float,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give mean and sum of squared deviations per record, over models with it or without.

    Parameters
    ----------
    signals, included
        As for `lira_online`.
    member : bool
        Whether over the models that saw the record.
    count : ndarray of int, shape (n,)
        How many these are, at least 1.
    unit : float
        From `unit_of`; all signals are multiplied by it.

    Returns
    -------
    tuple of ndarray
        Each of shape (n,).
    """
    records = signals.shape[1]
    location, squares = np.empty(records), np.empty(records)
    for block in record_blocks(signals.shape):
        inside = included[:, block].astype(bool, copy=False)
        if not member:
            inside = ~inside
        values = np.multiply(signals[:, block], unit, dtype=float)
        # About one of the signals instead of zero: those that agree exactly get exactly no spread.
        origin = np.take_along_axis(values, inside.argmax(axis=0)[None], axis=0)[0]
        values -= origin
        values *= inside
        mean = values.sum(axis=0) / count[block]
        values -= mean
        values *= inside
        location[block] = origin + mean
        np.einsum("kn,kn->n", values, values, out=squares[block])
    return location, squares


def moderate_gaps(
    inside: tuple[NDArray[Any], NDArray[Any]],
    outside: tuple[NDArray[Any], NDArray[Any]],
    counts: tuple[NDArray[Any], NDArray[Any]],
) -> float:
    """Shrink the gaps between both means, in standard deviations, towards their average.

    Only where sampling explains more of how the gaps differ than the records do: the more gaps are
    alike, the more each is noise that costs power. With gaps of many kinds, of which a normal law
    knows nothing, the means stay.

    Parameters
    ----------
    inside, outside : tuple of ndarray
        From `record_moments`, of models with the record and without. Their means are changed in
        place: apart or together, each in proportion to its sampling variance.
    counts : tuple of ndarray of int, shape (n,)
        How many models these are, at least 2.

    Returns
    -------
    float
        The share of the differences between gaps that is not sampling, in [0, 1); 1 where the means
        stay.

    References
    ----------
    Efron and Morris (1975), Data analysis using Stein's estimator and its generalizations, JASA
    70(350), section 2: the prior's mean and variance from the moments of what is observed.
    """
    variances = [
        moderate_variances(squares / (count - 1), count - 1)[0]
        for (_, squares), count in zip((inside, outside), counts, strict=True)
    ]
    scale = (variances[0] + variances[1]) / 2
    for variance, count in zip(variances, counts, strict=True):
        variance /= count
    sampling = variances[0] + variances[1]
    np.sqrt(scale, out=scale)
    gaps = (inside[0] - outside[0]) / scale
    noise = sampling / scale**2
    centre, between = float(gaps.mean()), float(gaps.var() - noise.mean())
    if not between < noise.mean():
        return 1.0
    between = max(between, 0.0)
    share = between / (between + noise.mean())
    # How far each gap is moved, per unit of sampling variance.
    gaps -= centre
    gaps *= -noise / (between + noise) * scale / sampling
    inside[0][:] += gaps * variances[0]
    outside[0][:] -= gaps * variances[1]
    return float(share)


def _log_density(
    z: NDArray[Any], scale: NDArray[Any], dof: NDArray[Any] | None
) -> NDArray[np.float64]:
    """Give the log density of the normal or the Student-t law at standardised points."""
    if dof is None:
        normal: NDArray[np.float64] = -0.5 * z**2 - np.log(scale) - _HALF_LOG_TAU
        return normal
    # The logarithm of a beta function, as gamma functions of many degrees of freedom cancel.
    density: NDArray[np.float64] = -special.betaln(dof / 2, 0.5) - 0.5 * np.log(dof) - np.log(scale)
    density -= (dof + 1) / 2 * np.log1p(z**2 / dof)
    return density


def log_upper_tail(t: NDArray[Any], dof: NDArray[Any]) -> NDArray[np.float64]:
    """Give log P(T > t) of the Student-t law for t >= 0, without underflow.

    Near the centre by the incomplete beta function. Far out P(T > t) is the density at t times
    (v + t^2)/(v t) F(1, 1/2; v/2 + 1; -v/t^2), and Gauss's continued fraction for F has positive
    terms only (Abramowitz and Stegun, 26.7.1 and 15.3.4; NIST DLMF 15.7.5).
    """
    tail = np.empty(len(t))
    near = t <= _FAR
    v, x = dof[near], t[near]
    tail[near] = np.log(special.betaincc(0.5, v / 2, x**2 / (v + x**2)) / 2)
    v, x = dof[~near], t[~near]
    c, u = v / 2 + 1, v / x**2
    fraction = np.ones(len(x))
    for level in range(_DEPTH, 0, -1):
        m = level // 2
        if level % 2:
            term = (0.5 + m) / (c + 2 * m) * ((c - 1 + m) / (c - 1 + 2 * m))
        else:
            term = m / (c + 2 * m - 2) * ((c - 1.5 + m) / (c + 2 * m - 1))
        fraction = 1 + term * u / fraction
    mills = np.log1p(x**2 / v) - np.log(x) - np.log(fraction)
    tail[~near] = _log_density(x, np.ones(len(x)), v) + mills
    return tail
