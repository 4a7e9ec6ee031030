"""Distance to the closest record: who was in the source lies nearer to the release.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.attacks.synthetic.base_attack import ReleaseMembershipAttack
from pytest_leakpro.stats.gower import nearest_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["ClosestRecord", "closest_distances"]


@dataclass(frozen=True)
class ClosestRecord(ReleaseMembershipAttack):
    """Score a record by its distance to the nearest row of the release.

    References
    ----------
    Chen et al. (2020), GAN-Leaks: a taxonomy of membership inference attacks against generative
    models, ACM CCS, section 4.2 (full black-box generator).
    """

    name: ClassVar[str] = "closest_record"
    rank: ClassVar[int] = 252
    default: ClassVar[bool] = False  # it ranks as the kernel density does, but for ties

    def score(
        self,
        view: ReleaseView,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is drawn
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score every record; see `ReleaseMembershipAttack.score`."""
        members, nonmembers = (
            -closest_distances(view, side)[:, 0] for side in ("original", "control")
        )
        return members, nonmembers


def closest_distances(
    view: ReleaseView, side: str, table: str = "synthetic"
) -> NDArray[np.float64]:
    """Give the distances of records to the two nearest rows of a table.

    Parameters
    ----------
    view : ReleaseView
        Keeps them, since several attacks and the diagnostics ask.
    side : {"original", "control", "population"}
        Whose records.
    table : {"synthetic", "population"}
        Among which rows.

    Returns
    -------
    ndarray of shape (n_records, 2)
        The second is infinite in a table of one row.
    """
    import numpy as np

    key = f"closest {side} {table}"
    if key not in view.kept:
        distances, _ = nearest_rows(view.rows(side), view.rows(table), 2, threads=view.threads)
        if distances.shape[1] < 2:
            distances = np.column_stack([distances, np.full(len(distances), np.inf)])
        view.kept[key] = distances
    kept: NDArray[np.float64] = view.kept[key]
    return kept
