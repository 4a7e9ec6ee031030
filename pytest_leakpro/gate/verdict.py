"""What is said of a budget.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Verdict", "worst"]


class Verdict(str, Enum):
    """The three outcomes of measuring a budget.

    PASS
        The upper bound of the leakage is within the budget: no attack in the suite exceeded it.
    FAIL
        The lower bound of the leakage is above the budget.
    INCONCLUSIVE
        Neither: more records, or another limit, would decide.
    """

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"

    def __str__(self) -> str:
        return self.value


def worst(verdicts: Iterable[Verdict | None]) -> Verdict | None:
    """Give the verdict of several: FAIL before INCONCLUSIVE before PASS, None for none."""
    found = {verdict for verdict in verdicts if verdict is not None}
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS):
        if verdict in found:
            return verdict
    return None
