"""Queries that set surrogate models at odds: by gradients where there are any, else by search.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.input_gradients import TorchBlock, has_gradients
from pytest_leakpro.shadow.executor import default_workers
from pytest_leakpro.targets.containers import take
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.perturbing import Movable
    from pytest_leakpro.attacks.membership.surrogates import Surrogates
    from pytest_leakpro.targets.records import Records

__all__ = ["LARGEST_MARGIN", "Aim", "Crafted", "Crafting"]

LARGEST_MARGIN = 30.0
"""A surrogate's lead for a label beyond it says no more."""

_BATCH = 256  # records whose gradients are taken at a time
_CELLS = 1 << 22  # numbers of candidates that are held at a time
_MOST_SEARCHED = 2048  # records
_CANDIDATES = 4
_FINEST, _COARSEST = -2.0, 2.0  # moves over the length of a step, as logarithms


class Aim(ABC):
    """What is wanted of each surrogate at each record, and which moved record is taken.

    Attributes
    ----------
    pull : ndarray of shape (K, n)
        Above 0: that it predicts the true label, and how much that weighs; below 0: that it
        predicts another; 0: nothing.
    asked : ndarray of bool, shape (K, n)
        Whose answers are wanted, beside those that steer.
    n_kept : int
        How many moved records are taken of each.
    enough : float
        A record all of whose worths are at least this is not moved on.
    thrifty : bool
        Whether a search prefers the most gain per move to the most gain.
    """

    enough: ClassVar[float] = np.inf
    thrifty: ClassVar[bool] = False

    def __init__(
        self, pull: NDArray[np.float64], asked: NDArray[np.bool_], n_kept: int = 1
    ) -> None:
        self.pull = pull
        self.asked = asked | (pull != 0)
        self.n_kept = n_kept

    @abstractmethod
    def worth(
        self, step: int, margins: NDArray[np.float64], positions: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Say how good it is to take the records as they are after a step.

        Parameters
        ----------
        step : int
            0 for the records as they were given.
        margins : ndarray of shape (K, b)
            By how much each surrogate holds to the true label; NaN where it was not asked.
        positions : ndarray of int, shape (b,)
            Which records these are.

        Returns
        -------
        ndarray of shape (n_kept, b)
            The first step of the largest worth is taken.
        """


@dataclass(frozen=True, repr=False, eq=False)
class Crafted:
    """Moved records of one block.

    Attributes
    ----------
    positions : ndarray of int, shape (b,)
        Which records they were.
    matrices : ndarray of shape (n_kept, b, d)
        Their numbers.
    margins : ndarray of shape (n_kept, K, b)
        The surrogates' margins there, NaN where nobody asked.
    """

    positions: NDArray[np.intp]
    matrices: NDArray[np.float64]
    margins: NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class Crafting:
    """Moves records so that surrogates answer as wanted.

    Attributes
    ----------
    surrogates : Surrogates
    movable : Movable
        Which numbers of a record move, and in which units.
    steps : int
        How many at most.
    length : float
        Root mean square of what a step moves, in units of the numbers.
    """

    surrogates: Surrogates
    movable: Movable
    steps: int
    length: float

    def blocks(self, records: Records, aim: Aim, rng: np.random.Generator) -> Iterator[Crafted]:
        """Move records, block by block.

        Which records stand together in a block is drawn, so that it tells nothing of them.

        Parameters
        ----------
        records : Records
            n of them, with true labels.
        aim : Aim
        rng : numpy.random.Generator

        Yields
        ------
        Crafted
        """
        surrogates = self.surrogates
        few = _rows(records, np.arange(min(2, len(records))))
        gradients = has_gradients(surrogates.models, surrogates.reader, few, self.movable)
        size = _BATCH
        if not gradients:
            size = max(1, min(_MOST_SEARCHED, _CELLS // (len(self.movable) * _CANDIDATES)))
        order = rng.permutation(len(records))
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        seeds = rng.integers(2**63, size=len(parts))

        def craft(part: tuple[NDArray[np.intp], int]) -> Crafted:
            if gradients:
                return self._descend(records, aim, part[0])
            return self._search(records, aim, part[0], np.random.default_rng(part[1]))

        work = list(zip(parts, seeds, strict=True))
        # A user's own function may not bear to be asked from two threads.
        at_once = min(default_workers(), len(work)) if gradients else 1
        with one_thread():
            if at_once == 1:
                yield from map(craft, work)
                return
            with ThreadPoolExecutor(at_once) as pool:
                for start in range(0, len(work), at_once):
                    yield from pool.map(craft, work[start : start + at_once])

    def _descend(self, records: Records, aim: Aim, positions: NDArray[np.intp]) -> Crafted:
        """Follow normalised gradients with momentum."""
        surrogates = self.surrogates
        block = TorchBlock(
            _rows(records, positions), self.movable, surrogates.models, surrogates.reader
        )
        pull, asked = aim.pull[:, positions], aim.asked[:, positions]
        best = _Best(aim, positions, len(self.movable))
        for step in range(self.steps + 1):
            margins = block.read(pull, asked, gradients=step < self.steps)
            margins = np.clip(margins, -LARGEST_MARGIN, LARGEST_MARGIN)
            left = best.see(step, margins, block.matrix)
            if not left.any():
                break
            pull, asked = pull * left, asked & left
            if step < self.steps:
                block.move(self.length)
        return best.crafted()

    def _search(
        self, records: Records, aim: Aim, positions: NDArray[np.intp], rng: np.random.Generator
    ) -> Crafted:
        """Try a few moves of each record at a time, and go on from the best of them."""
        block = _rows(records, positions)
        pull, asked = aim.pull[:, positions], aim.asked[:, positions]
        start = now = self.movable.matrix(block.inputs)
        n_records, d = now.shape
        margins = self._ask(block, now, asked)
        reached = _loss(margins, pull)
        best = _Best(aim, positions, d)
        several = _rows(block, np.tile(np.arange(n_records), _CANDIDATES))
        rows = np.arange(n_records)
        for step in range(self.steps + 1):
            left = best.see(step, margins, now)
            if not left.any() or step == self.steps:
                break
            pull, asked = pull * left, asked & left
            moves = self._moves(n_records, rng)
            tried = self.movable.clip(now + moves * self.movable.scale, start)
            read = self._ask(several, tried.reshape(-1, d), np.tile(pull != 0, _CANDIDATES))
            losses = _loss(read, np.tile(pull, _CANDIDATES)).reshape(_CANDIDATES, n_records)
            gains = reached - losses
            if aim.thrifty:
                gains /= np.sqrt(np.square(moves).sum(axis=2)) + 1e-12
            chosen = gains.argmax(axis=0)
            better = losses[chosen, rows] < reached
            reached = np.where(better, losses[chosen, rows], reached)
            now = np.where(better[:, None], tried[chosen, rows], now)
            moved = np.flatnonzero(better)
            if len(moved):
                margins = margins.copy()
                margins[:, moved] = self._ask(_rows(block, moved), now[moved], asked[:, moved])
        return best.crafted()

    def _moves(self, n_records: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw moves in units of the numbers: coarse and fine ones, of one column and of all."""
        d = len(self.movable)
        each = _CANDIDATES, n_records, 1
        moves = rng.standard_normal((_CANDIDATES, n_records, d))
        moves[rng.random(moves.shape) > d ** -rng.random(each)] = 0
        return moves * self.length * np.exp(rng.uniform(_FINEST, _COARSEST, each))

    def _ask(
        self, records: Records, matrix: NDArray[np.float64], wanted: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Give margins of surrogates at moved records, shape (K, n), NaN where unwanted."""
        margins = np.full(wanted.shape, np.nan)
        moved = replace(records, inputs=self.movable.rebuild(records.inputs, matrix))
        for index, mask in enumerate(wanted):
            rows = np.flatnonzero(mask)
            if len(rows):
                margins[index, rows] = self.surrogates.margins(index, _rows(moved, rows))
        return np.asarray(np.clip(margins, -LARGEST_MARGIN, LARGEST_MARGIN))


class _Best:
    """The moved records of the largest worth so far."""

    def __init__(self, aim: Aim, positions: NDArray[np.intp], d: int) -> None:
        n_models, n_records = len(aim.pull), len(positions)
        self._aim = aim
        self._positions = positions
        self._worth = np.full((aim.n_kept, n_records), -np.inf)
        self._matrices = np.empty((aim.n_kept, n_records, d))
        self._margins = np.empty((aim.n_kept, n_models, n_records))

    def see(
        self, step: int, margins: NDArray[np.float64], matrix: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Look at the records after a step; tells which are to be moved on, shape (b,)."""
        worth = self._aim.worth(step, margins, self._positions)
        for kept, row in enumerate(worth):
            better = row > self._worth[kept]
            self._worth[kept, better] = row[better]
            self._matrices[kept, better] = matrix[better]
            self._margins[kept][:, better] = margins[:, better]
        return np.asarray((self._worth < self._aim.enough).any(axis=0))

    def crafted(self) -> Crafted:
        """Give them."""
        return Crafted(self._positions, self._matrices, self._margins)


def _loss(margins: NDArray[np.float64], pull: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh the cross-entropies against what is wanted, shape (n,)."""
    against = np.where(pull != 0, -np.sign(pull) * margins, 0.0)
    return np.asarray(np.sum(np.abs(pull) * np.logaddexp(0.0, against), axis=0))


def _rows(records: Records, positions: NDArray[np.intp]) -> Records:
    return replace(
        records, inputs=take(records.inputs, positions), labels=records.labels[positions]
    )
