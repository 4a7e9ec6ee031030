"""Which shadow model is trained on which records.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.looks import FEWEST_EITHER_WAY
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.shadow_signals import FEWEST_MODELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Assignment", "models_per_unit"]


def models_per_unit(n_models: int, share: float) -> int:
    """Give the number of shadow models that each unit is in.

    Parameters
    ----------
    n_models : int
        Number of shadow models, at least 4.
    share : float
        The share of the pool that the target was trained on, in (0, 1).

    Returns
    -------
    int
        What comes closest to the share with at least four in and four out, or half of the models
        where there are fewer than eight.

    Raises
    ------
    LeakproError
        For fewer than four shadow models.
    """
    if n_models < FEWEST_MODELS:
        raise LeakproError(
            f"{n_models} shadow models are too few: at least {FEWEST_MODELS}, better 16, so that "
            "every record is in some and out of others"
        )
    fewest = min(FEWEST_EITHER_WAY, n_models // 2)
    return int(np.clip(round(n_models * share), fewest, n_models - fewest))


class Assignment:
    """A balanced assignment of records to shadow models, drawn row by row when it is asked for.

    Every unit is in exactly `n_in` models, and all models have equally many units up to a few: one
    where models come in pairs, else the last of every K units. Who was a member of the target
    plays no part.

    Parameters
    ----------
    n_units : int
        Size of the pool, in units.
    n_models : int
        Number of shadow models, K.
    n_in : int
        In how many models each unit is, between 1 and K - 1.
    seed : int
        At least 0.
    start : int
        How many shadow models there are already.
    codes : ndarray of int, shape (n_records,), optional
        The unit of each record; by default each record is one.

    Attributes
    ----------
    paired : bool
        Whether models come in pairs that halve the pool, as where each unit is in half of them.
        Without one pair the others are balanced still, so that any model can play the target; and
        the first models are the same however many follow.
    """

    def __init__(
        self,
        n_units: int,
        n_models: int,
        n_in: int,
        seed: int,
        start: int = 0,
        codes: NDArray[np.intp] | None = None,
    ) -> None:
        self._given = (n_units, n_models, n_in, seed, start, codes)
        self.paired = 2 * n_in == n_models and start % 2 == 0

    def __reduce__(self) -> Any:
        return Assignment, self._given  # what was drawn is drawn again elsewhere

    def __len__(self) -> int:
        return self._given[1]

    def __getitem__(self, index: int) -> NDArray[np.bool_]:
        """Give the records of one model, as a mask of shape (n_records,)."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        row = self._half(index) if self.paired else self._of_squares(index)
        codes = self._given[5]
        return row if codes is None else row[codes]

    @property
    def mark(self) -> str:
        """What tells it from any other of the same pool."""
        _, n_models, n_in, seed, start, _ = self._given
        return f"pairs {seed}" if self.paired else f"{start} {n_models} {n_in} {seed}"

    def _half(self, index: int) -> NDArray[np.bool_]:
        n_units, _, _, seed, start, _ = self._given
        pair, second = divmod(start + index, 2)
        rng = derive_rng(seed, "shadow-pair", str(pair))
        row = np.zeros(n_units, dtype=bool)
        row[rng.permutation(n_units)[: (n_units + pair % 2) // 2]] = True
        return ~row if second else row

    def _of_squares(self, index: int) -> NDArray[np.bool_]:
        n_units, n_models, n_in, _, _, _ = self._given
        order, rows, columns = self._squares
        inside = (rows[:, [index]] - columns) % n_models < n_in
        row = np.empty(n_units, dtype=bool)
        row[order] = inside.ravel()[:n_units]
        return row

    @cached_property
    def _squares(self) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.int32]]:
        """Draw the order of the units, and of each K of them the rows and columns of a square.

        In a square that goes round, each row and each column holds `n_in`.
        """
        n_units, n_models, n_in, seed, start, _ = self._given
        rng = derive_rng(seed, "shadow-assignment", str(n_models), str(n_in), str(start))
        order = rng.permutation(n_units)
        unordered = np.tile(np.arange(n_models, dtype=np.int32), (-(-n_units // n_models), 1))
        return order, rng.permuted(unordered, axis=1), rng.permuted(unordered, axis=1)
