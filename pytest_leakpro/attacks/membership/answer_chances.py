"""How likely a model is to predict the true label, told from a few models like it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["chance_of_label"]

# Tails are wider than the normal law's: another model is now and then far off.
_DEGREES = 5
# What a few models can tell: none of them is ever sure of another one.
_SMALLEST = 1e-4
# Of a record's own variance, the rest is all records' together.
_OWN = 0.5


def chance_of_label(margins: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the chance that one more model of a kind predicts the true label.

    Its margin is taken to follow Student's law around the mean of those at hand, with a variance
    half the record's own and half that of all records.

    Parameters
    ----------
    margins : ndarray of shape (K, n)
        By how much each model leads with the true label, in logits; what is not used may be NaN.
    used : ndarray of bool, shape (K, n)
        Whose margins count: two or more per record.

    Returns
    -------
    ndarray of shape (n,)
        Between 0.0001 and 0.9999.
    """
    from scipy import stats

    counts = used.sum(axis=0)
    means = np.sum(margins, axis=0, where=used) / counts
    squares = np.sum((margins - means) ** 2, axis=0, where=used)
    variance = (1 - _OWN) * squares.sum() / (counts - 1).sum() + _OWN * squares / (counts - 1)
    spread = np.sqrt(np.maximum(variance, 1e-12) * (1 + 1 / counts))
    chance = stats.t.cdf(means / spread, _DEGREES)
    return np.clip(np.asarray(chance, dtype=np.float64), _SMALLEST, 1 - _SMALLEST)
