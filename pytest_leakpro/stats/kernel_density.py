"""Kernel densities over rows of mixed columns, and a bandwidth by cross-validation.

The kernel is a product over columns of exp(-distance / h): of numbers on a scale from 0 to 1 the
Laplace kernel, of codes the one of Aitchison and Aitken in another parameter.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.stats.gower import MixedRows, fold_distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["BANDWIDTHS", "choose_bandwidth", "log_density"]

BANDWIDTHS = tuple(2.0**power for power in np.arange(0, -10.5, -0.5))
"""From a kernel as wide as a column to one that hardly reaches beyond copies."""

_MOST_LEFT_OUT = 2000
_FALLBACK = 0.1  # where a table of a single row says nothing


def log_density(
    queries: MixedRows, rows: MixedRows, bandwidths: Sequence[float], *, threads: int = 1
) -> NDArray[np.float64]:
    """Give the log kernel density of a table at some points.

    Parameters
    ----------
    queries : MixedRows
        m points.
    rows : MixedRows
        n rows of the same columns, at least one.
    bandwidths : sequence of float
        b of them, each positive, of distances per column.
    threads : int
        How many threads share the queries. The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (b, m)
        Finite however far a point is from all rows.

    References
    ----------
    Aitchison and Aitken (1976), Multivariate binary discrimination by the kernel method,
    Biometrika 63, equation 2.
    """
    return _log_means(queries, rows, bandwidths, None, threads) - _log_norms(
        queries, rows, bandwidths
    )


def choose_bandwidth(rows: MixedRows, rng: np.random.Generator, *, threads: int = 1) -> float:
    """Choose the bandwidth under which each row is likeliest given the others.

    Parameters
    ----------
    rows : MixedRows
        n rows, at least one.
    rng : numpy.random.Generator
        Draws which rows are left out in turn, where there are more than 2,000.
    threads : int
        The result does not depend on it.

    Returns
    -------
    float
        One of `BANDWIDTHS`; 0.1 for a single row.

    References
    ----------
    Habbema, Hermans and van den Broek (1974), A stepwise discriminant analysis program using
    density estimation, COMPSTAT: leave-one-out likelihood.
    """
    n = len(rows)
    if n < 2:
        return _FALLBACK
    left_out = np.arange(n)
    if n > _MOST_LEFT_OUT:
        left_out = np.sort(rng.choice(n, size=_MOST_LEFT_OUT, replace=False))
    some = rows.take(left_out)
    densities = _log_means(some, rows, BANDWIDTHS, left_out, threads)
    densities -= _log_norms(some, rows, BANDWIDTHS)
    return float(BANDWIDTHS[int(np.argmax(densities.mean(axis=1)))])


def _log_means(
    queries: MixedRows,
    rows: MixedRows,
    bandwidths: Sequence[float],
    left_out: NDArray[np.intp] | None,
    threads: int,
) -> NDArray[np.float64]:
    """Give log mean exp(-distance / h) over rows, of which each query may leave one out."""
    # Sums are taken in units of the largest term so far, since all may be too small to be told.
    nearest = np.full(len(queries), np.inf, dtype=np.float32)
    sums = np.zeros((len(bandwidths), len(queries)))
    # Distances are means over columns, the kernel is a product over them.
    slopes = [np.float32(max(1, queries.n_columns) / bandwidth) for bandwidth in bandwidths]

    def add(query: slice, row: slice, distances: NDArray[np.float32]) -> None:
        if left_out is not None:
            own = left_out[query] - row.start
            here = np.flatnonzero((own >= 0) & (own < row.stop - row.start))
            distances[here, own[here]] = np.inf
        before = nearest[query]
        now = np.minimum(before, distances.min(axis=1))
        reached = np.isfinite(now)  # a block may hold nothing but the row that is left out
        gained = np.where(reached, before - now, 0)
        np.subtract(distances, np.where(reached, now, 0)[:, None], out=distances)
        terms = np.empty_like(distances)
        for total, slope in zip(sums, slopes, strict=True):
            np.exp(np.multiply(distances, -slope, out=terms), out=terms)
            total[query] *= np.exp(-slope * gained)
            total[query] += terms.sum(axis=1, dtype=np.float64)
        nearest[query] = now

    fold_distances(queries, rows, add, threads=threads)
    n = len(rows) - (left_out is not None)
    means = np.log(sums) - np.log(n)
    means -= np.outer(np.asarray(slopes, dtype=np.float64), nearest)
    return np.asarray(means)


def _log_norms(
    queries: MixedRows, rows: MixedRows, bandwidths: Sequence[float]
) -> NDArray[np.float64]:
    """Give the logarithm of what the kernel sums up to over all values, shape (b, 1)."""
    h = np.asarray(bandwidths, dtype=np.float64)
    far = np.exp(-1 / h)
    total = np.zeros(len(h))
    for column in range(rows.numbers.shape[1]):
        absent = any(np.isnan(part.numbers[:, column]).any() for part in (queries, rows))
        # Differences of at most 1, and a missing value beside all numbers.
        total += np.log(2 * h * (1 - far) + absent * far)
    for column in range(rows.codes.shape[1]):
        total += np.log1p((_n_values(queries, rows, column) - 1) * far)
    return total[:, None]


def _n_values(queries: MixedRows, rows: MixedRows, column: int) -> int:
    values: NDArray[Any] = np.concatenate([rows.codes[:, column], queries.codes[:, column]])
    return len(np.unique(values))
