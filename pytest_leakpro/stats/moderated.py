"""Moderated variances: many noisy ones, each shrunk towards what all have in common.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "SMALLEST_VARIANCE",
    "floor_variances",
    "inverse_trigamma",
    "moderate_variances",
    "shrink_variances",
]

# Its inverse times the square of any difference below 1e13 is still a finite number.
SMALLEST_VARIANCE = 1e-280
# The logarithm of a zero is no outlier to learn from; so far below the median it still is extreme.
_FLOOR_SHARE = 1e-5
_LEAST_PRIOR_DOF = 8.0


def inverse_trigamma(value: float) -> float:
    """Find where the trigamma function takes a value.

    Parameters
    ----------
    value : float
        Positive and finite.

    Returns
    -------
    float
        The y > 0 with trigamma(y) = value, to about 1e-10 in relative terms.

    Raises
    ------
    ValueError
        If `value` is not positive and finite.

    References
    ----------
    Smyth (2004), Linear models and empirical Bayes methods for assessing differential expression
    in microarray experiments, SAGMB 3(1), appendix: Newton's method on 1 / trigamma, which is
    convex, so that iterates fall to the root from above.
    """
    if not 0 < value < math.inf:
        raise ValueError(f"trigamma takes positive, finite values, not {value!r}")
    if value > 1e7:  # trigamma(y) = 1/y^2 + pi^2/6 + O(y); its derivative would overflow
        return 1 / math.sqrt(value - math.pi**2 / 6)
    if value < 1e-6:  # trigamma(y) = 1/y + 1/(2 y^2) + O(y^-3)
        return min(1 / value + 0.5 if value > 1e-300 else 1e300, 1e300)
    # trigamma(y) < 1/y + 1/y^2, so the root of that is an upper bound to start from.
    y = (1 + math.sqrt(1 + 4 * value)) / (2 * value)
    for _ in range(50):
        trigamma = float(special.polygamma(1, y))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, y))
        y += step
        if abs(step) <= 1e-12 * y:
            break
    return y


def floor_variances(variances: NDArray[Any], share: float) -> NDArray[Any]:
    """Raise variances to at least a small share of the median positive one.

    Observations that agree exactly have no density; the floor gives them a very sharp one, whose
    width scales with the data.

    Parameters
    ----------
    variances : ndarray of shape (n,)
        Finite, at least 0.
    share : float
        Share of the median, in (0, 1].

    Returns
    -------
    ndarray of shape (n,)
        At least `SMALLEST_VARIANCE`, which all are where none is positive.
    """
    positive = variances[variances > 0]
    floor = share * float(np.median(positive)) if positive.size else 0.0
    return np.asarray(np.maximum(variances, max(floor, SMALLEST_VARIANCE)))


def shrink_variances(
    variances: ArrayLike, dof: ArrayLike
) -> tuple[NDArray[np.float64], float, float]:
    """Shrink many sample variances towards a common value, as far as they seem to share one.

    True variances are taken to follow a scaled inverse chi-square law, with `prior_dof` degrees of
    freedom about `prior_variance`; both are estimated from the moments of the log variances.

    Parameters
    ----------
    variances : array_like of shape (n,)
        Unbiased sample variances, finite and at least 0, in squared units of the data; n >= 1.
        Those below 1e-5 of the median positive variance count as that: zeros have no logarithm.
    dof : array_like of shape (n,) or scalar
        Degrees of freedom of each, at least 1.

    Returns
    -------
    posterior_variances : ndarray of shape (n,)
        (d0 s0^2 + d s^2) / (d0 + d), positive and finite.
    prior_dof : float
        d0 > 0; infinite where the variances differ no more than their sampling explains, and
        below three variances, from which nobody can tell.
    prior_variance : float
        s0^2, positive and finite. Where `prior_dof` is infinite it is the pooled variance, the
        maximum-likelihood estimate of a variance that all share.

    Raises
    ------
    ValueError
        If there is no variance, one is negative or not finite, or degrees of freedom are below 1.

    References
    ----------
    Smyth (2004), Linear models and empirical Bayes methods for assessing differential expression
    in microarray experiments, SAGMB 3(1), sections 3 and 6.2.
    """
    raw = np.asarray(variances, float)
    if raw.ndim != 1 or raw.size == 0:
        raise ValueError(f"variances must be a non-empty vector, not of shape {raw.shape}")
    d = np.asarray(dof, float)
    if d.shape not in {(), raw.shape}:
        raise ValueError(f"{raw.size} variances, but degrees of freedom of shape {d.shape}")
    if not (np.isfinite(raw).all() and raw.min() >= 0):
        raise ValueError("variances must be finite and at least 0")
    if not (np.isfinite(d).all() and d.min() >= 1):
        raise ValueError("degrees of freedom must be finite and at least 1")
    floored = floor_variances(raw, _FLOOR_SHARE)

    excess = 0.0
    if raw.size >= 3:
        e = np.log(floored) - special.digamma(d / 2) + np.log(d / 2)
        centre = float(e.mean())
        excess = float(np.var(e, ddof=1) - np.mean(special.polygamma(1, d / 2)))
    if excess <= 0:
        pooled = _pooled(floored, d)
        return np.full(raw.size, pooled), math.inf, pooled

    half = inverse_trigamma(excess)
    log_prior = centre + float(special.digamma(half)) - math.log(half)
    prior = math.exp(min(max(log_prior, math.log(SMALLEST_VARIANCE)), 709.0))
    # Weights instead of sums: d0 s0^2 may overflow where the variance that results does not.
    weight = 2 * half / (2 * half + d)
    return weight * prior + (1 - weight) * floored, 2 * half, prior


def moderate_variances(variances: ArrayLike, dof: ArrayLike) -> tuple[NDArray[np.float64], float]:
    """Shrink variances towards their pooled value, at least with the weight of eight observations.

    As `shrink_variances`, with two changes for variances whose law has heavy tails, as those of
    model outputs have: records on which all models are sure have next to none. There the prior
    variance of log moments lies far below what records vary by on average, and few prior degrees of
    freedom leave records whose few models agree by chance with a variance near zero. These records
    would then fill the top of a ranking by likelihood ratios.

    Parameters
    ----------
    variances, dof
        As for `shrink_variances`.

    Returns
    -------
    posterior_variances : ndarray of shape (n,)
        (d0 s0^2 + d s^2) / (d0 + d) with the pooled variance s0^2; positive and finite.
    prior_dof : float
        d0: that of `shrink_variances`, at least 8.

    Raises
    ------
    ValueError
        As `shrink_variances`.
    """
    _, prior_dof, _ = shrink_variances(variances, dof)
    raw, d = np.asarray(variances, float), np.asarray(dof, float)
    floored = floor_variances(raw, _FLOOR_SHARE)
    pooled = max(_pooled(floored, d), SMALLEST_VARIANCE)
    if math.isinf(prior_dof):
        return np.full(raw.size, pooled), prior_dof
    prior_dof = max(prior_dof, _LEAST_PRIOR_DOF)
    weight = prior_dof / (prior_dof + d)
    return np.asarray(weight * pooled + (1 - weight) * floored), prior_dof


def _pooled(variances: NDArray[Any], dof: NDArray[Any]) -> float:
    weights = np.broadcast_to(dof / dof.max(), variances.shape)
    mean = float(np.sum(variances * (weights / weights.sum())))
    return min(mean, float(variances.max()))  # rounding must not lift it above all
