"""What is read of shadow releases, and which of them were made from which record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ShadowTables"]


@dataclass(frozen=True, repr=False, eq=False)
class ShadowTables:
    """Readings of K shadow releases and of the one that is attacked, all read alike.

    Attributes
    ----------
    included : ndarray of bool, shape (K, n)
        Which shadow generator was trained on which record: those of the source first, then those
        of the control.
    readings : ndarray of float64, shape (K, q, n)
        What is read of a shadow release beside each record.
    features : ndarray of float64, shape (K, p)
        What is read of a shadow release as a whole.
    target_readings : ndarray of float64, shape (q, n)
        Of the release that is attacked.
    target_features : ndarray of float64, shape (p,)
        Of the release that is attacked.
    families : dict of str to slice
        Which features belong together.
    """

    included: NDArray[np.bool_]
    readings: NDArray[Any]
    features: NDArray[Any]
    target_readings: NDArray[Any]
    target_features: NDArray[Any]
    families: dict[str, slice]

    def __repr__(self) -> str:
        return f"ShadowTables(tables={self.n_tables}, records={self.n_records})"

    @property
    def n_tables(self) -> int:
        """Number of shadow releases, K."""
        return int(self.included.shape[0])

    @property
    def n_records(self) -> int:
        """Number of records, n."""
        return int(self.included.shape[1])
