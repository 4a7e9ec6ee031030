"""Outputs cut into bins, column by column, and how much likelier each is for one data set.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from pytest_leakpro.mechanisms.outputs import NUMBER, Outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Binning", "fitted_logistic", "log_ratios", "with_contrasts"]

_MOST_VALUES = 30  # a column of no more values has a bin for each
_MOST_CONTRASTS = 15
_SMOOTHING = 0.5
_RIDGE = 1.0
_NEWTON_STEPS = 5


def with_contrasts(outputs: Outputs) -> Outputs:
    """Add the sums and differences of columns: noise that entries share cancels there.

    Of many columns only neighbouring ones are taken together.
    """
    width = outputs.width
    pairs = [(i, j) for i in range(width) for j in range(i + 1, width)]
    if len(pairs) > _MOST_CONTRASTS:
        pairs = [(i, i + 1) for i in range(width - 1)][:_MOST_CONTRASTS]
    if not pairs:
        return outputs
    left, right = [list(side) for side in zip(*pairs, strict=True)]
    numbers, tags = outputs.numbers, outputs.tags
    both = np.maximum(tags[:, left], tags[:, right])
    added = [numbers[:, left] - numbers[:, right], numbers[:, left] + numbers[:, right]]
    return Outputs(
        np.concatenate([numbers, *(np.where(both == NUMBER, part, 0.0) for part in added)], axis=1),
        np.concatenate([tags, both, both], axis=1),
    )


@dataclass(frozen=True, repr=False)
class Binning:
    """Bins of every column.

    Attributes
    ----------
    edges : tuple of numpy.ndarray
        Per column, where one bin of numbers ends and the next begins.
    tags : tuple of numpy.ndarray of int
        Per column, tags that have a bin of their own.
    """

    edges: tuple[NDArray[np.float64], ...]
    tags: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, outputs: Outputs, bins: int) -> Binning:
        """Choose bins by the outputs of both data sets: of about equal counts, or one a value.

        Parameters
        ----------
        outputs : Outputs
            Of both.
        bins : int
            For columns of many numbers.
        """
        edges, tags = [], []
        for column in range(outputs.width):
            tag = outputs.tags[:, column]
            values = np.unique(outputs.numbers[tag == NUMBER, column])
            if len(values) > _MOST_VALUES:
                shares = np.linspace(0, 1, bins + 1)[1:-1]
                drawn = outputs.numbers[tag == NUMBER, column]
                edges.append(np.unique(np.quantile(drawn, shares, method="higher")))
            else:
                edges.append(values[1:])
            known, counts = np.unique(tag[tag != NUMBER], return_counts=True)
            tags.append(np.sort(known[np.argsort(-counts)][:_MOST_VALUES]))
        return cls(tuple(edges), tuple(tags))

    @property
    def sizes(self) -> list[int]:
        """How many bins each column has; the last is for what was not seen."""
        return [
            len(edges) + 1 + len(tags) + 1
            for edges, tags in zip(self.edges, self.tags, strict=True)
        ]

    def bins(self, outputs: Outputs) -> NDArray[np.int64]:
        """Give the bin of every entry, numbered on through the columns."""
        outputs = outputs.widened(len(self.edges))
        found = np.empty(outputs.tags.shape, int)
        start = 0
        for column, (edges, tags) in enumerate(zip(self.edges, self.tags, strict=True)):
            tag = outputs.tags[:, column]
            place = np.searchsorted(edges, outputs.numbers[:, column], side="right")
            if len(tags):
                at = np.minimum(np.searchsorted(tags, tag), len(tags) - 1)
                other = np.where(tags[at] == tag, len(edges) + 1 + at, len(edges) + 1 + len(tags))
            else:
                other = np.full(len(tag), len(edges) + 1)
            found[:, column] = start + np.where(tag == NUMBER, place, other)
            start += len(edges) + 1 + len(tags) + 1
        return found


def log_ratios(
    first: NDArray[np.int64], second: NDArray[np.int64], total: int
) -> NDArray[np.float64]:
    """Give the log ratio of the smoothed frequencies of every bin."""
    one = np.bincount(first.ravel(), minlength=total) + _SMOOTHING
    two = np.bincount(second.ravel(), minlength=total) + _SMOOTHING
    ratios: NDArray[np.float64] = np.log(one) - np.log(two)
    return ratios


def fitted_logistic(
    first: NDArray[np.int64], second: NDArray[np.int64], total: int
) -> NDArray[np.float64]:
    """Fit a logistic regression on the bins that tells the data sets apart, by Newton's method.

    Parameters
    ----------
    first, second : numpy.ndarray of int, shape (n, d)
        Bins of the outputs of either.
    total : int
        How many bins there are.

    Returns
    -------
    numpy.ndarray, shape (total,)
        A weight per bin: the sum over an output's bins is its log odds, up to a constant.
    """
    bins = np.concatenate([first, second])
    design = np.zeros((len(bins), total))
    design[np.arange(len(bins))[:, None], bins] = 1.0
    label = np.repeat([1.0, 0.0], [len(first), len(second)])
    weights = np.zeros(total)
    for _ in range(_NEWTON_STEPS):
        chance = special.expit(design @ weights)
        slope = design.T @ (label - chance) - _RIDGE * weights
        spread = np.maximum(chance * (1 - chance), 1e-4)
        curvature = (design * spread[:, None]).T @ design
        curvature[np.diag_indices(total)] += _RIDGE
        weights = weights + np.linalg.solve(curvature, slope)
    return weights
