"""Kernel density: the release is dense where it was made from a record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.attacks.synthetic.base_attack import ReleaseMembershipAttack
from pytest_leakpro.stats.kernel_density import choose_bandwidth, log_density
from pytest_leakpro.stats.seeding import derive_rng

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["KernelDensity", "bandwidth_of", "log_densities"]

NARROWING = 0.25


@dataclass(frozen=True)
class KernelDensity(ReleaseMembershipAttack):
    """Score a record by the density of the release at it.

    The bandwidth is a quarter of the one under which each row of the release is likeliest given
    the others: what a record adds is narrower than what all records have in common.

    References
    ----------
    Hilprecht, Härterich and Bernau (2019), Monte Carlo and reconstruction membership inference
    attacks against generative models, PoPETs, section 4: there with kernels that are 1 within a
    distance, and 0 beyond.
    """

    name: ClassVar[str] = "kernel_density"
    rank: ClassVar[int] = 251

    def score(
        self,
        view: ReleaseView,
        rng: np.random.Generator,  # noqa: ARG002 - what is drawn follows from the view's seed
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score every record; see `ReleaseMembershipAttack.score`."""
        return log_densities(view, "original"), log_densities(view, "control")


def log_densities(
    view: ReleaseView, side: str, table: str = "synthetic", widening: float = NARROWING
) -> NDArray[np.float64]:
    """Give the log density of a table at records.

    Parameters
    ----------
    view : ReleaseView
        Keeps it, since several attacks ask.
    side : {"original", "control"}
        Whose records.
    table : {"synthetic", "population"}
        Whose density; its bandwidth follows from this table alone.
    widening : float
        By what to multiply that bandwidth; a quarter by default.

    Returns
    -------
    ndarray of shape (n_records,)
    """
    key = f"log density {side} {table} {widening}"
    if key not in view.kept:
        bandwidth = bandwidth_of(view, table) * widening
        found = log_density(view.rows(side), view.rows(table), [bandwidth], threads=view.threads)
        view.kept[key] = found[0]
    kept: NDArray[np.float64] = view.kept[key]
    return kept


def bandwidth_of(view: ReleaseView, table: str) -> float:
    """Give the bandwidth under which each row of a table is likeliest given the others."""
    key = f"bandwidth {table}"
    if key not in view.kept:
        rng = derive_rng(view.seed, "bandwidth", table)
        view.kept[key] = choose_bandwidth(view.rows(table), rng, threads=view.threads)
    kept: float = view.kept[key]
    return kept
