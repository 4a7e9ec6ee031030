"""The likelihood ratio of several signals at once, whose correlations records have in common.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from scipy import special

from pytest_leakpro.stats.likelihood_ratio import check_signals, require_two
from pytest_leakpro.stats.signal_laws import (
    Variance,
    record_blocks,
    record_moments,
    standardise,
    unit_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["multivariate_ratio"]

# Below it a direction in which signals vary is rounding: two of them are copies of each other.
_LEAST_SHARE = 1e-8


def multivariate_ratio(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    target: NDArray[Any],
    variance: Variance = "moderated",
) -> NDArray[np.float64]:
    """Score records by the joint likelihood of several signals with the record and without.

    A record's few shadow models cannot tell its own covariance of many signals. So each record has
    its own means and (moderated) variances, one signal at a time as in `lira_online`, and all
    records share one matrix of correlations of "in" signals, and one of "out" signals.

    Parameters
    ----------
    signals : ndarray of shape (K, q, n)
        Finite: q signals of each shadow model on each record, each in any unit.
    included : ndarray of bool, shape (K, n)
        Whether the shadow model was trained on the record.
    target : ndarray of shape (q, n)
        The audited model's signals.
    variance : {"moderated", "per-example", "global"}
        As for `lira_online`. With moderated variances the law is the multivariate Student-t, which
        has one number of degrees of freedom: the harmonic mean over the signals.

    Returns
    -------
    ndarray of shape (n,)
        log p(signals | in) - log p(signals | out), finite; of one signal what `lira_online` gives.
        A correlation matrix from N residuals with v degrees of freedom is shrunk towards that of
        independent signals by q / (q + v), so that it is never singular.

    Raises
    ------
    ValueError
        If a record has fewer than two shadow models on either side, arrays do not fit, or a
        signal is not finite.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, section VI.C (a multivariate normal law over augmented queries);
    Kotz and Nadarajah (2004), Multivariate t distributions and their applications, section 1.1.
    """
    if variance not in get_args(Variance):
        raise ValueError(f"variance must be one of {get_args(Variance)}, not {variance!r}")
    if signals.ndim != 3 or signals.size == 0:
        raise ValueError(f"signals must be of shape (models, q, records), not {signals.shape}")
    if target.shape != signals.shape[1:]:
        raise ValueError(f"target has shape {target.shape}, signals {signals.shape}")
    units = [
        unit_of(check_signals(signals[:, row], included, target[row])) for row in range(len(target))
    ]
    count = np.count_nonzero(included, axis=0)
    others = len(signals) - count
    require_two(count, others)
    score = _log_density(signals, included, target, units, (True, count), variance)
    score -= _log_density(signals, included, target, units, (False, others), variance)
    return score


def _log_density(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    target: NDArray[Any],
    units: list[float],
    side: tuple[bool, NDArray[Any]],
    variance: Variance,
) -> NDArray[np.float64]:
    """Give the log density of the target's signals under the law of one side's shadow models."""
    member, count = side
    q, n = target.shape
    z, means, scales = np.empty((q, n)), np.empty((q, n)), np.empty((q, n))
    tails = np.zeros(n)  # the mean over signals of one over the degrees of freedom
    for row, unit in enumerate(units):
        moments = record_moments(signals[:, row], included, member, count, unit)
        means[row] = moments[0]
        z[row], scales[row], dof = standardise(target[row], moments, count, variance, unit)
        if dof is not None:
            tails += 1 / (q * dof)
    inside = included if member else ~included
    correlation = _pooled_correlation(signals, inside, means, scales, units, int((count - 1).sum()))
    distance = _squared_distance(z, correlation)
    density = _log_t(distance, tails, q)
    density -= np.log(scales).sum(axis=0) + np.linalg.slogdet(correlation)[1] / 2
    return density


def _pooled_correlation(
    signals: NDArray[Any],
    inside: NDArray[np.bool_],
    means: NDArray[Any],
    scales: NDArray[Any],
    units: list[float],
    dof: int,
) -> NDArray[np.float64]:
    """Pool standardised residuals over models and records, shape (q, q)."""
    n_models, q, n = signals.shape
    if q == 1:
        return np.ones((1, 1))
    products = np.zeros((q, q))
    unit = np.array(units)[:, None]
    for block in record_blocks((n_models * q, n)):
        residuals = signals[:, :, block] * unit - means[:, block]
        residuals /= scales[:, block]
        residuals *= inside[:, None, block]
        rows = residuals.transpose(1, 0, 2).reshape(q, -1)
        products += rows @ rows.T
    sizes = np.sqrt(np.diag(products))
    # A signal that never varies is correlated with nothing.
    sizes[sizes == 0] = 1.0
    correlation = products / np.outer(sizes, sizes)
    np.fill_diagonal(correlation, 1.0)
    own = q / (q + dof)
    shrunk: NDArray[np.float64] = (1 - own) * correlation + own * np.eye(q)
    values, vectors = np.linalg.eigh(shrunk)
    floored = np.maximum(values, _LEAST_SHARE)
    return np.asarray((vectors * floored) @ vectors.T)


def _squared_distance(z: NDArray[Any], correlation: NDArray[Any]) -> NDArray[np.float64]:
    """Give z' R^-1 z per record, without overflow where it is representable."""
    values, vectors = np.linalg.eigh(correlation)
    if len(z) == 1:
        return np.asarray(z[0] ** 2)
    turned = vectors.T @ z
    turned /= np.sqrt(np.maximum(values, _LEAST_SHARE))[:, None]
    return np.asarray(np.einsum("qn,qn->n", turned, turned))


def _log_t(distance: NDArray[Any], tails: NDArray[Any], q: int) -> NDArray[np.float64]:
    """Give the log density at a squared distance, of the normal law where there is no tail."""
    density = -0.5 * distance - q / 2 * np.log(2 * np.pi)
    heavy = tails > 0
    dof, squared = 1 / tails[heavy], distance[heavy]
    # log of Gamma((v + q) / 2) / Gamma(v / 2), which cancel for many degrees of freedom.
    constant = special.gammaln(q / 2) - special.betaln(dof / 2, q / 2)
    constant -= q / 2 * np.log(np.pi * dof)
    density[heavy] = constant - (dof + q) / 2 * np.log1p(squared / dof)
    return np.asarray(density)
