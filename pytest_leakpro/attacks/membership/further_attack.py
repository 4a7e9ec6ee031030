"""Shadow attacks that read more of every model than its loss on a record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.membership.playing import others_further
from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.record_facts import RecordFacts
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["FurtherShadowAttack"]


@dataclass(frozen=True)
class FurtherShadowAttack(ShadowAttack):
    """An attack whose score follows from several numbers that each model gives per record.

    A subclass names its reading, and scores from what was read.
    """

    @abstractmethod
    def reading(self, view: MembershipView) -> Reading:
        """Give what is to be read of the target and its shadow models alike."""

    @property
    @abstractmethod
    def reading_name(self) -> str:
        """The name of that reading."""

    @abstractmethod
    def score_further(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Score records.

        Parameters
        ----------
        target : ndarray of shape (q, n)
            What was read of the attacked model.
        shadow : ndarray of shape (K, q, n)
            What was read of the shadow models.
        included : ndarray of bool, shape (K, n)
            Which of them saw which record.

        Returns
        -------
        ndarray of shape (n,)
            Finite; the higher, the more likely a member.
        """

    def readings(self, view: MembershipView) -> tuple[Reading, ...]:
        """Give the one reading; see `MembershipAttack.readings`."""
        return (self.reading(view),)

    def lacking(self, shadow: ShadowSignals) -> str | None:
        """Refuse shadow signals that were brought along without it; see `ShadowAttack.lacking`."""
        if self.reading_name in shadow.further:
            return None
        return (
            f"it reads {self.reading_name} of the shadow models, and signals= brings their losses "
            "only: give train= instead, so that they are trained here"
        )

    def played(
        self, shadow: ShadowSignals, facts: RecordFacts, most: int
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
        """Score records where shadow models play the target; see `ShadowAttack.played`."""
        del facts
        read = shadow.further[self.reading_name]
        for index in range(min(shadow.n_models, most)):
            signals, included = others_further(read, shadow.included, index)
            target = np.asarray(read[index])
            yield self.score_further(target, signals, included), shadow.included[index]

    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Score from losses alone, as if they were all that was read."""
        return self.score_further(target[None], shadow[:, None], included)

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score members and non-members together; see `MembershipAttack.score`."""
        del rng
        assert view.shadow is not None
        if self.reading_name not in view.shadow.further:
            raise LeakproError(
                f"the attack {self.name!r} does not match: {self.lacking(view.shadow)}"
            )
        target = view.further(self.reading(view))
        n_members, n_records = len(view.records("members")), target.shape[1]
        scores = self.score_further(
            target, view.shadow.further[self.reading_name], view.shadow.included[:, :n_records]
        )
        return scores[:n_members], scores[n_members:]
