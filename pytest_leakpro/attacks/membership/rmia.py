"""The relative attack: the target's probability of a record against that of the others.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack, read_in_blocks
from pytest_leakpro.attacks.membership.signal_reader import signal_reader
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.classifier import Classifier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["OfflineRatioToReference", "RatioToReference"]


@dataclass(frozen=True)
class RatioToReference(ShadowAttack):
    """Divide the target's probability of the true class by what shadow models give on average.

    Parameters
    ----------
    by : {"ratio", "pairs"}
        The ratio itself, or the share of population records whose ratio it exceeds by the factor
        `gamma`. Both rank alike up to ties, and the share ties wherever it exceeds all: the ratio
        tells more at low false-positive rates. Pairs needs a `population`.
    gamma : float
        At least 1; used by pairs.

    References
    ----------
    Zarifzadeh, Liu and Shokri (2024), Low-cost high-power membership inference attacks, ICML,
    equations 2 and 3.
    """

    name: ClassVar[str] = "rmia"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    rank: ClassVar[int] = 3

    by: Literal["ratio", "pairs"] = "ratio"
    gamma: float = 2.0

    def offline_a(self, log_p: NDArray[Any], included: NDArray[np.bool_]) -> float | None:
        """Give the offline correction; None for the online attack."""
        del log_p, included
        return None

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the log ratio of every record; see `ShadowAttack.score_records`."""
        from pytest_leakpro.stats.reference_ratio import log_ratio, reference_log_probability

        read = signal_reader("loss", shadow)
        log_p, own = read_in_blocks(shadow, read), read(target)
        a = self.offline_a(log_p, included)
        return log_ratio(own, reference_log_probability(log_p, included, offline_a=a))

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score by ratio or by pairs; see `MembershipAttack.score`."""
        members, nonmembers = super().score(view, rng)
        if self.by == "ratio":
            return members, nonmembers
        from pytest_leakpro.stats.reference_ratio import (
            log_ratio,
            pair_share,
            reference_log_probability,
        )

        if view.population is None or view.shadow is None:
            raise LeakproError("rmia by pairs needs a population= to compare records with")
        if view.shadow.n_records == len(members) + len(nonmembers):
            raise LeakproError("rmia by pairs needs shadow signals on the population as well")
        rows = slice(len(members) + len(nonmembers), None)
        read = signal_reader("loss", view.shadow.shadow)
        log_p = read_in_blocks(view.shadow.shadow[:, rows], read)
        # The population is in no shadow model: its reference is theirs who never saw it.
        reference = reference_log_probability(log_p, view.shadow.included[:, rows], offline_a=1.0)
        ratios = log_ratio(read(view.population.negative_loss), reference)
        return (
            pair_share(members, ratios, self.gamma),
            pair_share(nonmembers, ratios, self.gamma),
        )


@dataclass(frozen=True)
class OfflineRatioToReference(RatioToReference):
    """Use only shadow models that did not see the record, and correct for what they lack.

    Parameters
    ----------
    by, gamma
        As for `RatioToReference`.
    a : float, optional
        The correction, in (0, 1]; by default chosen by attacking a shadow model.

    References
    ----------
    Zarifzadeh, Liu and Shokri (2024), section 3 and the appendix on the offline approximation.
    """

    name: ClassVar[str] = "rmia_offline"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 5

    a: float | None = None

    def offline_a(self, log_p: NDArray[Any], included: NDArray[np.bool_]) -> float | None:
        """Give the correction, tuned on a shadow model where it was not chosen."""
        from pytest_leakpro.stats.reference_ratio import choose_offline_a

        return choose_offline_a(log_p, included) if self.a is None else self.a
