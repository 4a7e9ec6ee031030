"""Numbers of several rounds brought to one scale, that of records nobody trained on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["standardised"]


def standardised(values: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float64]:
    """Subtract the mean of reference records and divide by their standard deviation, row by row.

    Parameters
    ----------
    values : ndarray of shape (T, n)
        One row per round.
    reference : ndarray of shape (T, p)
        The same of records that are not scored.

    Returns
    -------
    ndarray of shape (T, n)
        A row in which reference records do not differ is only centred.
    """
    spread = reference.std(axis=1, keepdims=True)
    centred = values - reference.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.where(spread > 0, spread, 1.0), dtype=np.float64)
