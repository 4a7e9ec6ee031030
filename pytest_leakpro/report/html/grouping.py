"""Records that belong together: what was found of one target in one test.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.html.standing import Standing, standing, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.gate.identity import Identity

__all__ = ["Entry", "Group", "grouped"]

Entry = tuple["Identity", "Mapping[str, Any]"]
"""A record, complete and discreet, with the identity that it had before."""


@dataclass(frozen=True)
class Group:
    """The records of one target in one test, the worst first.

    Attributes
    ----------
    number : int
        From 1, in the order of the page.
    target, name, test : str
        Of the target, of the audit, and the id of its test.
    entries : tuple of Entry
        What was measured.
    standing : Standing
        The worst of them.
    """

    number: int
    target: str
    name: str
    test: str
    entries: tuple[Entry, ...]
    standing: Standing

    @property
    def anchor(self) -> str:
        """Where on the page it stands."""
        return f"audit-{self.number}"

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """The records alone."""
        return [record for _, record in self.entries]


def grouped(entries: Sequence[Entry]) -> list[Group]:
    """Group records, and sort the groups by the worst that they hold.

    Parameters
    ----------
    entries : sequence of Entry
        In any order; what is equally bad stays in it.
    """
    found: dict[tuple[str, str, str], list[Entry]] = {}
    for identity, record in entries:
        key = (identity.name, record["test"], record["target"])
        found.setdefault(key, []).append((identity, record))
    ranked = [
        (worst(standing(record) for _, record in members), members) for members in found.values()
    ]
    ranked.sort(key=lambda pair: pair[0].rank)
    return [
        Group(
            number,
            members[0][1]["target"],
            members[0][1]["name"],
            members[0][1]["test"],
            tuple(sorted(members, key=lambda entry: standing(entry[1]).rank)),
            mark,
        )
        for number, (mark, members) in enumerate(ranked, start=1)
    ]
