"""Who attacks a federated training: the server or a client, honest or malicious.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pytest_leakpro.gate.errors import LeakproError, nearest_match

__all__ = ["Participant"]

_ACCESS = ("client", "server")
_BEHAVIOURS = ("honest", "malicious")


@dataclass(frozen=True)
class Participant:
    """One who takes part in a federated training, as its attacker.

    Attributes
    ----------
    access : {"server", "client"}
        What it sees: each client's update, or the global models and its own share.
    behaviour : {"honest", "malicious"}
        Whether it keeps to the protocol, and only looks.
    """

    access: Literal["server", "client"]
    behaviour: Literal["honest", "malicious"]

    def __str__(self) -> str:
        return f"{self.access}, {self.behaviour}"

    @property
    def malicious(self) -> bool:
        """Whether it departs from the protocol."""
        return self.behaviour == "malicious"

    @classmethod
    def read(cls, access: Any, behaviour: Any) -> Participant:
        """Check what a user wrote.

        Raises
        ------
        LeakproError
            For a word that is not known.
        """
        for option, value, known in (
            ("access", access, _ACCESS),
            ("behaviour", behaviour, _BEHAVIOURS),
        ):
            wanted = f"give {known[0]!r} or {known[1]!r}"
            if not isinstance(value, str):
                raise LeakproError(f"{option}= is a {type(value).__name__}: {wanted}")
            if value not in known:
                raise LeakproError(
                    f"{option}={str(value)!r} is not known{nearest_match(value, known)}: {wanted}"
                )
        return cls(access, behaviour)
