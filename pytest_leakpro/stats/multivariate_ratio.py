"""The likelihood ratio of several signals at once, whose correlations records have in common.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

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

__all__ = ["Means", "multivariate_ratio"]

Means = Literal["moderated", "own"]

# Below it a direction in which signals vary is rounding: two of them are copies of each other.
_LEAST_SHARE = 1e-8
_CELLS = 1 << 18  # of the matrices of a block of records


def multivariate_ratio(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    target: NDArray[Any],
    variance: Variance = "moderated",
    means: Means = "moderated",
) -> NDArray[np.float64]:
    """Score records by the joint likelihood of several signals with the record and without.

    A record's few shadow models cannot tell its own covariance of many signals. So each record has
    its own (moderated) variances, one signal at a time as in `lira_online`, and all records share
    one matrix of correlations of "in" signals, and one of "out" signals.

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
    means : {"moderated", "own"}
        Each record's own means; or, with moderated variances, these shrunk towards what the "in"
        and "out" means of all records have in common (empirical Bayes): the errors of 2 q means
        from few models add up, and what the "out" means say of the "in" means is known well.

    Returns
    -------
    ndarray of shape (n,)
        log p(signals | in) - log p(signals | out), finite; of one signal with its own means what
        `lira_online` gives. A correlation matrix from residuals with v degrees of freedom is shrunk
        towards that of independent signals by q / (q + v), so that it is never singular.

    Raises
    ------
    ValueError
        If a record has fewer than two shadow models on either side, arrays do not fit, or a
        signal is not finite.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, section VI.C (a multivariate normal law over augmented queries);
    Kotz and Nadarajah (2004), Multivariate t distributions and their applications, section 1.1;
    Efron and Morris (1972), Empirical Bayes on vector observations, Biometrika 59.
    """
    if variance not in get_args(Variance):
        raise ValueError(f"variance must be one of {get_args(Variance)}, not {variance!r}")
    if means not in get_args(Means):
        raise ValueError(f"means must be one of {get_args(Means)}, not {means!r}")
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
    inside = _law(signals, included, target, units, (True, count), variance)
    outside = _law(signals, included, target, units, (False, others), variance)
    if means == "moderated" and variance == "moderated":
        return _ratio_about_shrunk_means(inside, outside, target * np.array(units)[:, None])
    return inside.log_density() - outside.log_density()


@dataclass(frozen=True, repr=False, eq=False)
class _Law:
    """The law of one side's signals: of models that saw the records, or that did not.

    Attributes
    ----------
    z : ndarray of shape (q, n)
        The target's signals about the means, in units of the scales.
    means, scales : ndarray of shape (q, n)
        Of each record and signal; moderated scales also cover that a mean is estimated.
    correlation : ndarray of shape (q, q)
        Shared by all records.
    tails : ndarray of shape (n,)
        One over the degrees of freedom; 0 of a normal law.
    count : ndarray of shape (n,)
        How many models there are.
    """

    z: NDArray[np.float64]
    means: NDArray[np.float64]
    scales: NDArray[np.float64]
    correlation: NDArray[np.float64]
    tails: NDArray[np.float64]
    count: NDArray[Any]

    def log_density(self) -> NDArray[np.float64]:
        """Give the log density of the target's signals, shape (n,)."""
        values, vectors = np.linalg.eigh(self.correlation)
        turned = vectors.T @ self.z
        turned /= np.sqrt(values)[:, None]
        distance = np.einsum("qn,qn->n", turned, turned)
        density = _log_t(distance, self.tails, len(self.z))
        density -= np.log(self.scales).sum(axis=0) + np.log(values).sum() / 2
        return density

    def covariance(self, block: slice) -> NDArray[np.float64]:
        """Give the covariances of signals about known means, shape (records, q, q)."""
        scales = self.scales[:, block] / np.sqrt(1 + 1 / self.count[block])
        return np.asarray(scales.T[:, :, None] * scales.T[:, None, :] * self.correlation)


