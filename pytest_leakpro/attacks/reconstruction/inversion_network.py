"""Records from what a model says of them, by an auxiliary network.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.reconstruction.base_attack import DEFAULT_ATTEMPTS, ReconstructionAttack
from pytest_leakpro.attacks.reconstruction.nearness import Attempts
from pytest_leakpro.attacks.reconstruction.record_space import RecordSpace
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.seeding import derive_number
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.record_numbers import numbers
from pytest_leakpro.targets.signals import RegressionSignals

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.signals import Signals

__all__ = ["InversionNetwork"]

_LARGEST_ODDS = 30.0


@dataclass(frozen=True)
class InversionNetwork(ReconstructionAttack):
    """What a network makes of a model's outputs that learned to turn them back into records.

    The network is trained on the population: the model's log-odds (or predictions) and labels in,
    records out. Then it is given the model's outputs on members, and on as many non-members.

    Parameters
    ----------
    attempts : int, optional
        How many members, and as many non-members, to rebuild, at least 10; by default all, at most
        400.
    hidden : int
        Width of both hidden layers, at least 1.
    epochs : int
        At most how many passes over the population, at least 1; fewer where a tenth of it that is
        held out is predicted no better.

    References
    ----------
    Yang et al. (2019), Neural network inversion in adversarial setting via background knowledge
    alignment, CCS, section 4.1, without truncation.
    """

    name: ClassVar[str] = "inversion_network"
    access: ClassVar[Access] = Access.SCORES
    needs_population: ClassVar[bool] = True
    rank: ClassVar[int] = 422

    hidden: int = 128
    epochs: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        for option in ("hidden", "epochs"):
            value = getattr(self, option)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise LeakproError(
                    f"{option} of the attack {self.name!r}: give a whole number of at least 1"
                )

    def n_attempts(self, view: MembershipView) -> int:
        """Give how many members are rebuilt; see `ReconstructionAttack`."""
        most = min(len(view.records("members")), len(view.records("nonmembers")))
        return min(self.attempts or DEFAULT_ATTEMPTS, most)

    def rebuild(
        self,
        view: MembershipView,
        rng: np.random.Generator,
        say: Callable[[str], None],  # noqa: ARG002 - it takes seconds
    ) -> Attempts:
        """Train on the population, then rebuild; see `ReconstructionAttack.rebuild`."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        space = RecordSpace.of(view)
        size = self.n_attempts(view)
        attempted = np.sort(rng.choice(len(space.members), size, replace=False))
        decoys = np.sort(rng.choice(len(space.nonmembers), size, replace=False))
        assert view.population is not None
        known = numbers(view.records("population").inputs, space.columns)
        with np.errstate(invalid="ignore"):
            centre = np.nan_to_num(np.nanmean(known, axis=0))
        known = np.where(np.isnan(known), centre, known)
        early = len(known) >= 100
        network = MLPRegressor(
            hidden_layer_sizes=(self.hidden, self.hidden),
            max_iter=self.epochs,
            early_stopping=early,
            random_state=derive_number(int(rng.integers(2**31)), self.name),
        )
        inverse = make_pipeline(StandardScaler(), network)
        wanted = (known - centre) / space.scale
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            inverse.fit(_seen(view.population), wanted)

        def back(signals: Signals, places: NDArray[np.intp]) -> NDArray[np.float64]:
            made = np.asarray(inverse.predict(_seen(signals)[places])).reshape(size, -1)
            return np.asarray(made * space.scale + centre, dtype=np.float64)

        return Attempts(
            back(view.members, attempted), attempted, decoys, back(view.nonmembers, decoys)
        )


def _seen(signals: Any) -> NDArray[np.float64]:
    """Give what the attacker sees of each record: outputs, and the label."""
    if isinstance(signals, RegressionSignals):
        return np.hstack([signals.predictions, signals.labels])
    labels = np.eye(signals.n_classes)[signals.labels]
    return np.hstack([np.clip(signals.log_odds, -_LARGEST_ODDS, _LARGEST_ODDS), labels])
