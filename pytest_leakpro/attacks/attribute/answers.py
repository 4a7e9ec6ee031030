"""What a model says of records with each candidate in the place of the secret.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.gate.wording import quoted
from pytest_leakpro.targets.containers import concatenate, take
from pytest_leakpro.targets.signals import ClassSignals, RegressionSignals
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.attribute.candidates import Candidates
    from pytest_leakpro.targets.label_signals import LabelSignals
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.signals import Signals

__all__ = ["Answers", "ask", "best", "joined", "picked"]

_SAME = 1e-9
_MANY = 50_000  # queries, of which it is said beforehand


@dataclass(frozen=True, repr=False, eq=False)
class Answers:
    """The model's answers about n records with each of k candidates.

    Attributes
    ----------
    signals : sequence
        Of each candidate what the model says of all records.
    """

    signals: Sequence[Signals]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the predicted label is the true one, shape (n, k); of classifiers."""
        return np.stack([_classes(one).correct for one in self.signals], axis=1)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Log odds of the predicted label, shape (n, k); of a classifier's scores."""
        found = []
        for one in self.signals:
            assert isinstance(one, ClassSignals)
            found.append(one.log_odds.max(axis=1))
        return np.stack(found, axis=1)

    @property
    def negative_loss(self) -> NDArray[np.float64]:
        """The larger, the better the answer is, shape (n, k)."""
        return np.stack([one.negative_loss for one in self.signals], axis=1)

    @property
    def differ(self) -> NDArray[np.bool_]:
        """Whether the answer about a record depends on the candidate, shape (n,)."""
        first, *rest = [_said(one) for one in self.signals]
        return np.asarray(np.any([np.abs(one - first).max(axis=1) > _SAME for one in rest], axis=0))


def _classes(signals: Signals) -> ClassSignals | LabelSignals:
    assert not isinstance(signals, RegressionSignals)
    return signals


def _said(signals: Signals) -> NDArray[np.float64]:
    if isinstance(signals, ClassSignals):
        return signals.log_odds
    if isinstance(signals, RegressionSignals):
        return signals.predictions
    return signals.predicted[:, None].astype(np.float64)


def joined(sides: Sequence[Records]) -> Records:
    """Give the records of several sides as those of one, in their order."""
    n = sum(map(len, sides))
    return replace(
        sides[0],
        side="attacked records",
        inputs=concatenate([side.inputs for side in sides]),
        labels=np.concatenate([side.labels for side in sides]),
        units=record_units(n),
        y=concatenate([side.y for side in sides]),
        positions=np.arange(n, dtype=np.intp),
    )


def picked(records: Records, positions: NDArray[np.intp]) -> Records:
    """Give some of the records, each a unit of its own."""
    return replace(
        records,
        inputs=take(records.inputs, positions),
        labels=records.labels[positions],
        units=record_units(len(positions)),
        y=take(records.y, positions),
        positions=records.positions[positions],
    )


def ask(
    view: MembershipView,
    candidates: Candidates,
    records: Records,
    say: Callable[[str], None],
) -> Answers:
    """Ask the model about records with every candidate, all records at once.

    Parameters
    ----------
    view : MembershipView
        The model.
    candidates : Candidates
        What is put into the column.
    records : Records
        n records with their true labels; what stands in their column is not looked at.
    say : callable
        Told what it will cost, if it is much.
    """
    if len(candidates) * len(records) >= _MANY:
        say(f"{quoted(candidates.column)}: {len(candidates)} values x {len(records):,} records")
    asked = (
        replace(records, inputs=candidates.put(records.inputs, k)) for k in range(len(candidates))
    )
    return Answers([view.ask(one) for one in asked])


def best(scores: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Give for each row of scores the column of the largest; of several one at random.

    The order of candidates, which follows how common they are, must decide nothing.
    """
    most = scores == scores.max(axis=1, keepdims=True)
    drawn: NDArray[np.intp] = (rng.random(scores.shape) * most).argmax(axis=1)
    return drawn
