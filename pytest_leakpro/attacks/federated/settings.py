"""Settings of a search, chosen by how near it comes to images that the attacker has.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pytest_leakpro.attacks.federated.inversion import ImageSearch
from pytest_leakpro.attacks.federated.quality import assigned
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.targets.containers import as_numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.targets.update_view import Practice

__all__ = ["least_error"]

_Search = TypeVar("_Search", bound=ImageSearch)
_FAR = 1e12


def least_error(
    tried: Sequence[_Search], practice: Sequence[Practice], rng: np.random.Generator, steps: int
) -> _Search:
    """Find the settings that come nearest to the images of practice.

    Parameters
    ----------
    tried : sequence of ImageSearch
        At least one; of equal ones the first is taken.
    practice : sequence of Practice
        Updates that the attacker made. All settings start alike.
    rng : numpy.random.Generator
        For the searches.
    steps : int
        How many of each search.

    Returns
    -------
    ImageSearch
        By the mean over practice of the log of the mean squared error.
    """
    if len(tried) == 1:
        return tried[0]
    seeds = [int(rng.integers(2**31)) for _ in practice]
    errors = []
    for one in tried:
        quick = replace(one, steps=min(one.steps, steps), restarts=1)
        logs = [
            _log_error(quick, made, np.random.default_rng(seed))
            for made, seed in zip(practice, seeds, strict=True)
        ]
        errors.append(float(np.mean(logs)))
    return tried[int(np.argmin(errors))]


def _log_error(search: ImageSearch, made: Practice, rng: np.random.Generator) -> float:
    found = search.search(made.view, rng, Watch(None, lambda _: None))
    guess, truth = (as_numpy(part).astype(np.float64) for part in (found.inputs, made.inputs))
    flat = truth.reshape(len(truth), -1)
    guess = np.nan_to_num(guess, nan=_FAR).reshape(len(guess), -1)
    errors = np.stack([np.square(guess - row).mean(1) for row in flat])
    return math.log(errors[np.arange(len(errors)), assigned(errors)].mean() + 1 / _FAR)
