"""Groundhog: shadow generators teach what a release made with a record looks like.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.playing import FEWEST_PLAYERS
from pytest_leakpro.attacks.synthetic.base_attack import ReleaseMembershipAttack
from pytest_leakpro.attacks.synthetic.table_scores import play, score_release
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView
    from pytest_leakpro.targets.shadow_tables import ShadowTables

__all__ = ["Groundhog", "Sum"]

_MOST_RECORDS = 20_000
_JUDGED_AT = np.array([0.01])
_MOST_ROWS = 30_000
_CALM = 5.0


@dataclass(frozen=True)
class Groundhog(ReleaseMembershipAttack):
    """Compare the release with those of generators that saw the record, and that did not.

    Two kinds of scores: of the release as a whole, by a ridge regression of who was seen on its
    moments, histograms and correlations; and of what lies beside the record, by likelihood ratios
    of distances, densities and counts. A logistic regression adds the scores up. Which of all
    these is used, and the weights of the sum, follow from letting shadow releases play the one
    that is attacked.

    Parameters
    ----------
    most_targets : int
        At most how many shadow releases play, at least 2.

    References
    ----------
    Stadler, Oprisanu and Troncoso (2022), Synthetic data - anonymisation groundhog day, USENIX
    Security, sections 4.2 and 6.1: there with generators that are trained for one record each.
    Carlini et al. (2022), Membership inference attacks from first principles, IEEE S&P,
    algorithm 1, of the readings beside a record.
    """

    name: ClassVar[str] = "groundhog"
    rank: ClassVar[int] = 245
    calibrated: ClassVar[bool] = True
    needs_shadow: ClassVar[bool] = True

    most_targets: int = 16

    def __post_init__(self) -> None:
        if not isinstance(self.most_targets, int) or self.most_targets < 2:
            raise LeakproError(
                "groundhog: most_targets is a whole number of at least 2, not "
                f"{self.most_targets!r}"
            )

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and target.generate is None:
            return (
                "it trains generators as the release was made: give generate=, a function "
                "(df, seed) -> df"
            )
        return reason

    def score(
        self,
        view: ReleaseView,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is drawn
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score every record; see `ReleaseMembershipAttack.score`.

        Raises
        ------
        LeakproError
            Where no shadow generators were trained.
        """
        tables = view.shadow_tables
        if tables is None:
            raise LeakproError(f"the attack {self.name!r} needs shadow generators")
        import_module("sklearn.linear_model")  # only what is loaded already is held to one thread
        with one_thread():
            scores = self.learned(tables).of(score_release(tables))
        return scores[: view.n_members], scores[view.n_members :]

    def learned(self, tables: ShadowTables) -> Sum:
        """Learn how records are scored, by letting shadow releases play the one that is attacked.

        Parameters
        ----------
        tables : ShadowTables
            With fewer than six of them none can play, and the joint likelihood ratio is taken.

        Returns
        -------
        Sum
            The best of the sum of all scores and each of them alone. The attacked release plays no
            part in it.
        """
        if tables.n_tables < FEWEST_PLAYERS:
            return Sum.only("joint")
        records = np.arange(tables.n_records)
        if len(records) > _MOST_RECORDS:
            records = np.linspace(0, len(records) - 1, _MOST_RECORDS).astype(np.intp)
        n_plays = min(tables.n_tables, self.most_targets)
        played = [play(tables, index, records) for index in range(n_plays)]
        powers = {
            name: float(np.mean([_power(scores[name], saw) for scores, saw in played]))
            for name in played[0][0]
        }
        best = max(powers, key=lambda name: powers[name])
        of_set = [name for name in powers if name.startswith("set ")]
        others = tuple(name for name in powers if name not in of_set)
        added = *others, max(of_set, key=lambda name: powers[name])
        sums = []
        for start in range(0, n_plays, 2):
            # Judged on a pair of releases of which the weights know nothing.
            rest = played[:start] + played[start + 2 :]
            if rest:
                learned = Sum.learned(added, rest)
                pair = played[start : start + 2]
                sums += [_power(learned.of(scores), saw) for scores, saw in pair]
        if sums and np.mean(sums) >= powers[best]:
            return Sum.learned(added, played)
        return Sum.only(best)


def _power(scores: NDArray[Any], saw: NDArray[np.bool_]) -> float:
    """Tell how well scores find members: at all rates, and at low ones."""
    members, nonmembers = scores[saw], scores[~saw]
    at_low = tpr_at(*roc_points(members, nonmembers), _JUDGED_AT)
    return auc(members, nonmembers) + float(at_low[0])


@dataclass(frozen=True, eq=False)
class Sum:
    """Scores added up with weights.

    Attributes
    ----------
    names : tuple of str
        Which scores; see `score_release`.
    weights : ndarray of shape (len(names),)
    """

    names: tuple[str, ...]
    weights: NDArray[np.float64]

    @classmethod
    def only(cls, name: str) -> Sum:
        """Give a single score."""
        return cls((name,), np.ones(1))

    @classmethod
    def learned(
        cls,
        names: tuple[str, ...],
        played: list[tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]],
    ) -> Sum:
        """Learn the weights where it is known who was seen."""
        from sklearn.linear_model import LogisticRegression

        step = max(1, sum(len(saw) for _, saw in played) // _MOST_ROWS)
        columns = np.concatenate([_columns(names, scores)[::step] for scores, _ in played])
        saw = np.concatenate([saw[::step] for _, saw in played])
        scale = columns.std(axis=0)
        scale[scale == 0] = 1.0
        model = LogisticRegression(max_iter=200).fit(columns / scale, saw)
        return cls(names, model.coef_[0] / scale)

    def of(self, scores: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Add up some scores, shape (n,)."""
        return np.asarray(_columns(self.names, scores) @ self.weights)


def _columns(names: tuple[str, ...], scores: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    columns = np.column_stack([scores[name] for name in names])
    # A few records with huge ratios would have all the weight.
    return np.arcsinh(columns / _CALM)
