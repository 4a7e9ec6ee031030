"""Attacks that ask about a record moved by models of the attacker's own.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.perturbing_attack import PerturbingAttack
from pytest_leakpro.gate.errors import LeakproError

__all__ = ["CraftedQuery"]

_FEWEST = 8


@dataclass(frozen=True)
class CraftedQuery(PerturbingAttack):
    """An attack by labels of records that surrogate models moved.

    Parameters
    ----------
    models : int
        How many models to train, a multiple of 4.
    steps : int
        How many steps a record is moved at most.
    length : float
        Root mean square of a step, in standard deviations of what moves.
    """

    needs_recipe: ClassVar[bool] = True
    needs_also: ClassVar[str] = "recipe"
    calibrated: ClassVar[bool] = True

    models: int = 16
    steps: int = 16
    length: float = 0.02

    def __post_init__(self) -> None:
        if not isinstance(self.models, int) or self.models < _FEWEST or self.models % 4:
            raise LeakproError(
                f"{self.name}: models is a multiple of 4, at least {_FEWEST}, not {self.models!r}"
            )
        if not isinstance(self.steps, int) or self.steps < 1:
            raise LeakproError(
                f"{self.name}: steps is a whole number of at least 1, not {self.steps!r}"
            )
        self.require_positive("length")

    def require_positive(self, field: str) -> None:
        """Refuse a field that is no finite number above 0."""
        value = getattr(self, field)
        if not isinstance(value, (int, float)) or not 0 < value < np.inf:
            raise LeakproError(f"{self.name}: {field} is a number above 0, not {value!r}")
