"""The likelihood-ratio attack on arrays of signals: online and offline.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

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

__all__ = ["Variance", "check_signals", "lira_offline", "lira_online", "record_blocks"]

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


def check_signals(signals: NDArray[Any], included: NDArray[Any], target: NDArray[Any]) -> float:
    """Check the arrays of an attack.

    Parameters
    ----------
    signals : ndarray of shape (K, n)
    included : ndarray of shape (K, n)
    target : ndarray of shape (n,)

    Returns
    -------
    float
        The largest magnitude of any signal.

    Raises
    ------
    ValueError
        If shapes disagree, there are no models or records, or a signal is not finite.
    """
    if signals.ndim != 2 or signals.size == 0:
        raise ValueError(f"signals must be of shape (models, records), not {signals.shape}")
    if included.shape != signals.shape:
        raise ValueError(f"included has shape {included.shape}, signals {signals.shape}")
    if target.shape != signals.shape[1:]:
        raise ValueError(f"target has shape {target.shape}, signals {signals.shape}")
    extremes = [float(f) for a in (signals, target) for f in (a.min(), a.max())]
    if not np.isfinite(extremes).all():
        raise ValueError("signals must be finite")
    return max(abs(extreme) for extreme in extremes)


def lira_online(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    target: NDArray[Any],
    variance: Variance = "moderated",
) -> NDArray[np.float64]:
    """Score records by the likelihood of the target's signal with the record and without.

    Parameters
    ----------
    signals : ndarray of shape (K, n)
        Finite signals of each shadow model on each record, in any unit: the score is invariant
        under shifting and scaling all signals alike.
    included : ndarray of bool, shape (K, n)
        Whether the shadow model was trained on the record.
    target : ndarray of shape (n,)
        The audited model's signals.
    variance : {"moderated", "per-example", "global"}
        Everywhere each record has its own means.

        - per-example: normal laws with the record's own variances, their maximum-likelihood
          estimates (divided by the count), as in the paper.
        - global: normal laws with one variance of "in" signals and one of "out" signals, each
          pooled over records about the records' means (divided by the degrees of freedom: with
          two models to a record the maximum-likelihood estimate would be half the variance).
        - moderated: Student-t predictive densities; each record's unbiased variances are shrunk
          by `moderate_variances`, "in" and "out" apart, and have d0 + count - 1 degrees of
          freedom. The scale is sqrt(s^2 (1 + 1/count)), as the mean is estimated too. Normal
          where d0 is infinite.

    Returns
    -------
    ndarray of shape (n,)
        log p(signal | in) - log p(signal | out), finite; higher means "more likely a member".
        Where all models agree on a record exactly, the law is very sharp instead of singular.

    Raises
    ------
    ValueError
        If a record has fewer than two shadow models on either side, arrays do not fit, or a
        signal is not finite.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, algorithm 1; Smyth (2004), Linear models and empirical Bayes methods for
    assessing differential expression, SAGMB 3(1), section 3.
    """
    unit = _prepare(signals, included, target, variance)
    count = np.count_nonzero(included, axis=0)
    others = len(signals) - count
    lacking = int(np.count_nonzero(np.minimum(count, others) < 2))
    if lacking:
        raise ValueError(
            f"{lacking} of {len(target)} records have fewer than 2 shadow models trained with "
            "them or fewer than 2 trained without"
        )
    score = _log_density(*_standardise(signals, included, True, count, target, variance, unit))
    score -= _log_density(*_standardise(signals, included, False, others, target, variance, unit))
    return score


def lira_offline(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    target: NDArray[Any],
    variance: Variance = "moderated",
) -> NDArray[np.float64]:
    """Score records by how far the target's signal lies above those of models without the record.

    Parameters
    ----------
    signals, included, target, variance
        As for `lira_online`; only the "out" signals are used.

    Returns
    -------
    ndarray of shape (n,)
        logit(L) with L = P(out signal <= target's signal), the score of the paper. L itself ties
        at 1 where it matters most; its log odds rank alike and never saturate on either side. They
        approach -log P(out signal > target's signal) as that becomes small. 0 at the mean.

    Raises
    ------
    ValueError
        If a record has fewer than two "out" models, arrays do not fit, or a signal is not finite.

    References
    ----------
    Carlini et al. (2022), Membership inference attacks from first principles, IEEE S&P,
    section VI.A, equation 4.
    """
    unit = _prepare(signals, included, target, variance)
    count = len(signals) - np.count_nonzero(included, axis=0)
    lacking = int(np.count_nonzero(count < 2))
    if lacking:
        raise ValueError(
            f"{lacking} of {len(target)} records have fewer than 2 shadow models trained without "
            "them"
        )
    z, _, dof = _standardise(signals, included, False, count, target, variance, unit)
    size = np.abs(z)
    tail = special.log_ndtr(-size) if dof is None else _log_upper_tail(size, dof)
    # The laws are symmetric: the other side's tail has probability 1 - exp(tail), at least 1/2.
    return np.asarray(np.copysign(np.log1p(-np.exp(tail)) - tail, z))


def _prepare(
    signals: NDArray[Any], included: NDArray[np.bool_], target: NDArray[Any], variance: str
) -> float:
    """Check the arguments, and give a power of two that brings signals to about unit size."""
    if variance not in get_args(Variance):
        raise ValueError(f"variance must be one of {get_args(Variance)}, not {variance!r}")
    exponent = math.frexp(check_signals(signals, included, target))[1]
    # Exact, and scores are invariant under scaling: so squares of huge signals cannot overflow.
    return 2.0 ** -max(-1000, min(1000, exponent))


def _standardise(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    member: bool,
    count: NDArray[Any],
    target: NDArray[Any],
    variance: str,
    unit: float,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Give the target's standardised signals, their scales and the degrees of freedom.

    The laws are those of shadow models with the record (`member`) or without, `count` to each
    record. No degrees of freedom stand for normal laws.
    """
    location, squares = _moments(signals, included, member, count, unit)
    z = np.subtract(np.multiply(target, unit, dtype=float), location, out=location)
    dof = None
    if variance == "per-example":
        squares /= count
        spread = floor_variances(squares, _PER_EXAMPLE_SHARE)
    elif variance == "global":
        pooled = float(squares.sum()) / float((count - 1).sum())
        spread = np.full(len(z), max(pooled, SMALLEST_VARIANCE))
    else:
        squares /= count - 1
        spread, prior_dof = moderate_variances(squares, count - 1)
        spread *= 1 + 1 / count
        dof = None if math.isinf(prior_dof) else prior_dof + count - 1
    scale = np.sqrt(spread, out=spread)
    z /= scale
    return z, scale, dof


def _moments(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    member: bool,
    count: NDArray[Any],
    unit: float,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give mean and sum of squared deviations per record, over models with it or without."""
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


def _log_upper_tail(t: NDArray[Any], dof: NDArray[Any]) -> NDArray[np.float64]:
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