def _law(
    signals: NDArray[Any],
    included: NDArray[np.bool_],
    target: NDArray[Any],
    units: list[float],
    side: tuple[bool, NDArray[Any]],
    variance: Variance,
) -> _Law:
    """Estimate the law of one side."""
    member, count = side
    q, n = target.shape
    z, means, scales = np.empty((q, n)), np.empty((q, n)), np.empty((q, n))
    tails = np.zeros(n)
    for row, unit in enumerate(units):
        moments = record_moments(signals[:, row], included, member, count, unit)
        means[row] = moments[0]
        z[row], scales[row], dof = standardise(target[row], moments, count, variance, unit)
        if dof is not None:
            tails += 1 / (q * dof)
    inside = included if member else ~included
    correlation = _pooled_correlation(signals, inside, means, scales, units, int((count - 1).sum()))
    return _Law(z, means, scales, correlation, tails, count)


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
    values, vectors = np.linalg.eigh((1 - own) * correlation + own * np.eye(q))
    return np.asarray((vectors * np.maximum(values, _LEAST_SHARE)) @ vectors.T)


def _ratio_about_shrunk_means(
    inside: _Law, outside: _Law, target: NDArray[Any]
) -> NDArray[np.float64]:
    """Give the log ratio where the means of all records follow a common normal law."""
    q, n = target.shape
    # One unit for all signals, so that matrices of them can be added up and inverted.
    size = np.sqrt(np.mean(outside.means**2, axis=1) + np.mean(outside.scales**2, axis=1))
    means = np.concatenate([inside.means / size[:, None], outside.means / size[:, None]]).T
    centre = means.mean(axis=0)
    laws, parts = (inside, outside), (slice(0, q), slice(q, 2 * q))
    area = size[:, None] * size
    blocks = list(record_blocks((max(1, 4 * q * q * (1 << 17) // _CELLS), n)))

    def noise(block: slice) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        """Give the covariances of the means' errors, and those of the signals."""
        covariances = [law.covariance(block) / area for law in laws]
        errors = np.zeros((len(covariances[0]), 2 * q, 2 * q))
        for law, part, covariance in zip(laws, parts, covariances, strict=True):
            errors[:, part, part] = covariance / law.count[block, None, None]
        return errors, covariances

    prior = np.cov(means.T, bias=True)
    seen = np.sqrt(np.diag(prior))
    for block in blocks:
        prior = prior - noise(block)[0].sum(axis=0) / n
    # In units of what was seen, so that signals that hardly vary are not lost to rounding.
    scale = np.where(seen > 0, seen, 1.0)
    values, vectors = np.linalg.eigh(prior / (scale[:, None] * scale))
    prior = (vectors * np.maximum(values, 0.0)) @ vectors.T + _LEAST_SHARE * np.eye(2 * q)
    prior *= seen[:, None] * seen
    score = np.empty(n)
    for block in blocks:
        errors, covariances = noise(block)
        # Errors of the means over errors and prior together: how little each mean is believed.
        whole, roots = _equilibrated(prior + errors)
        doubt = np.linalg.solve(whole, errors / roots[:, :, None]) / roots[:, :, None]
        believed = means[block] - np.einsum("nba,nb->na", doubt, means[block] - centre)
        left = errors - errors @ doubt
        ratio = np.zeros(len(errors))
        for sign, law, part, covariance in zip((1, -1), laws, parts, covariances, strict=True):
            spread, roots = _equilibrated(covariance + left[:, part, part])
            apart = ((target[:, block] / size[:, None]).T - believed[:, part]) / roots
            solved = np.linalg.solve(spread, apart[:, :, None])[:, :, 0]
            distance = np.maximum(np.einsum("na,na->n", apart, solved), 0.0)
            density = _log_t(distance, law.tails[block], q)
            density -= np.linalg.slogdet(spread)[1] / 2 + np.log(roots).sum(axis=1)
            ratio += sign * density
        score[block] = ratio
    return score


def _equilibrated(matrices: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give covariance matrices with ones on the diagonal, and the scales that were divided out."""
    symmetric = (matrices + matrices.transpose(0, 2, 1)) / 2
    roots = np.sqrt(np.diagonal(symmetric, axis1=1, axis2=2))
    return symmetric / (roots[:, :, None] * roots[:, None, :]), roots


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
