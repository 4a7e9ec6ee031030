"""What the audits of one test found, in the order in which they ended.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

__all__ = ["AuditLog", "LoggedAudit"]


@dataclass(frozen=True)
class LoggedAudit:
    """One audit as plain data.

    Attributes
    ----------
    notes : list of str
        What was said of the audit as a whole.
    records : list of dict
        One per measurement.
    """

    notes: list[str]
    records: list[dict[str, Any]]


@dataclass
class AuditLog:
    """The audits of one run of one test.

    Attributes
    ----------
    audits : list of LoggedAudit
        Those that ended, also in an error.
    names : dict of str to str
        Which test gave which name, shared by all tests of the session.
    """

    audits: list[LoggedAudit] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    _seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def restart(self) -> None:
        """Forget what an earlier attempt of the test found."""
        self.audits.clear()
        self._seen.clear()

    def claim(self, name: str, test: str) -> None:
        """Take a name for the audits of a test.

        Raises
        ------
        LeakproError
            Where another test has it.
        """
        owner = self.names.setdefault(name, test)
        if owner != test:
            raise LeakproError(
                f"the name {name!r} is taken by {printable(owner, 200)}: an audit's name tells it "
                "from all others"
            )

    def occurrence(self, *identity: str) -> int:
        """Count what is otherwise the same, such as audits in a loop, from 0."""
        count = self._seen[identity]
        self._seen[identity] += 1
        return count
