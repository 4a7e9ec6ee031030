"""The likelihood-ratio attack on arrays of signals: online and offline.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy import special

from pytest_leakpro.stats.signal_laws import (
    Variance,
    log_likelihood,
    log_upper_tail,
    moderate_gaps,
    record_moments,
    standardise,
    unit_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Variance", "check_signals", "lira_offline", "lira_online", "require_two"]


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
    gaps: Literal["own", "moderated"] = "own",
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
    gaps : {"own", "moderated"}
        Whether each record's two means are its own, or their gap is shrunk by `moderate_gaps`.

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
    require_two(count, others)
    inside = record_moments(signals, included, True, count, unit)
    outside = record_moments(signals, included, False, others, unit)
    if gaps == "moderated":
        moderate_gaps(inside, outside, (count, others))
    score = log_likelihood(target, inside, count, variance, unit)
    score -= log_likelihood(target, outside, others, variance, unit)
    return score


def require_two(count: NDArray[Any], others: NDArray[Any]) -> None:
    """Check that each record has two shadow models that saw it, and two that did not.

    Raises
    ------
    ValueError
    """
    lacking = int(np.count_nonzero(np.minimum(count, others) < 2))
    if lacking:
        raise ValueError(
            f"{lacking} of {len(count)} records have fewer than 2 shadow models trained with "
            "them or fewer than 2 trained without"
        )


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
    moments = record_moments(signals, included, False, count, unit)
    z, _, dof = standardise(target, moments, count, variance, unit)
    size = np.abs(z)
    tail = special.log_ndtr(-size) if dof is None else log_upper_tail(size, dof)
    # The laws are symmetric: the other side's tail has probability 1 - exp(tail), at least 1/2.
    return np.asarray(np.copysign(np.log1p(-np.exp(tail)) - tail, z))


def _prepare(
    signals: NDArray[Any], included: NDArray[np.bool_], target: NDArray[Any], variance: str
) -> float:
    """Check the arguments, and give the signals' unit."""
    if variance not in get_args(Variance):
        raise ValueError(f"variance must be one of {get_args(Variance)}, not {variance!r}")
    return unit_of(check_signals(signals, included, target))
