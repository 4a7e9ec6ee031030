"""What a record amounts to, as the page marks it: a sign, a word and a colour.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.finding import Finding, finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["ORDER", "Standing", "standing", "worst"]

_KEYS = {
    Finding.FAIL: "fail",
    Finding.REGRESSION: "regression",
    Finding.ERROR: "error",
    Finding.INCONCLUSIVE: "undecided",
    Finding.RERUN: "rerun",
    Finding.WEAK: "weak",
    Finding.PASS: "pass",
    Finding.MEASURED: "measured",
}
ORDER = tuple(_KEYS.values())
# Each has a shape of its own, for whoever does not see the colour.
_SIGNS = {
    "fail": "cross",
    "regression": "rise",
    "error": "bar",
    "undecided": "question",
    "rerun": "again",
    "weak": "half",
    "pass": "tick",
    "measured": "ring",
}


@dataclass(frozen=True)
class Standing:
    """A mark.

    Attributes
    ----------
    key : str
        As in the style sheet and in the keys of the texts.
    sign : str
        The name of its sign.
    rank : int
        Its place among all, the worst first.
    """

    key: str
    sign: str
    rank: int

    def name(self, words: Words) -> str:
        """Give its word."""
        return words(f"standing.{self.key}")


_STANDINGS = {key: Standing(key, _SIGNS[key], rank) for rank, key in enumerate(ORDER)}


def standing(record: Mapping[str, Any]) -> Standing:
    """Give the mark of a record."""
    return _STANDINGS[_KEYS[finding(record)]]


def worst(standings: Iterable[Standing]) -> Standing:
    """Give the worst of several."""
    return min(standings, key=lambda entry: entry.rank)
