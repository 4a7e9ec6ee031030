"""The likelihood-ratio attack on forecasts: several signals of each record's errors at once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_leakpro.attacks.membership.further_attack import FurtherShadowAttack
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.forecast_errors import (
    error_blocks,
    log_losses,
    n_blocks,
    n_losses,
    series_spread,
)
from pytest_leakpro.store.scratch import scratch_array
from pytest_leakpro.targets.readings import Reading
from pytest_leakpro.targets.regressor import Regressor
from pytest_leakpro.targets.signals import RegressionSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["ForecastErrors", "ForecastLikelihoodRatio"]

Signals = Literal["errors", "scaled", "losses", "all"]


@dataclass(frozen=True)
class ForecastErrors(Reading):
    """The scale of each record's series, several losses, and the signed errors per horizon.

    Attributes
    ----------
    n_outputs : int
        Horizons d, at least 2.
    season : int or None
        After how many horizons the season repeats.
    most_horizons : int
        Errors of neighbouring horizons are averaged where there are more.
    """

    name: ClassVar[str] = "forecast errors"

    n_outputs: int
    season: int | None = None
    most_horizons: int = 12

    @property
    def width(self) -> int:
        """See `Reading.width`."""
        return 1 + n_losses(self.season) + n_blocks(self.n_outputs, self.most_horizons)

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """See `Reading.read`."""
        signals = reader.signals(model, records)
        assert isinstance(signals, RegressionSignals)
        truth, forecast = signals.labels, signals.predictions
        blocks = error_blocks(forecast - truth, self.most_horizons)
        losses = log_losses(truth, forecast, self.season)
        return np.vstack([series_spread(truth)[None], losses, blocks.T])


@dataclass(frozen=True)
class ForecastLikelihoodRatio(FurtherShadowAttack):
    """Compare the errors of a forecast, horizon by horizon, with and without the record.

    A model that was trained on a series follows it at each horizon, and each is a witness; the
    squared error that ``lira`` reads forgets which horizon is off, and to which side.

    Parameters
    ----------
    signals : {"auto", "errors", "scaled", "losses", "all"}
        Signed errors per horizon; the same in units of the record's own series (its mean absolute
        step); the logarithms of the mean squared error, of the mean absolute scaled error and of
        the errors of trend, season and the rest; or the latter two together. Auto leaves the
        choice to shadow models that play the target.
    season : int, optional
        After how many horizons the season repeats, at least 2 and at most half of the horizons.
    most_horizons : int, default 12
        Errors of neighbouring horizons are averaged where there are more.
    variance : {"moderated", "per-example", "global"}
        As for the attack ``lira``.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis and Tramèr (2022), Membership inference attacks from first
    principles, IEEE S&P, section VI.C, here with signals of a forecast for the queries (means
    and variances moderated as those of ``lira_multi``); scaled errors after Hyndman and Koehler
    (2006), Another look at measures of forecast accuracy, IJF 22.
    """

    name: ClassVar[str] = "lira_forecast"
    targets: ClassVar[tuple[type, ...]] = (Regressor,)
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 84

    signals: Signals | Literal["auto"] = "auto"
    season: int | None = None
    most_horizons: int = 12
    variance: Literal["moderated", "per-example", "global"] = "moderated"

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.signals not in ("auto", "errors", "scaled", "losses", "all"):
            raise LeakproError(
                f"lira_forecast: signals={self.signals!r}: give 'errors', 'scaled', 'losses', "
                "'all', or 'auto'"
            )
        for name, value, least in (
            ("season", self.season, 2),
            ("most_horizons", self.most_horizons, 1),
        ):
            if value is None and name == "season":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise LeakproError(
                    f"lira_forecast: {name}={value!r}: give a whole number of at least {least}"
                )

    @property
    def reading_name(self) -> str:
        """See `FurtherShadowAttack.reading_name`."""
        return ForecastErrors.name

    def mismatch(self, target: Any) -> str | None:
        """Refuse a single output, and a season that does not fit; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is not None:
            return reason
        if target.n_outputs < 2:
            return "the regressor predicts one number per record: the attack 'lira' reads it"
        if self.season is not None and 2 * self.season > target.n_outputs:
            return (
                f"a season of {self.season} horizons does not show in {target.n_outputs}: give "
                f"one of at most {target.n_outputs // 2}, or none"
            )
        return None

    def reading(self, view: MembershipView) -> Reading:
        """Read errors and losses; see `FurtherShadowAttack.reading`."""
        n_outputs = view.records("members").labels.shape[1]
        return ForecastErrors(n_outputs, self.season, self.most_horizons)

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Give one variant per choice of signals; see `ShadowAttack.variants`."""
        del regression
        if self.signals != "auto":
            return (self,)
        names: tuple[Signals, ...] = ("errors", "scaled", "losses", "all")
        return tuple(replace(self, signals=name) for name in names)

    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Give the joint log ratio of every record; see `FurtherShadowAttack.score_further`."""
        from pytest_leakpro.stats.multivariate_ratio import multivariate_ratio

        own = self._chosen(target)
        chosen = scratch_array((len(shadow), *own.shape), np.float64)
        for rows, read in zip(chosen, shadow, strict=True):
            rows[:] = self._chosen(read)
        return multivariate_ratio(chosen, included, own, self.variance)

    def _chosen(self, read: NDArray[Any]) -> NDArray[Any]:
        """Choose signals from what was read of one model."""
        first = 1 + n_losses(self.season)
        spread, losses, errors = read[0], read[1:first], read[first:]
        if self.signals == "losses":
            return losses
        if self.signals == "scaled":
            return np.asarray(errors / spread)
        if self.signals == "all":
            return np.vstack([losses, errors / spread])
        return errors
