"""Attack P: the quantile of a loss among records that were not in the training data.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.targets.signals import ClassSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["PopulationQuantile"]


@dataclass(frozen=True)
class PopulationQuantile(MembershipAttack):
    """Score a record by the quantile of its loss among population records of its class.

    The population is disjoint from the records that are scored. Between two population losses the
    quantile is interpolated, and beyond the last it goes on rising, so that records beyond all of
    the population, the ones that count at a low false-positive rate, do not tie.

    Parameters
    ----------
    smallest_class : int
        A class with fewer population records is compared with the whole population.

    References
    ----------
    Ye, Maddi, Murakonda, Bindschaedler and Shokri (2022), Enhanced membership inference attacks
    against machine learning models, CCS, attack P.
    """

    name: ClassVar[str] = "population"
    needs_population: ClassVar[bool] = True
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 10

    smallest_class: int = 20

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the quantile of every record's loss; see `MembershipAttack.score`."""
        del rng
        population = view.population
        assert population is not None
        fit = population.negative_loss
        scale = float(np.std(fit)) or 1.0
        classes = population.labels if isinstance(population, ClassSignals) else None
        sides = []
        for side in (view.members, view.nonmembers):
            scores = quantiles(side.negative_loss, fit, scale)
            if classes is not None:
                for label in np.unique(side.labels):
                    own = fit[classes == label]
                    if len(own) >= self.smallest_class:
                        rows = side.labels == label
                        scores[rows] = quantiles(side.negative_loss[rows], own, scale)
            sides.append(scores)
        return sides[0], sides[1]


def quantiles(values: NDArray[Any], reference: NDArray[Any], scale: float) -> NDArray[Any]:
    """Give the mid-rank of each value among reference values, without ties beyond their range.

    Parameters
    ----------
    values : ndarray of shape (n,)
        What is to be placed.
    reference : ndarray of shape (p,)
        At least one value.
    scale : float
        Positive; how far beyond the range counts as far.

    Returns
    -------
    ndarray of shape (n,)
        In (0, 1), strictly increasing in the value.
    """
    distinct, counts = np.unique(reference, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    placed = np.interp(values, distinct, middle)
    beyond = np.maximum(values - distinct[-1], 0) / scale
    below = np.maximum(distinct[0] - values, 0) / scale
    placed += (len(reference) - middle[-1]) * beyond / (1 + beyond)
    placed -= middle[0] * below / (1 + below)
    share: NDArray[Any] = placed / len(reference)
    return share
