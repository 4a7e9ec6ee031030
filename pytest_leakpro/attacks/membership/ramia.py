"""Range membership inference: whether anything in a record's neighbourhood was trained on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.augmented_attack import AugmentedAttack, AugmentedSignals
from pytest_leakpro.attacks.membership.rmia_multi import log_ratios
from pytest_leakpro.attacks.membership.table_noise import TableNoise, column_spreads, has_numbers
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.classifier import Classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading

__all__ = ["RangeMembership"]

_TRIMS = ((0.0, 0.0), (0.4, 0.0), (0.25, 0.25))


@dataclass(frozen=True)
class RangeMembership(AugmentedAttack):
    """Score samples of a range around the record by `rmia`'s ratio, and average without the tails.

    The range is sampled by the target's augmentations; of a table without any by copies with
    noise on their numbers. The record itself is one of the samples. A range holds more than its
    record, so that this attack also finds copies of it that differ a little; what is counted is
    still whether the record itself was a member.

    Parameters
    ----------
    trim_low, trim_high : float, optional
        The shares of the samples with the lowest and the highest scores that are left out, q_s and
        1 - q_e in the paper; at least 0, together below 1. By default shadow models that play the
        target choose between none, 0.4 of the low, and 0.25 of both.
    copies : int, default 8
        How many noisy copies of a table's record, at least 1.
    noise : float, default 0.1
        The noise's standard deviation, in standard deviations of the column; above 0.
    seed : int, default 0
        The noise's. It is the same for all records and all models.

    References
    ----------
    Tao and Shokri (2025), Range membership inference attacks, IEEE SaTML (arXiv 2408.05131): the
    score is the trimmed mean of membership scores of points sampled from the range.
    """

    name: ClassVar[str] = "ramia"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    rank: ClassVar[int] = 83

    trim_low: float | None = None
    trim_high: float | None = None
    copies: int = 8
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the parameters."""
        if (self.trim_low is None) != (self.trim_high is None):
            raise LeakproError("ramia: give both trim_low and trim_high, or neither")
        if self.trim_low is not None and self.trim_high is not None:
            trims = self.trim_low, self.trim_high
            if min(trims) < 0 or sum(trims) >= 1:
                raise LeakproError(
                    f"ramia: trim_low={trims[0]!r} and trim_high={trims[1]!r}: give shares of at "
                    "least 0 that leave something, such as 0.4 and 0"
                )
        if isinstance(self.copies, bool) or not isinstance(self.copies, int) or self.copies < 1:
            raise LeakproError(f"ramia: copies={self.copies!r}: give a whole number of at least 1")
        if not 0 < self.noise < float("inf"):
            raise LeakproError(
                f"ramia: noise={self.noise!r}: give a number above 0, in standard deviations of a "
                "column, such as 0.1"
            )

    def mismatch(self, target: Any) -> str | None:
        """Refuse records of which there are no copies; see `Attack.mismatch`."""
        reason = super(AugmentedAttack, self).mismatch(target)
        if reason is None and not target.augmentations and not has_numbers(target.inputs):
            return (
                "it samples the neighbourhood of records, and these are no images and no table "
                "with numbers: give augmentations=[…], functions X -> X'"
            )
        return reason

    def reading(self, view: MembershipView) -> Reading:
        """Read the record and the samples of its range; see `FurtherShadowAttack.reading`."""
        if view.augmentations:
            return AugmentedSignals(view.augmentations)
        spreads = column_spreads(view)
        draws = np.random.default_rng(self.seed).normal(0, self.noise, (self.copies, len(spreads)))
        return AugmentedSignals(tuple(TableNoise(draw * spreads) for draw in draws))

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Give one variant per way to trim; see `ShadowAttack.variants`."""
        del regression
        if self.trim_low is not None:
            return (self,)
        return tuple(replace(self, trim_low=low, trim_high=high) for low, high in _TRIMS)

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the trimmed mean of log ratios; see `FurtherShadowAttack.score_further`."""
        ratios = np.sort(log_ratios(target, shadow, included), axis=0)
        q = len(ratios)
        low, high = int((self.trim_low or 0.0) * q), int((self.trim_high or 0.0) * q)
        return np.asarray(ratios[low : q - high].mean(axis=0))
