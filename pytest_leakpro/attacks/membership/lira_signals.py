"""The likelihood-ratio attack on several signals of a prediction at once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_leakpro.attacks.membership.further_attack import FurtherShadowAttack
from pytest_leakpro.attacks.membership.shadow_attack import resolution
from pytest_leakpro.attacks.membership.signal_reader import signal_reader
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.scratch import scratch_array
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.readings import Reading
from pytest_leakpro.targets.signals import ClassSignals

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["MultiSignalLikelihoodRatio", "PredictionSignals"]


@dataclass(frozen=True)
class PredictionSignals(Reading):
    """Log-odds of the true class, those of the likeliest other class, and the entropy in nats."""

    name: ClassVar[str] = "prediction signals"

    @property
    def width(self) -> int:
        """See `Reading.width`."""
        return 3

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """See `Reading.read`."""
        signals = reader.signals(model, records)
        assert isinstance(signals, ClassSignals)
        beside = signals.log_odds.copy()
        beside[np.arange(len(signals)), signals.labels] = -np.inf
        log_p = signals.log_probabilities
        entropy = -np.sum(np.exp(log_p) * log_p, axis=1)
        return np.stack([signals.true_log_odds, beside.max(axis=1), entropy])


@dataclass(frozen=True)
class MultiSignalLikelihoodRatio(FurtherShadowAttack):
    """Compare three signals of the probabilities, jointly, with and without the record.

    What the true class gains says most; how the rest is shared among the others says more where
    the model was sure, or wrong. The margin follows from the first two signals.

    Parameters
    ----------
    signal : {"auto", "logit", "probability"}
        The log-odds and the logarithm of the entropy, or the probabilities and the entropy. Auto
        leaves the choice to shadow models that play the target.
    variance : {"moderated", "per-example", "global"}
        As for the attack ``lira``.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, section VI.C, here with signals of one query for those of several
    (means and variances moderated as those of ``lira_multi``).
    """

    name: ClassVar[str] = "lira_signals"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 85

    signal: Literal["auto", "logit", "probability"] = "auto"
    variance: Literal["moderated", "per-example", "global"] = "moderated"

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.signal not in ("auto", "logit", "probability"):
            raise LeakproError(
                f"lira_signals: signal={self.signal!r}: give 'logit', 'probability' or 'auto'"
            )

    @property
    def reading_name(self) -> str:
        """See `FurtherShadowAttack.reading_name`."""
        return PredictionSignals.name

    def mismatch(self, target: Any) -> str | None:
        """Refuse two classes, whose probabilities are one number; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and target.classes is not None and len(target.classes) == 2:
            return "of two classes the probabilities are one number: the attack 'lira' reads it"
        return reason

    def reading(self, view: MembershipView) -> Reading:
        """Read the three signals; see `FurtherShadowAttack.reading`."""
        del view
        return PredictionSignals()

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Give one variant per scale; see `ShadowAttack.variants`."""
        del regression
        if self.signal != "auto":
            return (self,)
        return (replace(self, signal="logit"), replace(self, signal="probability"))

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the joint log ratio of every record; see `FurtherShadowAttack.score_further`."""
        from pytest_leakpro.stats.multivariate_ratio import multivariate_ratio

        read = self._reader(shadow)
        signals = scratch_array(shadow.shape, np.float64)
        for rows, values in zip(signals, shadow, strict=True):
            rows[:] = read(values)
        return multivariate_ratio(signals, included, read(target), self.variance)

    def _reader(self, shadow: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Give the function that reads a model's three signals on the chosen scale."""
        probability = self.signal == "probability"
        odds = signal_reader("probability" if probability else "logit", shadow[:, :2])
        least = resolution(shadow[:, :2])
        # Of a prediction in which the least probability that the models know is another's.
        smallest = -least * np.log(least) - (1 - least) * np.log1p(-least)

        def read(values: NDArray[Any]) -> NDArray[Any]:
            entropy = values[2:]
            if not probability:
                entropy = np.log(np.maximum(entropy, smallest))
            return np.vstack([odds(values[:2]), entropy])

        return read
