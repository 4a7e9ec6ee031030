"""What attacks on a release of synthetic data have in common.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.attempts import MOST_ATTEMPTS, check_attempts, number_of_attempts
from pytest_leakpro.attacks.base import Attack
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.targets.synthetic_data import SyntheticData

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.mixed_table import MixedTable
    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = [
    "GuessingAttack",
    "ReleaseAttack",
    "ReleaseMembershipAttack",
    "UnattackableError",
    "right_guesses",
]

_DAY = 86_400.0


class UnattackableError(LeakproError):
    """A release gives an attack nothing to work on: no guess could be made."""


@dataclass(frozen=True)
class ReleaseAttack(Attack):
    """An attack on a release by who sees nothing but the release.

    Attributes
    ----------
    reads_texts : bool
        Whether it attacks lists of texts too, or else tables alone.
    at_once : bool
        Whether all columns are attacked at once where a metric names none.
    """

    targets: ClassVar[tuple[type, ...]] = (SyntheticData,)
    access: ClassVar[None] = None
    reads_texts: ClassVar[bool] = False
    at_once: ClassVar[bool] = False

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        found = super().mismatch(target)
        if found is None and target.is_text and not self.reads_texts:
            found = "it attacks the columns of tables, and lists of texts have none"
        return found

    def lacks_texts(self, target: SyntheticData) -> str | None:
        """Say that there are no texts where that is so: for attacks on nothing else."""
        if target.roles.texts:
            return None
        return "it looks for texts, and the tables have no column of free text"

    def columns_of(self, view: ReleaseView) -> tuple[Hashable, ...]:
        """Give the columns that are attacked one by one; none where the attack is on all at once.

        Parameters
        ----------
        view : ReleaseView
            Not yet attacked.
        """
        del view
        return ()

    def part_of(self, metric: MetricName) -> str | None:
        """Give the column that a metric names: its argument, by default."""
        return metric.argument

    def set_for(self, metric: MetricName) -> ReleaseAttack:
        """Give the attack as a metric's argument sets it: as it is, by default."""
        del metric
        return self

    def sizes(self, view: ReleaseView, column: Hashable | None = None) -> tuple[int, int]:
        """Tell the sizes of the evidence beforehand, as far as rows and settings tell them.

        Parameters
        ----------
        view : ReleaseView
            Not yet attacked.
        column : hashable, optional
            The column that is attacked, where these are attacked one by one.
        """
        del column
        return view.n_members, view.n_nonmembers

    @abstractmethod
    def run(
        self, view: ReleaseView, rng: np.random.Generator, column: Hashable | None = None
    ) -> Evidence:
        """Attack a release.

        Parameters
        ----------
        view : ReleaseView
            The release, its source and the control.
        rng : numpy.random.Generator
            Derived from the session's seed, the attack's name and the column's.
        column : hashable, optional
            The column that is attacked, where these are attacked one by one.

        Returns
        -------
        Evidence

        Raises
        ------
        UnattackableError
            Where the release gives nothing to work on.
        """


@dataclass(frozen=True)
class GuessingAttack(ReleaseAttack):
    """An attack that makes a guess about each of some records, right or wrong.

    Parameters
    ----------
    attempts : int, optional
        How many records of the source, and as many of the control, to attack, at least 10; by
        default all, at most 5,000.
    """

    attempts: int | None = None

    def __post_init__(self) -> None:
        check_attempts(self.attempts, self.name)

    def sizes(
        self,
        view: ReleaseView,
        column: Hashable | None = None,  # noqa: ARG002 - as many, whatever is attacked
    ) -> tuple[int, int]:
        """Give the attempts on source and control; see `ReleaseAttack.sizes`."""
        most = self.attempts or MOST_ATTEMPTS
        return min(view.n_members, most), min(view.n_nonmembers, most)

    def attacked(
        self, view: ReleaseView, rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Draw the records to attack without replacement.

        Returns
        -------
        original, control : ndarray of int
            Positions in either table.

        Raises
        ------
        LeakproError
            Where there are fewer rows than the attempts asked for.
        """
        drawn = [
            np.sort(rng.choice(n, size=self.n_attempts(side, n), replace=False))
            for side, n in (("original", view.n_members), ("control", view.n_nonmembers))
        ]
        return drawn[0], drawn[1]

    def n_attempts(self, side: str, n: int) -> int:
        """Give the number of attempts on n rows.

        Raises
        ------
        LeakproError
            Where there are fewer rows than the attempts asked for.
        """
        return number_of_attempts(self.attempts, n, self.name, side)


@dataclass(frozen=True)
class ReleaseMembershipAttack(ReleaseAttack):
    """An attack that gives every record a score: the higher, the more likely of the source."""

    metrics: ClassVar[tuple[str, ...]] = ("tpr", "auc", "advantage")

    @abstractmethod
    def score(
        self, view: ReleaseView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score every record of the source and of the control.

        Parameters
        ----------
        view : ReleaseView
            The release, its source, the control and, where there is one, the population.
        rng : numpy.random.Generator
            For attacks that draw.

        Returns
        -------
        members, nonmembers : ndarray of shape (n_rows,)
            Finite scores. Nothing may be fitted on the control, nor on who is in the source.
        """

    def run(
        self,
        view: ReleaseView,
        rng: np.random.Generator,
        column: Hashable | None = None,  # noqa: ARG002 - a record is a member with all its columns
    ) -> MembershipScores:
        """Score every record; see `ReleaseAttack.run`."""
        members, nonmembers = view.per_unit(*self.score(view, rng))
        return MembershipScores(members, nonmembers, name=self.name)


def right_guesses(
    truth: MixedTable,
    guess: MixedTable,
    column: Hashable,
    tolerance: float,
) -> NDArray[np.bool_]:
    """Tell which guesses of one column are right.

    Parameters
    ----------
    truth, guess : MixedTable
        As many rows each.
    column : hashable
        Which column.
    tolerance : float
        Of a number, how far off a guess may be as a share of the truth; at least 0.

    Returns
    -------
    ndarray of bool, shape (n,)
        A category must be the same, a date the same to a day, a number within the tolerance; what
        is missing must be guessed to be missing.
    """
    true, guessed = truth.values[column], guess.values[column]
    kind = truth.kinds[column]
    if kind == "category":
        return np.asarray(true == guessed)
    reach = np.full(len(true), _DAY) if kind == "date" else tolerance * np.abs(true)
    with np.errstate(invalid="ignore"):
        close = np.abs(true - guessed) <= reach
    return np.asarray(close | (np.isnan(true) & np.isnan(guessed)))
