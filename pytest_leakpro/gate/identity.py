"""Which measurement of another run is the same one.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Identity", "identity_of"]


class Identity(NamedTuple):
    """What stays when a model is trained again.

    Attributes
    ----------
    name : str
        The audit's own name, or the id of its test.
    target : str
        The target's name where the user gave it one, else empty: the class of a model may change.
    metric : str
        For example ``"tpr@0.1%fpr"``.
    access : str
        What the attacker sees.
    occurrence : int
        Counts what is otherwise the same, as in a loop, from 0.
    """

    name: str
    target: str
    metric: str
    access: str
    occurrence: int

    def __str__(self) -> str:
        target = f", {self.target}" if self.target else ""
        occurrence = f", occurrence {self.occurrence}" if self.occurrence else ""
        return f"{self.name} ({self.metric}, {self.access}{target}{occurrence})"


def identity_of(record: Mapping[str, Any]) -> Identity:
    """Read the identity off a record."""
    return Identity(
        record["name"],
        record["target"] if record["named"] else "",
        record["metric"],
        record["access"],
        record["occurrence"],
    )
