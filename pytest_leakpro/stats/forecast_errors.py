"""What of a forecast's error is its trend, its season, and the rest.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["error_blocks", "error_parts", "log_losses", "n_blocks", "n_losses", "series_spread"]

# Far below what rounding leaves: a forecast without any error has the logarithm of this.
_LEAST_SHARE = 1e-24


def error_blocks(errors: NDArray[Any], most: int) -> NDArray[np.float64]:
    """Average errors over neighbouring horizons, where there are more than wanted.

    Parameters
    ----------
    errors : ndarray of shape (n, d)
        In the order of the horizons.
    most : int
        At most how many numbers to keep per record, at least 1.

    Returns
    -------
    ndarray of shape (n, min(d, most))
    """
    d = errors.shape[1]
    bounds = np.arange(n_blocks(d, most) + 1) * d // n_blocks(d, most)
    sums = np.add.reduceat(errors, bounds[:-1], axis=1)
    return np.asarray(sums / np.diff(bounds))


def n_blocks(d: int, most: int) -> int:
    """Say how many numbers `error_blocks` keeps of d horizons."""
    return min(d, most)


def series_spread(truth: NDArray[Any]) -> NDArray[np.float64]:
    """Give the mean absolute step from one horizon to the next, the scale of MASE.

    Parameters
    ----------
    truth : ndarray of shape (n, d)
        d >= 2.

    Returns
    -------
    ndarray of shape (n,)
        Positive; 1 for a series that does not move.

    References
    ----------
    Hyndman and Koehler (2006), Another look at measures of forecast accuracy, International
    Journal of Forecasting 22, section 3.
    """
    steps = np.abs(np.diff(truth, axis=1)).mean(axis=1)
    return np.where(steps > 0, steps, 1.0)


def error_parts(errors: NDArray[Any], season: int | None) -> NDArray[np.float64]:
    """Split the mean squared error of each record into trend, season and rest.

    The trend is the line fitted to the errors over the horizons: the error of the fitted trend of
    the forecast. The season is the mean, for each phase, of what the line leaves, and the rest
    what is left then. By Pythagoras trend and the remainder add up to the mean squared error, and
    season and rest to that remainder.

    Parameters
    ----------
    errors : ndarray of shape (n, d)
        d >= 2.
    season : int or None
        The number of horizons after which the season repeats, from 2 to d / 2; None for none.

    Returns
    -------
    ndarray of shape (2 or 3, n)
        Means over the horizons, in squared units: trend, (season,) rest.
    """
    d = errors.shape[1]
    line = np.stack([np.ones(d), np.arange(d) - (d - 1) / 2], axis=1)
    line /= np.linalg.norm(line, axis=0)
    fitted = (errors @ line) @ line.T
    rest = errors - fitted
    parts = [np.mean(fitted**2, axis=1)]
    if season is not None:
        phases = np.arange(d) % season
        means = np.stack([rest[:, phases == phase].mean(axis=1) for phase in range(season)])
        repeated = means[phases].T
        parts.append(np.mean(repeated**2, axis=1))
        rest = rest - repeated
    parts.append(np.mean(rest**2, axis=1))
    return np.stack(parts)


def log_losses(
    truth: NDArray[Any], forecast: NDArray[Any], season: int | None
) -> NDArray[np.float64]:
    """Give logarithms of several losses of a forecast.

    Parameters
    ----------
    truth, forecast : ndarray of shape (n, d)
        d >= 2.
    season : int or None
        As for `error_parts`.

    Returns
    -------
    ndarray of shape (`n_losses`, n)
        Finite; of the mean squared error, of the mean absolute scaled error, and of the parts of
        the squared error. Two horizons lie on a line: the rest is a constant there.
    """
    errors, spread = forecast - truth, series_spread(truth)
    parts = error_parts(errors, season)
    if truth.shape[1] == 2:
        parts[-1] = 0.0  # but for rounding
    squared = np.vstack([np.mean(errors**2, axis=1), parts])
    scaled = np.abs(errors).mean(axis=1) / spread
    logs = np.log(np.maximum(squared, _LEAST_SHARE * spread**2))
    return np.vstack([logs[:1], np.log(np.maximum(scaled, _LEAST_SHARE))[None], logs[1:]])


def n_losses(season: int | None) -> int:
    """Say how many numbers `log_losses` gives."""
    return 4 if season is None else 5
