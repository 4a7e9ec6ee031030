"""What the attacker sees of a model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match

__all__ = ["Access"]


class Access(str, Enum):
    """What the attacker sees of a model, from the least to the most.

    Members stand in the order of the access they give. Their values sort alphabetically in that
    order too, so that comparing them as the strings they are (``<``) is right; a test holds this.
    """

    LABEL = "label"
    """The predicted label only."""

    SCORES = "scores"
    """Probabilities or logits (of a regressor: the prediction)."""

    WHITE_BOX = "white-box"
    """Weights and gradients as well."""

    def __str__(self) -> str:
        return self.value

    def covers(self, other: Access) -> bool:
        """Tell whether an attacker with this access can do all that one with `other` can."""
        order = list(type(self))
        return order.index(self) >= order.index(other)

    @classmethod
    def parse(cls, value: Any) -> Access:
        """Read what a user wrote.

        Raises
        ------
        LeakproError
            If it is none of the known ones.
        """
        known = [access.value for access in cls]
        if not isinstance(value, str):
            raise LeakproError(
                f"access= is a {type(value).__name__}: give one of {', '.join(map(repr, known))}"
            )
        if value not in known:
            raise LeakproError(
                f"access={str(value)!r} is not known{nearest_match(value, known)}: "
                f"give one of {', '.join(map(repr, known))}"
            )
        return cls(value)
