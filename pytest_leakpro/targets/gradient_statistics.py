"""What is kept of a record's gradient: logarithms of norms, over all weights and by layers.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LARGEST_GROUPS", "SMALLEST_LOG", "Norms", "count_groups", "layer_groups", "statistics"]

LARGEST_GROUPS = 6
"""At most how many groups of layers have a norm of their own."""

SMALLEST_LOG = -100.0
"""The logarithm that stands for a norm of nothing; below it single precision has no numbers."""


@dataclass(frozen=True, repr=False, eq=False)
class Norms:
    """Norms of the gradients of w weights (arrays of numbers) on n records.

    Attributes
    ----------
    log_l2, log_l1, log_max : ndarray of float64, shape (w, n)
        Minus infinity where the gradient is zero.
    log_residual : ndarray of float64, shape (n,)
        Of the loss by the model's outputs: of ``p - y`` for a classifier.
    """

    log_l2: NDArray[np.float64]
    log_l1: NDArray[np.float64]
    log_max: NDArray[np.float64]
    log_residual: NDArray[np.float64]


def count_groups(layers: Sequence[str]) -> int:
    """Count the groups of weights whose layers are named, in their order."""
    return min(LARGEST_GROUPS, len(list(groupby(layers))))


def layer_groups(layers: Sequence[str]) -> list[NDArray[np.intp]]:
    """Divide weights into groups of layers: the first, the last, and those between evenly.

    Parameters
    ----------
    layers : sequence of str
        The layer of each weight.

    Returns
    -------
    list of ndarray of int
        At most `LARGEST_GROUPS` arrays of positions.
    """
    runs = [
        np.array([place for place, _ in run]) for _, run in groupby(enumerate(layers), _layer_of)
    ]
    if len(runs) <= LARGEST_GROUPS:
        return runs
    shares = np.array_split(np.arange(1, len(runs) - 1), LARGEST_GROUPS - 2)
    between = [np.concatenate([runs[place] for place in share]) for share in shares]
    return [runs[0], *between, runs[-1]]


def _layer_of(numbered: tuple[int, str]) -> str:
    return numbered[1]


def statistics(norms: Norms, layers: Sequence[str]) -> NDArray[np.float64]:
    """Give the statistics of every record's gradient.

    Parameters
    ----------
    norms : Norms
    layers : sequence of str
        The layer of each weight; the last is the one that gives the outputs.

    Returns
    -------
    ndarray of shape (q, n)
        Logarithms of the Euclidean norm, the sum and the maximum of absolute values; of the
        Euclidean norm per group of layers, where there are several; of the loss's gradient by the
        outputs; and of the last layer's over that, which for a linear layer is the norm of what
        goes into it.
    """
    groups = layer_groups(layers)
    squares = [np.logaddexp.reduce(2 * norms.log_l2[group], axis=0) / 2 for group in groups]
    residual = np.maximum(norms.log_residual, SMALLEST_LOG)
    last = np.maximum(squares[-1], SMALLEST_LOG)
    rows = [
        np.logaddexp.reduce(2 * norms.log_l2, axis=0) / 2,
        np.logaddexp.reduce(norms.log_l1, axis=0),
        norms.log_max.max(axis=0),
        *(squares if len(squares) > 1 else ()),
        residual,
        last - residual,
    ]
    return np.asarray(np.maximum(np.array(rows), SMALLEST_LOG))
