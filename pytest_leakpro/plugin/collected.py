"""What the tests of a session found, gathered from every worker.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Collected"]


class Collected:
    """The audits by test; a later attempt of a test replaces the earlier one.

    Attributes
    ----------
    tests : set of str
        Node ids of all tests that were collected, in all processes.
    partial : bool
        Whether tests were left out.
    """

    def __init__(self) -> None:
        self._by_test: dict[str, Mapping[str, Any]] = {}
        self.tests: set[str] = set()
        self.partial = False

    def add(self, carried: Mapping[str, Any]) -> None:
        """Take up what a report carries: all audits of one attempt of one test so far."""
        self._by_test[carried["test"]] = carried

    def finished_tests(self) -> set[str]:
        """Give the tests that audited and then ran to their end, so that no audit is missing."""
        return {test for test, carried in self._by_test.items() if not carried["stopped"]}

    def audits(self) -> list[dict[str, Any]]:
        """Give the audits in the order of their tests' ids, each with notes and records."""
        return [
            {
                "notes": audit["notes"],
                "records": [
                    {
                        **record,
                        "location": carried["location"],
                        "attempt": carried["attempt"],
                        "earlier": carried["earlier"],
                        "notes": [*audit["notes"], *record["notes"]],
                    }
                    for record in audit["records"]
                ],
            }
            for _, carried in sorted(self._by_test.items())
            for audit in carried["audits"]
        ]

    def finish(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Give one record per measurement, and what is wrong with them as a whole.

        Returns
        -------
        records : list of dict
            Each with an identity of its own.
        messages : list of str
            Names that two tests gave, which only all workers together can tell.
        """
        records = [record for audit in self.audits() for record in audit["records"]]
        owners: dict[str, str] = {}
        messages = []
        for record in records:
            owner = owners.setdefault(record["name"], record["test"])
            if owner != record["test"]:
                messages.append(
                    f"the name {printable(record['name'], 80)!r} is given by "
                    f"{printable(owner, 200)} and by {printable(record['test'], 200)}: "
                    "an audit's name tells it from all others"
                )
                record["name"] = record["test"]
        return records, sorted(set(messages))
