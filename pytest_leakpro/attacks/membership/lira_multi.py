"""The likelihood-ratio attack with several queries per record: itself and augmented copies.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_leakpro.attacks.membership.augmented_attack import AugmentedAttack
from pytest_leakpro.attacks.membership.shadow_attack import read_in_blocks
from pytest_leakpro.attacks.membership.signal_reader import Signal, signal_names, signal_reader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack

__all__ = ["MultiQueryLikelihoodRatio"]


@dataclass(frozen=True)
class MultiQueryLikelihoodRatio(AugmentedAttack):
    """Compare the signals of a record and its copies, jointly, with and without the record.

    A model that was trained with these augmentations has seen the copies of its members, too; and
    the errors of several queries cancel in part. The laws are normal or Student-t, with moderated
    means and variances of each record and query, and correlations that records share.

    Parameters
    ----------
    variance, signal
        As for the attack ``lira``.
    means : {"moderated", "own"}
        Moderated shrinks each record's means towards what those of all records have in common, as
        moderated variances are shrunk: a few models tell the means of many queries but roughly.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, section VI.C; moderated variances after Smyth (2004), means after
    Efron and Morris (1972), Empirical Bayes on vector observations, Biometrika 59.
    """

    name: ClassVar[str] = "lira_multi"
    rank: ClassVar[int] = 81

    variance: Literal["moderated", "per-example", "global"] = "moderated"
    signal: Signal | Literal["auto"] = "auto"
    means: Literal["moderated", "own"] = "moderated"

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Give one variant per signal; see `ShadowAttack.variants`."""
        if self.signal != "auto":
            return (self,)
        return tuple(replace(self, signal=name) for name in signal_names(regression=regression))

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the joint log ratio of every record; see `FurtherShadowAttack.score_further`."""
        from pytest_leakpro.stats.multivariate_ratio import multivariate_ratio

        signal = signal_reader(self.signal, shadow)
        read = read_in_blocks(shadow, signal)
        return multivariate_ratio(read, included, signal(target), self.variance, self.means)
