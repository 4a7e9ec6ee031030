"""DOMIAS: the release is denser than the population where the generator overfits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.attacks.synthetic.base_attack import ReleaseMembershipAttack
from pytest_leakpro.attacks.synthetic.kernel_density import log_densities

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["Domias"]

_WIDENING = 2.0


@dataclass(frozen=True)
class Domias(ReleaseMembershipAttack):
    """Score a record by the ratio of the density of the release to that of the population.

    A record in a dense part of the population has many rows of the release beside it whether it
    was in the source or not. Both densities are kernel estimates: of the release under a quarter
    of its own best bandwidth, as what a record adds is narrower than what all have in common; of
    the population under twice its own, since noise where it has few rows would rank records.

    Notes
    -----
    On releases of four tables of 442 to 6,000 rows, copied with more or less noise, neither half of
    the best bandwidth nor an eighth was better by more than 0.011 in AUC; and of exact copies a
    half found only between 45 and 75 % of the records at an FPR of 1 %, a quarter all but 0.3 %.

    References
    ----------
    van Breugel, Sun, Qian and van der Schaar (2023), Membership inference attacks against
    synthetic data through overfitting detection, AISTATS, equation 2.
    """

    name: ClassVar[str] = "domias"
    rank: ClassVar[int] = 250
    calibrated: ClassVar[bool] = True
    needs_population: ClassVar[bool] = True

    def score(
        self,
        view: ReleaseView,
        rng: np.random.Generator,  # noqa: ARG002 - what is drawn follows from the view's seed
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score every record; see `ReleaseMembershipAttack.score`."""
        members, nonmembers = (
            log_densities(view, side) - log_densities(view, side, "population", _WIDENING)
            for side in ("original", "control")
        )
        return members, nonmembers
