"""Records from the gradient of a fully connected layer: row i of the weight's over the bias's.

Row i of the weight's gradient is the sum over records of d_i x, and the bias's entry the sum of
d_i. Where one record alone drives a neuron, their ratio is that record, exactly.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["records_from_rows", "single_record"]

_SMALLEST = 1e-7
_ALIKE = 1e-3
_MOST_ROWS = 4096


def single_record(weight: NDArray[Any], bias: NDArray[Any]) -> NDArray[np.float64] | None:
    """Give the one record that all rows are multiples of.

    Parameters
    ----------
    weight : ndarray of shape (m, d)
    bias : ndarray of shape (m,)

    Returns
    -------
    ndarray of shape (d,) or None
        By least squares over all rows; None where no row was driven.
    """
    weight, bias = weight.astype(np.float64), bias.astype(np.float64)
    size = float(bias @ bias)
    if size == 0:
        return None
    record: NDArray[np.float64] = bias @ weight / size
    return record


def records_from_rows(
    weight: NDArray[Any],
    bias: NDArray[Any],
    n: int,
    bounds: tuple[NDArray[Any], NDArray[Any]] | None,
) -> NDArray[np.float64]:
    """Give the records that drive a row alone, as far as they can be told from mixtures.

    Parameters
    ----------
    weight : ndarray of shape (m, d)
        Gradient of the weight.
    bias : ndarray of shape (m,)
        Gradient of the bias.
    n : int
        How many records there are.
    bounds : pair of ndarray or None
        What inputs cannot leave; mixtures mostly do.

    Returns
    -------
    ndarray of shape (k, d), k at most n
        First ratios that several rows share, which are records as good as surely, the most shared
        first; then others within the bounds, those far from the ones before first.
    """
    weight, bias = weight.astype(np.float64), bias.astype(np.float64)
    driven = np.abs(bias) > _SMALLEST * np.abs(bias).max(initial=0)
    order = np.flatnonzero(driven)[np.argsort(-np.abs(bias[driven]), kind="stable")][:_MOST_ROWS]
    if not len(order):
        return np.empty((0, weight.shape[1]))
    ratios = weight[order] / bias[order, None]
    alike = _alike(ratios)
    found: list[int] = []
    free = np.ones(len(ratios), dtype=bool)
    while len(found) < n:
        shared = (alike & free).sum(1) * free
        best = int(np.argmax(shared))
        if shared[best] < 2:
            break
        found.append(best)
        free &= ~alike[best]
    free &= _within(ratios, bounds)
    distances = np.full(len(ratios), np.inf)
    for place in found:
        distances = np.minimum(distances, np.square(ratios - ratios[place]).sum(1))
    while len(found) < n and free.any():
        best = int(np.argmax(np.where(free, distances, -1.0)))
        found.append(best)
        free &= ~alike[best]
        distances = np.minimum(distances, np.square(ratios - ratios[best]).sum(1))
    records: NDArray[np.float64] = ratios[found]
    return records


def _alike(ratios: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which rows are equal but for rounding; every row is like itself."""
    squares = np.square(ratios).sum(1)
    distances: NDArray[np.float64] = squares[:, None] + squares[None, :] - 2 * ratios @ ratios.T
    scale = np.maximum(squares[:, None], squares[None, :])
    alike: NDArray[np.bool_] = distances <= _ALIKE**2 * scale
    np.fill_diagonal(alike, val=True)
    return alike


def _within(
    ratios: NDArray[np.float64], bounds: tuple[NDArray[Any], NDArray[Any]] | None
) -> NDArray[np.bool_]:
    if bounds is None:
        return np.ones(len(ratios), dtype=bool)
    low, high = bounds
    slack = _ALIKE * (high - low)
    inside: NDArray[np.bool_] = ((ratios >= low - slack) & (ratios <= high + slack)).all(1)
    return inside
