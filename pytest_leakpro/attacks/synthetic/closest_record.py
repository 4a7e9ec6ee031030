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

__all__ = ["ClosestRecord"]


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
            -nearest_rows(view.rows(side), view.rows("synthetic"), 1, threads=view.threads)[0][:, 0]
            for side in ("original", "control")
        )
        return members, nonmembers
