"""The boundary attack: what lies far from where its label changes was more likely seen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.hop_skip_jump import (
    Norm,
    Plan,
    Points,
    boundary_distances,
    plan_walk,
)
from pytest_leakpro.attacks.membership.perturbing import Movable, movable_of, perturbed
from pytest_leakpro.attacks.membership.perturbing_attack import PerturbingAttack
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import take
from pytest_leakpro.targets.signals import RegressionSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["BoundaryDistance"]

_CELLS = 1 << 22  # numbers that are sent to the model at a time
_FEWEST_QUERIES = 100


@dataclass(frozen=True)
class BoundaryDistance(PerturbingAttack):
    """Score a record by its distance from the decision boundary, which HopSkipJump finds by labels.

    What is labelled wrongly scores 0. Where no query finds a point beyond the boundary, the score
    is the diagonal of the range. Numeric columns move in units of their standard deviation (pixels
    in one unit for all), within the range seen.

    Parameters
    ----------
    queries : int
        At most how many per record, at least 100.
    norm : {"l2", "linf"}
        In which distances are measured.
    tries : int
        How many of the queries may go into finding a first point beyond the boundary.

    References
    ----------
    Choquette-Choo, Tramèr, Carlini and Papernot (2021), Label-only membership inference attacks,
    ICML, section 3.3; Li and Zhang (2021), Membership leakage in label-only exposures, CCS,
    section 3.3; the walk is that of Chen, Jordan and Wainwright (2020), IEEE S&P.
    """

    name: ClassVar[str] = "boundary"
    rank: ClassVar[int] = 61

    queries: int = 500
    norm: Norm = "l2"
    tries: int = 25

    def __post_init__(self) -> None:
        if self.norm not in ("l2", "linf"):
            raise LeakproError(f"boundary: norm is {self.norm!r}: give 'l2' or 'linf'")
        for name, least in (("queries", _FEWEST_QUERIES), ("tries", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise LeakproError(
                    f"boundary: {name} is {value!r}: give a whole number of at least {least}"
                )
        if self.tries > self.queries // 2:
            raise LeakproError(
                f"boundary: {self.tries} of {self.queries} queries go into finding a first point: "
                "give at most half of them as tries="
            )

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the distance of each record; see `MembershipAttack.score`."""
        numbers = movable_of(view)
        plan = plan_walk(self.queries, self.tries, len(numbers), self.norm)
        seed = int(rng.integers(2**63))
        members = self._distances(view, "members", numbers, plan, seed)
        return members, self._distances(view, "nonmembers", numbers, plan, seed)

    def _distances(
        self, view: MembershipView, side: str, numbers: Movable, plan: Plan, seed: int
    ) -> NDArray[np.float64]:
        signals = view.members if side == "members" else view.nonmembers
        assert not isinstance(signals, RegressionSignals)
        records = view.records(side)
        scores = np.zeros(len(records))
        right = np.flatnonzero(signals.correct)
        most = max((*plan.directions, 1))
        rows = max(1, _CELLS // (most * max(len(numbers), int(np.prod(records.shape[1:])))))
        for start in range(0, len(right), rows):
            block = right[start : start + rows]
            # The same draws for every block: a distance follows from the record alone.
            scores[block] = self._walk(
                view, records, block, numbers, plan, np.random.default_rng(seed)
            )
        return scores

    def _walk(
        self,
        view: MembershipView,
        records: Records,
        block: NDArray[np.intp],
        numbers: Movable,
        plan: Plan,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        inputs = take(records.inputs, block)
        at = numbers.matrix(inputs)
        low, high = np.minimum(numbers.low, at), np.maximum(numbers.high, at)
        free = ~numbers.missing(inputs)
        points = Points(at / numbers.scale, low / numbers.scale, high / numbers.scale, free)
        crossed = partial(_crossed, view, records, block, numbers)
        distances = boundary_distances(points, crossed, plan, self.norm, rng)
        return np.minimum(distances, self._farthest(numbers))

    def _farthest(self, numbers: Movable) -> float:
        sides = (numbers.high - numbers.low) / numbers.scale
        return float(np.sqrt(np.sum(sides**2)) if self.norm == "l2" else sides.max())


def _crossed(
    view: MembershipView,
    records: Records,
    block: NDArray[np.intp],
    numbers: Movable,
    rows: NDArray[np.intp],
    points: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Ask the model whether it labels records wrongly at these points."""
    if not len(rows):
        return np.zeros(0, dtype=bool)
    asked = perturbed(records, block[rows], points * numbers.scale, numbers)
    signals = view.ask(asked)
    assert not isinstance(signals, RegressionSignals)
    return ~signals.correct
