"""The likelihood-ratio attack: what models that saw a record say of it, and what others say.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack, read_in_blocks
from pytest_leakpro.attacks.membership.signal_reader import Signal, signal_names, signal_reader
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.language_model import LanguageModel
from pytest_leakpro.targets.regressor import Regressor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LikelihoodRatio", "OfflineLikelihoodRatio"]


@dataclass(frozen=True)
class LikelihoodRatio(ShadowAttack):
    """Compare how well the signal fits shadow models that saw the record and those that did not.

    Parameters
    ----------
    variance : {"moderated", "per-example", "global"}
        Moderated shrinks each record's variance towards that of all records (empirical Bayes), and
        takes the t density that follows: with few shadow models a record's own variance is noise,
        and one for all forgets how records differ. The gaps between the means of both kinds are
        shrunk towards each other likewise, where they differ mostly by sampling.
    signal : {"auto", "logit", "probability", "loss"}
        What is compared; "error" or "log-error" for regressors and language models, whose error is
        their loss. Auto leaves the choice to shadow models that play the target.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, algorithm 1; Smyth (2004), Linear models and empirical Bayes methods for
    assessing differential expression, section 3. Efron and Morris (1975), Data analysis using
    Stein's estimator and its generalizations, JASA 70(350), section 2.
    """

    name: ClassVar[str] = "lira"
    targets: ClassVar[tuple[type, ...]] = (Classifier, Regressor, LanguageModel)
    rank: ClassVar[int] = 2

    variance: Literal["moderated", "per-example", "global"] = "moderated"
    signal: Signal | Literal["auto"] = "auto"

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Give one variant per signal; see `ShadowAttack.variants`."""
        if self.signal != "auto":
            return (self,)
        return tuple(replace(self, signal=name) for name in signal_names(regression=regression))

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the log-likelihood ratio of every record; see `ShadowAttack.score_records`."""
        from pytest_leakpro.stats.likelihood_ratio import lira_online

        signal = signal_reader(self.signal, shadow)
        read = read_in_blocks(shadow, signal)
        gaps: Literal["own", "moderated"] = "moderated" if self.variance == "moderated" else "own"
        return lira_online(read, included, signal(target), variance=self.variance, gaps=gaps)


@dataclass(frozen=True)
class OfflineLikelihoodRatio(LikelihoodRatio):
    """Ask only how unusual the signal is among shadow models that did not see the record.

    Parameters
    ----------
    variance, signal
        As for `LikelihoodRatio`.

    References
    ----------
    Carlini et al. (2022), section VI.A, equation 4.
    """

    name: ClassVar[str] = "lira_offline"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 4

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give how far each signal lies above those of models that did not see the record."""
        from pytest_leakpro.stats.likelihood_ratio import lira_offline

        signal = signal_reader(self.signal, shadow)
        read = read_in_blocks(shadow, signal)
        return lira_offline(read, included, signal(target), variance=self.variance)
