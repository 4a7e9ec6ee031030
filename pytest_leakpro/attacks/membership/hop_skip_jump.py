"""HopSkipJump: how far a record is from where its label changes, by labels alone.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Norm", "Plan", "Points", "boundary_distances", "plan_walk"]

Norm = Literal["l2", "linf"]
Crossed = Callable[["NDArray[np.intp]", "NDArray[np.float64]"], "NDArray[np.bool_]"]

_LONGEST_STEP_SEARCH = 6
_MOST_DIRECTIONS = 100  # at the first step, as in the paper
_FEWEST_DIRECTIONS = 4
# Noise from a tenth of a standard deviation to five; the last tries are anywhere in the range.
_NOISE = (0.1, 5.0)
_ANYWHERE = 5


@dataclass(frozen=True)
class Plan:
    """What a walk asks for each record, fixed before it starts.

    So no record's distance depends on how others fare.

    Attributes
    ----------
    tries : int
        At most how many starting points are tried.
    halvings : int
        Queries of each search along a line to the boundary.
    directions : tuple of int
        How many directions each step looks into.
    """

    tries: int
    halvings: int
    directions: tuple[int, ...]

    @property
    def queries(self) -> int:
        """At most how many queries a record costs."""
        each = _LONGEST_STEP_SEARCH + self.halvings
        return self.tries + self.halvings + sum(self.directions) + each * len(self.directions)


def plan_walk(queries: int, tries: int, n_numbers: int, norm: Norm) -> Plan:
    """Divide a budget of queries.

    Parameters
    ----------
    queries : int
        At most how many per record.
    tries : int
        How many of them to find a starting point.
    n_numbers : int
        Dimension, d.
    norm : {"l2", "linf"}

    Returns
    -------
    Plan
        Lines are searched to d^-3/2 of their length (d^-2 in the maximum norm), at least to 1/1000;
        steps look into a number of directions that grows with the root of the step's.
    """
    exponent = 1.5 if norm == "l2" else 2.0
    halvings = max(10, int(np.ceil(exponent * np.log2(n_numbers))))
    left = queries - tries - halvings
    first = int(np.clip(left // 15, _FEWEST_DIRECTIONS, _MOST_DIRECTIONS))
    directions: list[int] = []
    while True:
        wanted = int(first * np.sqrt(len(directions) + 1))
        left -= wanted + _LONGEST_STEP_SEARCH + halvings
        if left < 0:
            return Plan(tries, halvings, tuple(directions))
        directions.append(wanted)


@dataclass(frozen=True, repr=False, eq=False)
class Points:
    """Records as points, in the unit in which distances are measured.

    Attributes
    ----------
    at : ndarray of shape (n, d)
        Where they are.
    low, high : ndarray of shape (n, d)
        Where they may go.
    free : ndarray of bool, shape (n, d)
        Which of their numbers may move.
    """

    at: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    free: NDArray[np.bool_]

    def within(self, points: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Bring points back to where the records of these rows may go."""
        inside = np.clip(points, self.low[rows], self.high[rows])
        return np.where(self.free[rows], inside, self.at[rows])


