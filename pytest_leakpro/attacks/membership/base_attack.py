"""BASE: the loss against what shadow models make likely, from the posterior of the weights.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack, read_in_blocks
from pytest_leakpro.attacks.membership.signal_reader import signal_reader
from pytest_leakpro.gate.errors import LeakproError, nearest_match

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["BayesApproximation", "OfflineBayesApproximation"]

_LOSSES = ("auto", "cross-entropy", "squared")


@dataclass(frozen=True)
class BayesApproximation(ShadowAttack):
    """Compare minus the loss with the logarithm of the shadow models' mean of exp(-loss).

    If training draws weights with density proportional to exp(-sum of losses / T), the posterior
    odds of membership are exp(-loss / T) over its mean over models, here shadow models, times the
    prior odds: a constant, which changes no ranking and is left out. Of a classifier at temperature
    1 this is `rmia` by its ratio, and ranks as that does.

    Parameters
    ----------
    temperature : float
        T, positive. Below 1 what few models are sure of weighs more.
    loss : {"auto", "cross-entropy", "squared"}
        Auto takes that of the target. The squared error of a regressor counts as the loss of a
        normal law, error / (2 s^2), with s^2 the mean squared error of shadow models on records
        that they did not see.

    References
    ----------
    Lassila, Östman, Ngo and Graell i Amat (2025), Practical Bayes-optimal membership inference
    attacks, NeurIPS, the attack BASE for independent records, after Sablayrolles, Douze, Ollivier,
    Schmid and Jégou (2019), White-box vs black-box: Bayes optimal strategies for membership
    inference, ICML, equation 8.
    """

    name: ClassVar[str] = "base"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 6
    offline: ClassVar[bool] = False

    temperature: float = 1.0
    loss: Literal["auto", "cross-entropy", "squared"] = "auto"

    def __post_init__(self) -> None:
        number = isinstance(self.temperature, (int, float))
        if not (number and math.isfinite(self.temperature) and self.temperature > 0):
            raise LeakproError(
                f"{self.name}: temperature is a positive number, not {self.temperature!r}"
            )
        if self.loss not in _LOSSES:
            raise LeakproError(
                f"{self.name}: there is no loss {self.loss!r}"
                f"{nearest_match(str(self.loss), _LOSSES)}"
            )

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Settle the loss by the kind of target; see `ShadowAttack.variants`."""
        if self.loss != "auto":
            return (self,)
        return (replace(self, loss="squared" if regression else "cross-entropy"),)

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the log posterior odds without the prior's; see `ShadowAttack.score_records`."""
        from pytest_leakpro.stats.reference_ratio import log_ratio, reference_log_probability

        read = self._reader(shadow, included)
        minus_loss = read_in_blocks(shadow, read)
        reference = reference_log_probability(
            minus_loss, included, offline_a=1.0 if self.offline else None
        )
        return log_ratio(read(target), reference)

    def _reader(
        self, shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Give the function from signals to minus the loss over the temperature."""
        if self.loss == "squared":
            total, count = 0.0, 0
            for signals, inside in zip(shadow, included, strict=True):
                total -= float(np.sum(signals, where=~inside))
                count += int(np.count_nonzero(~inside))
            variance = total / max(count, 1)
            # Models that make no error at all leave nothing to scale by.
            scale = 2 * (variance if variance > 0 else 1.0) * self.temperature
            return lambda errors: np.asarray(errors / scale)
        log_p = signal_reader("loss", shadow)
        return lambda log_odds: np.asarray(log_p(log_odds) / self.temperature)


@dataclass(frozen=True)
class OfflineBayesApproximation(BayesApproximation):
    """Use only shadow models that did not see the record.

    Parameters
    ----------
    temperature, loss
        As for `BayesApproximation`.

    References
    ----------
    Lassila et al. (2025), the offline attack: the models stand for those without the record.
    """

    name: ClassVar[str] = "base_offline"
    rank: ClassVar[int] = 7
    offline: ClassVar[bool] = True
