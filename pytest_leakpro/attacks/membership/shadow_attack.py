"""Attacks that calibrate each record by shadow models which saw it and others which did not.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import special

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.membership.playing import plays
from pytest_leakpro.store.scratch import scratch_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.record_facts import RecordFacts
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["ShadowAttack", "clip_at_resolution", "read_in_blocks", "resolution"]

_SATURATED = 600.0


@dataclass(frozen=True)
class ShadowAttack(MembershipAttack):
    """An attack whose score of a record follows from the target's signal and the shadow models'.

    A signal is the log-odds of the true class, or minus the squared error of a regressor.
    """

    calibrated: ClassVar[bool] = True
    needs_shadow: ClassVar[bool] = True

    def variants(self, *, regression: bool) -> tuple[ShadowAttack, ...]:
        """Give the variants among which shadow models choose; by default this one alone.

        Variants of one attack are one attack: the best is chosen by letting each shadow model play
        the target of the others, and only that one is run.
        """
        del regression
        return (self,)

    def lacking(self, shadow: ShadowSignals) -> str | None:
        """Say why shadow models that are at hand do not do; None where they do."""
        del shadow
        return None

    def prepared(
        self, shadow: ShadowSignals, facts: RecordFacts, rng: np.random.Generator
    ) -> ShadowAttack:
        """Give the attack with all that it learns from shadow models; by default nothing.

        Parameters
        ----------
        shadow : ShadowSignals
            Signals on counted records, or some of them.
        facts : RecordFacts
            On the same records.
        rng : numpy.random.Generator
            The one that `score` would get.
        """
        del shadow, facts, rng
        return self

    def played(
        self, shadow: ShadowSignals, facts: RecordFacts, most: int
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
        """Score records where shadow models play the target of the others.

        Parameters
        ----------
        shadow, facts
            As for `prepared`.
        most : int
            At most how many play.

        Yields
        ------
        tuple of ndarray
            Scores, and whether the model that plays saw the record; each of shape (n,).
        """
        del facts
        for play in plays(shadow, most):
            yield self.score_records(play.target, play.shadow, play.included), play.saw

    @abstractmethod
    def score_records(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Score records.

        Parameters
        ----------
        target : ndarray of shape (n,)
            The attacked model's signals.
        shadow : ndarray of shape (K, n)
            The shadow models'.
        included : ndarray of bool, shape (K, n)
            Which of them saw which record.

        Returns
        -------
        ndarray of shape (n,)
            Finite; the higher, the more likely a member.
        """

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score members and non-members together; see `MembershipAttack.score`."""
        del rng
        assert view.shadow is not None
        members, nonmembers = view.members, view.nonmembers
        target = np.concatenate([members.negative_loss, nonmembers.negative_loss])
        counted = slice(0, len(target))
        scores = self.score_records(
            target, view.shadow.shadow[:, counted], view.shadow.included[:, counted]
        )
        return scores[: len(members)], scores[len(members) :]


def resolution(shadow: NDArray[Any]) -> float:
    """Give the smallest probability that the models know, halved.

    Parameters
    ----------
    shadow : ndarray of shape (K, n)
        Log-odds.

    Returns
    -------
    float
        A forest of T trees with pure leaves knows none between 0 and 1/T: 1/(2T). A network whose
        probabilities go down to 1e-20 loses nothing.
    """
    largest = 0.0
    for row in shadow:  # one at a time: there may be more of them than memory holds
        sizes = np.abs(row)
        largest = max(largest, float(np.max(sizes, initial=0.0, where=sizes < _SATURATED)))
    smallest = float(special.expit(-largest)) if largest else 1e-6
    return min(max(smallest / 2, 1e-30), 0.25)


def clip_at_resolution(log_odds: NDArray[Any], smallest: float) -> NDArray[Any]:
    """Clip log-odds where the models cannot tell a probability from 0 or from 1."""
    limit = float(np.log1p(-smallest) - np.log(smallest))
    return np.asarray(np.clip(log_odds, -limit, limit))


def read_in_blocks(
    shadow: NDArray[Any], read: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[Any]:
    """Apply a function of single signals to all of them, in bounded memory.

    Parameters
    ----------
    shadow : ndarray of shape (K, n)
    read : callable
        From an array to one of the same shape.

    Returns
    -------
    ndarray of shape (K, n)
        Mapped from a file where it is large.
    """
    result = scratch_array(shadow.shape, np.float64)
    for row, signals in zip(result, shadow, strict=True):
        row[:] = read(signals)
    return result
