"""QMIA: each record's signal against the law that a regression on the population predicts for it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from scipy import special

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.membership.boosted_law import fit_boosting
from pytest_leakpro.attacks.membership.network_law import fit_network
from pytest_leakpro.attacks.membership.signal_reader import signal_reader
from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.targets.record_matrix import record_matrix
from pytest_leakpro.targets.signals import RegressionSignals

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.signals import Signals

__all__ = ["QuantileRegression"]

_SATURATED = 600.0
# With fewer the law is all but the same for every record, and a PASS by it would be a weak one.
_FEWEST = 100


@dataclass(frozen=True)
class QuantileRegression(MembershipAttack):
    """Score a record by how far its signal lies above the law predicted for such a record.

    On the population, records the model has not seen, the attacker learns mean and spread of the
    model's signal given the record (its columns and its label); the score is the signal's distance
    from the mean in standard deviations, which has the order of its quantile and does not tie where
    quantiles end. So a hard record that fits well stands out among easy ones that fit better, with
    no shadow model.

    Parameters
    ----------
    regressor : {"boosting", "torch"}
        Gradient-boosted trees, or a small network as in the paper.
    signal : {"probability", "logit"}
        Of the true class, of a classifier; of a regressor it is minus the logarithm of the error.
    most_rows : int
        On at most how many population records, at even distances, the regression is fitted.

    References
    ----------
    Bertran, Tang, Kearns, Morgenstern, Roth and Wu (2023), Scalable membership inference attacks
    via quantile regression, NeurIPS, algorithm 1 with the Gaussian model of the score.
    """

    name: ClassVar[str] = "qmia"
    needs_population: ClassVar[bool] = True
    calibrated: ClassVar[bool] = True
    rank: ClassVar[int] = 9

    regressor: Literal["boosting", "torch"] = "boosting"
    signal: Literal["probability", "logit"] = "probability"
    most_rows: int = 100_000

    def __post_init__(self) -> None:
        for name, known in (
            ("regressor", ("boosting", "torch")),
            ("signal", ("probability", "logit")),
        ):
            value = getattr(self, name)
            if value not in known:
                raise LeakproError(
                    f"qmia: there is no {name} {value!r}{nearest_match(str(value), known)}"
                )
        if not isinstance(self.most_rows, int) or self.most_rows < 1:
            raise LeakproError(
                f"qmia: most_rows is a whole number of at least 1, not {self.most_rows!r}"
            )

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        if (reason := super().mismatch(target)) is not None:
            return reason
        if target.has_population and target.n_population < _FEWEST:
            return (
                f"it learns what to expect of a record from a population of at least {_FEWEST} "
                f"records (persons), and there are {target.n_population}"
            )
        return None

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give every record's distance from what was expected; see `MembershipAttack.score`."""
        standardise = self.fitted(view, rng)
        return standardise(view, "members"), standardise(view, "nonmembers")

    def fitted(
        self, view: MembershipView, rng: np.random.Generator
    ) -> Callable[[MembershipView, str], NDArray[np.float64]]:
        """Fit the regression on a view's population.

        Parameters
        ----------
        view, rng
            As for `score`.

        Returns
        -------
        callable
            From a view of the same kind and a side's name to scores, shape (n,).
        """
        population, signals = view.records("population"), view.population
        assert signals is not None
        read = self._reader(signals)
        values = read(signals.negative_loss)
        if np.ptp(values) == 0:
            return lambda other, side: read(getattr(other, side).negative_loss) - values[0]
        rows = np.linspace(0, len(values) - 1, min(len(values), self.most_rows)).astype(np.intp)
        features, units = record_matrix(population), view.unit_codes("population")
        n_classes = signals.n_classes
        # Probabilities of easy records all but agree, and their spreads say little of how far out
        # a hard record's lies; logits and log errors have spreads that can be told from records.
        floor = 1.0 if n_classes and self.signal == "probability" else 0.1
        if self.regressor == "torch":
            law = fit_network(features[rows], values[rows], units[rows], n_classes, floor, rng)
        else:
            law = fit_boosting(features[rows], values[rows], units[rows], n_classes, floor)

        def standardise(other: MembershipView, side: str) -> NDArray[np.float64]:
            mean, spread = law(record_matrix(other.records(side), population))
            return np.asarray((read(getattr(other, side).negative_loss) - mean) / spread)

        return standardise

    def _reader(self, population: Signals) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Give the function that reads a signal, settled by the population alone."""
        fit = population.negative_loss
        if isinstance(population, RegressionSignals):
            return signal_reader("log-error", fit[None])
        if self.signal == "probability":
            return special.expit
        known = np.abs(fit)
        limit = float(np.max(known, initial=0.0, where=known < _SATURATED)) + np.log(2)

        def logit(log_odds: NDArray[Any]) -> NDArray[Any]:
            # Further out than the population goes an attacker counts steps by their logarithm:
            # what a forest is sure of may be 690, and must not drown all else.
            beyond = np.maximum(np.abs(log_odds) - limit, 0.0)
            inner = np.clip(log_odds, -limit, limit)
            return np.asarray(inner + np.sign(log_odds) * np.log1p(beyond))

        return logit