def boundary_distances(
    points: Points, crossed: Crossed, plan: Plan, norm: Norm, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Walk along the decision boundary towards each record, all of them at once.

    Parameters
    ----------
    points : Points
        n records that the model labels rightly.
    crossed : callable
        From row numbers (m,) and points (m, d) to whether the model labels that record wrongly
        there, (m,).
    plan : Plan
        What to ask.
    norm : {"l2", "linf"}
        In which distances are measured.
    rng : numpy.random.Generator
        For directions, which are the same for all records: given them a record's distance follows
        from the record alone.

    Returns
    -------
    ndarray of shape (n,)
        Of the nearest point found beyond the boundary; infinite where none was found.

    References
    ----------
    Chen, Jordan and Wainwright (2020), HopSkipJumpAttack: a query-efficient decision-based attack,
    IEEE S&P, algorithm 2: equation 9 (directions, less their mean), 13 (step size); section IV.C.
    """
    walk = _Walk(points, crossed, plan, norm)
    everywhere = walk.start(rng)
    rows = np.flatnonzero(np.isfinite(everywhere).all(axis=1))
    distances = np.full(len(points.at), np.inf)
    here = walk.approach(rows, everywhere[rows])
    nearest = walk.distance(rows, here)
    for step, n_directions in enumerate(plan.directions, start=1):
        away = walk.distance(rows, here)
        normal = walk.normal(rows, here, away, _draw(n_directions, points.at.shape[1], norm, rng))
        here = walk.approach(rows, walk.leap(rows, here, normal, away / np.sqrt(step)))
        nearest = np.minimum(nearest, walk.distance(rows, here))
    distances[rows] = nearest
    return distances


def _draw(count: int, n_numbers: int, norm: Norm, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw directions of length 1, shape (count, d)."""
    size = (count, n_numbers)
    drawn = rng.normal(size=size) if norm == "l2" else rng.uniform(-1, 1, size=size)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


@dataclass(frozen=True, repr=False, eq=False)
class _Walk:
    """The moves of a walk, each for many records at a time."""

    points: Points
    crossed: Crossed
    plan: Plan
    norm: Norm

    def distance(self, rows: NDArray[np.intp], here: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give how far points are from their records."""
        apart = np.abs(here - self.points.at[rows])
        return np.asarray(
            np.sqrt(np.sum(apart**2, axis=1)) if self.norm == "l2" else apart.max(axis=1)
        )

    def start(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Find a point beyond the boundary for each record, by more and more noise; else NaN."""
        points = self.points
        n, size = points.at.shape
        found = np.full((n, size), np.nan)
        lost = np.arange(n)
        n_noisy = max(1, self.plan.tries - _ANYWHERE)
        sizes = np.geomspace(*_NOISE, n_noisy)
        # All at once, so that what is drawn later does not depend on when the last one is found.
        noise, shares = rng.normal(size=(n_noisy, size)), rng.uniform(size=(self.plan.tries, size))
        for attempt in range(self.plan.tries):
            if attempt < n_noisy:
                tried = points.at[lost] + sizes[attempt] * noise[attempt]
            else:
                low, high = points.low[lost], points.high[lost]
                tried = low + shares[attempt] * (high - low)
            tried = points.within(tried, lost)
            beyond = self.crossed(lost, tried)
            found[lost[beyond]] = tried[beyond]
            lost = lost[~beyond]
            if not len(lost):
                break
        return found

    def approach(self, rows: NDArray[np.intp], here: NDArray[np.float64]) -> NDArray[np.float64]:
        """Go back towards the records, up to the boundary, and stay beyond it."""
        at = self.points.at[rows]
        reach = self.distance(rows, here)[:, None]
        near, far = np.zeros((len(rows), 1)), np.ones((len(rows), 1))
        beyond = here
        for _ in range(self.plan.halvings):
            middle = (near + far) / 2
            if self.norm == "l2":
                tried = at + middle * (here - at)
            else:
                tried = np.clip(here, at - middle * reach, at + middle * reach)
            over = self.crossed(rows, tried)[:, None]
            beyond = np.where(over, tried, beyond)
            far, near = np.where(over, middle, far), np.where(over, near, middle)
        return beyond

    def normal(
        self,
        rows: NDArray[np.intp],
        here: NDArray[np.float64],
        away: NDArray[np.float64],
        directions: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Estimate the direction that leads deepest beyond the boundary, shape (m, d)."""
        count, size = directions.shape
        # As in the paper, but small in few dimensions too.
        apart = (away / max(size, 10))[:, None, None] + np.finfo(float).tiny
        asked = np.repeat(rows, count)
        there = here[:, None] + apart * directions
        there = self.points.within(there.reshape(-1, size), asked).reshape(there.shape)
        taken = (there - here[:, None]) / apart
        signs = self.crossed(asked, there.reshape(-1, size)).reshape(len(rows), count) * 2.0 - 1.0
        mean = signs.mean(axis=1, keepdims=True)
        weights = np.where(np.abs(mean) == 1, signs, signs - mean)
        normal = np.einsum("nb,nbd->nd", weights, taken)
        if self.norm == "linf":
            return np.asarray(np.sign(normal))
        length = np.sqrt(np.sum(normal**2, axis=1, keepdims=True))
        return np.asarray(normal / np.where(length > 0, length, 1))

    def leap(
        self,
        rows: NDArray[np.intp],
        here: NDArray[np.float64],
        normal: NDArray[np.float64],
        step: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Step off the boundary, by half as much as long as that leads back over it."""
        moved, waiting = here.copy(), np.arange(len(rows))
        for halved in range(_LONGEST_STEP_SEARCH):
            if not len(waiting):
                break
            tried = here[waiting] + (step[waiting] / 2**halved)[:, None] * normal[waiting]
            tried = self.points.within(tried, rows[waiting])
            beyond = self.crossed(rows[waiting], tried)
            moved[waiting[beyond]] = tried[beyond]
            waiting = waiting[~beyond]
        return moved
