"""Several attackers on one model, from the one who sees labels to the one who sees weights.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.readings import Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["AsLabels", "Attacker", "LabelsRight", "parse_attackers", "strongest_access"]

_WITHOUT = "without recipe"


@dataclass(frozen=True)
class Attacker:
    """Who attacks: what is seen of the model, and whether its training is known.

    Attributes
    ----------
    access : Access
        What is seen.
    recipe : bool
        Whether the attacker can train as the model was trained, so has shadow models.
    """

    access: Access
    recipe: bool = True

    def __str__(self) -> str:
        return self.access.value if self.recipe else f"{self.access.value} {_WITHOUT}"


def parse_attackers(given: Any) -> tuple[Attacker, ...]:
    """Read what a user wrote.

    Parameters
    ----------
    given : sequence of str
        Such as ``["label", "scores without recipe", "scores", "white-box"]``.

    Raises
    ------
    LeakproError
        If there is none, or one is unknown or named twice.
    """
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence) or not given:
        raise LeakproError(
            "attackers= is a list such as ['label', 'scores without recipe', 'scores', "
            "'white-box']; one attacker alone is access="
        )
    attackers: list[Attacker] = []
    for entry in given:
        words = entry.strip() if isinstance(entry, str) else entry
        knows = True
        if isinstance(words, str) and words.endswith(_WITHOUT):
            words, knows = words[: -len(_WITHOUT)].strip(), False
        try:
            attacker = Attacker(Access.parse(words), knows)
        except LeakproError as error:
            why = str(error).replace("access=", "attackers=: ", 1)
            raise LeakproError(f"{why}, each alone or with '{_WITHOUT}' behind it") from None
        if attacker in attackers:
            raise LeakproError(f"attackers=: {str(attacker)!r} stands there twice")
        attackers.append(attacker)
    return tuple(attackers)


def strongest_access(attackers: Sequence[Attacker]) -> Access:
    """Give the access of the attacker who sees most."""
    return max((attacker.access for attacker in attackers), key=list(Access).index)


@dataclass(frozen=True)
class LabelsRight(Reading):
    """Whether a model labels a record rightly, for the attacker who sees labels only."""

    name = "labels right"

    @property
    def width(self) -> int:
        """One number."""
        return 1

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Give 1 where it does, else 0; see `Reading.read`."""
        return replace(reader, labels_only=True).negative_loss(model, records)[None]


@dataclass(frozen=True)
class AsLabels(Reading):
    """Another reading, by an attacker who sees labels only.

    Attributes
    ----------
    inner : Reading
        Which.
    """

    inner: Reading

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the other, marked."""
        return f"by labels: {self.inner.name}"

    @property
    def width(self) -> int:
        """That of the other."""
        return self.inner.width

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Read as the other does, labels only; see `Reading.read`."""
        return self.inner.read(model, replace(reader, labels_only=True), records)
