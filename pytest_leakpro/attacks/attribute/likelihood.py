"""The likeliest value, by all else of a record and by the answer that the model gives with it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.attribute.base_attack import AttributeAttack
from pytest_leakpro.attacks.attribute.imputation import SMALLEST
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.label_signals import LabelSignals
from pytest_leakpro.targets.signals import ClassSignals, RegressionSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.attribute.base_attack import Secret
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.signals import Signals

__all__ = ["AttributeLikelihood"]

_PRIORS = ("imputed", "marginal")


@dataclass(frozen=True)
class AttributeLikelihood(AttributeAttack):
    """Weigh how likely a value is beforehand against how well the model then explains the label.

    The score of a value is the logarithm of its chance without the model, plus `weight` times the
    logarithm of the chance of the true label that the model gives the record with that value. Where
    labels are all it says, that chance is its accuracy on the population, or the rest of it; of a
    regressor that of the error under a Laplace law as wide as its errors on the population. No
    chance is taken for less than 0.1 %.

    Parameters
    ----------
    attempts
        See `AttributeAttack`.
    prior : {"imputed", "marginal"}
        The chance without the model: of a forest of trees that the population taught to tell the
        secret from all other columns and the label, or how common the value is in the population.
    weight : float
        How much more the model is believed than its probabilities say, above 0. These are of
        records that it may not have seen; one that it remembers stands out by more. 8 did best over
        forests, boosted trees, networks and nearest neighbours on a clinical table.

    References
    ----------
    Fredrikson et al. (2014), Privacy in pharmacogenetics: an end-to-end case study of personalized
    warfarin dosing, USENIX Security: the marginal prior, weight 1, labels.
    Yeom et al. (2018), Privacy risk in machine learning: analyzing the connection to overfitting,
    CSF: the law of the model's errors.
    Jayaraman and Evans (2022), Are attribute inference attacks just imputation?, CCS: an
    imputation as prior.
    """

    name: ClassVar[str] = "attribute_likelihood"
    access: ClassVar[Access] = Access.LABEL
    rank: ClassVar[int] = 410

    prior: str = "imputed"
    weight: float = 8.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prior not in _PRIORS:
            raise LeakproError(
                f"prior of the attack {self.name!r}: give one of {', '.join(_PRIORS)}"
            )
        number = isinstance(self.weight, (int, float)) and not isinstance(self.weight, bool)
        if not number or not math.isfinite(self.weight) or self.weight <= 0:
            raise LeakproError(f"weight of the attack {self.name!r}: give a number above 0")

    def score(self, secret: Secret) -> NDArray[np.float64]:
        """Add both logarithms."""
        prior = secret.imputed if self.prior == "imputed" else secret.imputation.shares()
        said = [_log_chances(one, secret.view) for one in secret.answers.signals]
        return np.asarray(np.log(prior) + self.weight * np.stack(said, axis=1))


def _log_chances(signals: Signals, view: MembershipView) -> NDArray[np.float64]:
    """Give the logarithm of the chance of the true labels, shape (n,)."""
    if isinstance(signals, ClassSignals):
        true = signals.log_probabilities[np.arange(len(signals)), signals.labels]
        return np.asarray(np.maximum(true, math.log(SMALLEST)))
    population = view.population
    if isinstance(signals, LabelSignals):
        assert isinstance(population, LabelSignals)
        accuracy = np.clip(population.correct.mean(), SMALLEST, 1 - SMALLEST)
        return np.asarray(np.log(np.where(signals.correct, accuracy, 1 - accuracy)))
    assert isinstance(population, RegressionSignals)
    widths = np.abs(population.predictions - population.labels).mean(axis=0)
    errors = np.abs(signals.predictions - signals.labels)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(widths > 0, errors / widths, np.where(errors > 0, np.inf, 0.0))
    return np.asarray(-np.minimum(scaled, -math.log(SMALLEST)).mean(axis=1))
