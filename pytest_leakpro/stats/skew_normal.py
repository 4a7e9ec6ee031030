"""The skew-normal law: fitted to numbers, with tails that do not underflow.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize, special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SkewNormal"]

_LARGEST_SHAPE = 50.0  # beyond it the law is half a normal one, to the last digit that matters
_LARGEST_SKEWNESS = 0.99  # a skew-normal law has no more than 0.9953
_TAIL = 1e-5  # below it a difference of two areas is exact no more
_NODES, _WEIGHTS = np.polynomial.laguerre.laggauss(64)
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class SkewNormal:
    """A skew-normal law, with density 2/s phi(t) Phi(a t) at t = (x - location)/s.

    Attributes
    ----------
    location, scale, shape : float
        The scale s is above 0; with shape a = 0 it is the normal law.

    References
    ----------
    Azzalini (1985), A class of distributions which includes the normal ones, Scandinavian Journal
    of Statistics 12.
    """

    location: float
    scale: float
    shape: float

    @classmethod
    def fit(cls, values: ArrayLike) -> SkewNormal | None:
        """Fit the law by maximum likelihood, beginning where its moments are those of the values.

        Parameters
        ----------
        values : array_like of shape (n,)
            Finite.

        Returns
        -------
        SkewNormal or None
            None where all values are equal, or fewer than three.
        """
        given = np.asarray(values, float)
        if len(given) < 3 or np.ptp(given) == 0:
            return None
        centre, spread = float(given.mean()), float(given.std())
        unit = (given - centre) / spread
        start = _by_moments(unit)
        found = optimize.minimize(
            _loss,
            np.array([start.location, math.log(start.scale), start.shape]),
            args=(unit,),
            jac=True,
            method="L-BFGS-B",
            bounds=[(None, None), (-20.0, 5.0), (-_LARGEST_SHAPE, _LARGEST_SHAPE)],
            options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-9},
        )
        location, log_scale, shape = (float(entry) for entry in found.x)
        return cls(centre + spread * location, spread * math.exp(log_scale), shape)

    def log_cdf(self, values: ArrayLike) -> NDArray[Any]:
        """Give the log of the chance of at most a value.

        Parameters
        ----------
        values : array_like of shape (n,)
            Finite.

        Returns
        -------
        ndarray of shape (n,)
            Natural logs, exact to about seven digits, however far in the tail.
        """
        t = (np.atleast_1d(np.asarray(values, float)) - self.location) / self.scale
        area = special.ndtr(t) - 2 * special.owens_t(t, self.shape)
        logs: NDArray[Any] = np.log(np.clip(area, _TAIL, 1.0))
        far = (area < _TAIL) & (self._log_slope(t) > 0)
        logs[far] = self._log_tail(t[far])
        return logs

    def agreement(self, values: ArrayLike) -> float:
        """Give the p-value of the Kolmogorov-Smirnov test of this law.

        Parameters
        ----------
        values : array_like of shape (n,)
            Finite.

        Returns
        -------
        float
            In [0, 1]; larger than it should be where the law was fitted to the same values.
        """
        from scipy.stats import kstest

        return float(kstest(np.asarray(values, float), lambda x: np.exp(self.log_cdf(x))).pvalue)

    def _log_tail(self, t: NDArray[Any]) -> NDArray[Any]:
        """Integrate the density to the left of a point where it rises.

        Its log is concave, so that it falls to the left at least as fast as an exponential with
        the slope at the point: what is left to integrate is smooth and at most 1.
        """
        slope = self._log_slope(t)
        at = _log_density(t, self.shape)
        left = t[:, None] - _NODES / slope[:, None]
        rest = np.exp(_log_density(left, self.shape) - at[:, None] + _NODES)
        logs: NDArray[Any] = at - np.log(slope) + np.log(rest @ _WEIGHTS)
        return logs

    def _log_slope(self, t: NDArray[Any]) -> NDArray[Any]:
        slope: NDArray[Any] = self.shape * _mills(self.shape * t) - t
        return slope


def _log_density(t: NDArray[Any], shape: float) -> NDArray[Any]:
    """Of location 0 and scale 1."""
    logs: NDArray[Any] = math.log(2) - t * t / 2 - _HALF_LOG_2PI + special.log_ndtr(shape * t)
    return logs


def _mills(t: NDArray[Any]) -> NDArray[Any]:
    """Give phi(t)/Phi(t)."""
    ratio: NDArray[Any] = np.exp(-t * t / 2 - _HALF_LOG_2PI - special.log_ndtr(t))
    return ratio


def _by_moments(unit: NDArray[Any]) -> SkewNormal:
    """Match mean, variance and skewness, for values of mean 0 and variance 1."""
    skewness = float(np.mean(unit**3))
    size = min(abs(skewness), _LARGEST_SKEWNESS) ** (2 / 3)
    squared = math.pi / 2 * size / (size + ((4 - math.pi) / 2) ** (2 / 3))
    delta = math.copysign(math.sqrt(squared), skewness)
    scale = 1 / math.sqrt(1 - 2 * squared / math.pi)
    shape = delta / math.sqrt(max(1 - squared, 1e-9))
    bounded = min(max(shape, -_LARGEST_SHAPE), _LARGEST_SHAPE)
    return SkewNormal(-scale * delta * math.sqrt(2 / math.pi), scale, bounded)


def _loss(parameters: NDArray[Any], unit: NDArray[Any]) -> tuple[float, NDArray[Any]]:
    """Give the mean negative log-likelihood and its gradient."""
    location, log_scale, shape = parameters
    scale = math.exp(log_scale)
    t = (unit - location) / scale
    mills = _mills(shape * t)
    value = log_scale - float(_log_density(t, shape).mean())
    by_t = t - shape * mills  # of each negative log density
    gradient = np.array(
        [-float(by_t.mean()) / scale, 1 - float((by_t * t).mean()), -float((t * mills).mean())]
    )
    return value, gradient
