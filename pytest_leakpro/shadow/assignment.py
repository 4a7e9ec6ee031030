"""Which shadow model is trained on which records.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.looks import FEWEST_EITHER_WAY
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.shadow_signals import FEWEST_MODELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["assign", "models_per_unit"]


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


def assign(n_units: int, n_models: int, n_in: int, seed: int, start: int = 0) -> NDArray[np.bool_]:
    """Draw a balanced assignment of units to shadow models.

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
        How many shadow models there are already, drawn apart.

    Returns
    -------
    ndarray of bool, shape (K, n_units)
        Every unit is in exactly `n_in` models, and of every K units drawn together every model
        has exactly `n_in`, so that training sets are of equal size up to the last few units.
        Who was a member of the target plays no part.
    """
    further = (str(start),) if start else ()
    rng = derive_rng(seed, "shadow-assignment", str(n_models), str(n_in), *further)
    circle = (np.arange(n_models)[:, None] - np.arange(n_models)) % n_models < n_in
    order = rng.permutation(n_units)
    assignment = np.zeros((n_models, n_units), dtype=bool)
    for start in range(0, n_units, n_models):
        block = order[start : start + n_models]
        square = circle[rng.permutation(n_models)][:, rng.permutation(n_models)]
        assignment[:, block] = square[:, : len(block)]
    return assignment
