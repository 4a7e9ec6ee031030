"""A lower bound on the mu of a Gaussian mechanism from independent canaries.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_leakpro.stats.privacy_curves import gaussian_epsilon, gaussian_mu

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Halves",
    "gaussian_estimate",
    "gaussian_lower",
    "gaussian_p_value",
    "gaussian_power",
    "split_counts",
]

Halves = tuple[int, int, int, int]
"""Members above the cut, members, non-members above it, non-members: of the half not cut on."""

_STEPS = 40
_REFINED = 4
_GRID = 1 + 1e-3  # for what lies between the points


def split_counts(members: NDArray[Any], nonmembers: NDArray[Any], seed: int) -> Halves:
    """Choose a cut on one half, and count on the other.

    Parameters
    ----------
    members, nonmembers : ndarray of shape (m,), (n,)
        Scores, at least two of each.
    seed : int
        Draws the halves.

    Returns
    -------
    Halves
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    first, second = [], []
    for side in (members, nonmembers):
        order = rng.permutation(len(side))
        half = len(side) // 2
        first.append(np.sort(side[order[:half]]))
        second.append(side[order[half:]])
    cuts = np.unique(np.concatenate(first))
    tpr, fpr = (1 - np.searchsorted(part, cuts, side="left") / len(part) for part in first)
    # Half a count keeps shares from 0 and 1, where the estimate would be without end.
    from scipy.special import ndtri

    rates = [
        np.clip(rate, 0.5 / len(part), 1 - 0.5 / len(part))
        for rate, part in zip((tpr, fpr), first, strict=True)
    ]
    spread = sum(
        rate * (1 - rate) / len(part) / _density(rate) ** 2
        for rate, part in zip(rates, first, strict=True)
    )
    # The cut whose lower bound is the largest, as far as this half tells.
    cut = cuts[int(np.argmax(ndtri(rates[0]) - ndtri(rates[1]) - 3 * np.sqrt(spread)))]
    above = [int((part >= cut).sum()) for part in second]
    return above[0], len(second[0]), above[1], len(second[1])


def _density(rate: NDArray[Any]) -> NDArray[Any]:
    import numpy as np
    from scipy.special import ndtri

    return np.asarray(np.exp(-(ndtri(rate) ** 2) / 2) / np.sqrt(2 * np.pi))


def gaussian_lower(counts: Halves, delta: float, error: float) -> float:
    """Bound epsilon from below where the mechanism is Gaussian and canaries are independent.

    Parameters
    ----------
    counts : Halves
        From `split_counts`.
    delta, error : float
        In (0, 1).

    Returns
    -------
    float
        The largest that `gaussian_p_value` refutes, at least 0.
    """
    if _p_value(counts, 0.0) > error:
        return 0.0
    low, high = 0.0, 1.0
    while _p_value(counts, high) <= error:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _p_value(counts, middle) <= error else (low, middle)
    return gaussian_epsilon(low, delta)


def gaussian_p_value(counts: Halves, epsilon: float, delta: float) -> float:
    """Test "the epsilon is at most this" of a Gaussian mechanism.

    For every false-positive rate that there may be, the chances of so few alarms and of so many
    hits are combined by Fisher's method; the rate for which that is the largest counts.

    References
    ----------
    Nasr et al. (2023), Tight auditing of differentially private machine learning, USENIX Security,
    section 4.2: of both rates' normal quantiles the difference is at most mu. Fisher (1925),
    Statistical methods for research workers, section 21.1.
    """
    return _p_value(counts, gaussian_mu(epsilon, delta) if epsilon > 0 else 0.0)


def _p_value(counts: Halves, mu: float) -> float:
    import numpy as np
    from scipy.special import ndtr
    from scipy.stats import binom

    hits, members, alarms, nonmembers = counts

    def largest(places: NDArray[Any]) -> tuple[float, int]:
        few = binom.cdf(alarms, nonmembers, ndtr(places))
        many = binom.sf(hits - 1, members, ndtr(places + mu))
        product = few * many
        with np.errstate(divide="ignore", invalid="ignore"):
            joined = np.where(product > 0, product * (1 - np.log(product)), 0.0)
        return float(joined.max()), int(joined.argmax())

    places = np.linspace(-9.0, 9.0, 361)
    for _ in range(_REFINED):
        found, place = largest(places)
        width = places[1] - places[0]
        places = np.linspace(places[place] - width, places[place] + width, 41)
    return min(1.0, found * _GRID)


def gaussian_estimate(counts: Halves, delta: float) -> float:
    """Give the epsilon of the mechanism whose rates these are, with half a count either way."""
    from scipy.special import ndtri

    hits, members, alarms, nonmembers = counts
    tpr, fpr = (hits + 0.5) / (members + 1), (alarms + 0.5) / (nonmembers + 1)
    return gaussian_epsilon(max(0.0, float(ndtri(tpr) - ndtri(fpr))), delta)


def gaussian_power(
    members: int, nonmembers: int, epsilon: float, true: float, delta: float, error: float
) -> float:
    """Give the chance that an epsilon is refuted on a Gaussian mechanism whose own is larger.

    By the normal law of both rates' quantiles, at a cut halfway between the means; for planning.

    Parameters
    ----------
    members, nonmembers : int
        Canaries that were inserted, and that were not: half of them are counted.
    epsilon, true : float
        What is to be refuted, and the mechanism's.
    delta, error : float
        Both in (0, 1).
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import chi2

    counted = [max(1, size - size // 2) for size in (members, nonmembers)]
    mu = gaussian_mu(true, delta) if true > 0 else 0.0
    rate = float(ndtr(mu / 2))
    density = math.exp(-(mu**2) / 8) / math.sqrt(2 * math.pi)
    spread = sum(rate * (1 - rate) / size for size in counted) ** 0.5 / density
    # Fisher's combination asks of both rates alike for so small a chance.
    asked = -math.sqrt(2) * float(ndtri(math.exp(-float(chi2.isf(error, 4)) / 4)))
    beyond = mu - gaussian_mu(epsilon, delta) - asked * spread
    return float(ndtr(beyond / spread))
