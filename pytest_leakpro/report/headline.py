"""The verdicts of a session in a sentence, their marks, and what they mean.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.table import is_regression
from pytest_leakpro.report.finding import Finding, finding, passed_later_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MARKS", "counted", "headline", "legend", "verdict_mark"]

MARKS = {
    Finding.FAIL: "❌",
    Finding.REGRESSION: "❌",
    Finding.ERROR: "⛔",
    Finding.INCONCLUSIVE: "❓",
    Finding.RERUN: "⚠️",
    Finding.WEAK: "⚠️",
    Finding.PASS: "✅",
    Finding.MEASURED: "",
}
_MEANINGS = {
    Finding.PASS: "✅ PASS: no attack in the suite exceeded the budget: the upper bound of the "
    "leakage is within it. An audit refutes, it does not prove.",
    Finding.WEAK: "⚠️ PASS (weak suite): as PASS, but no attack was calibrated per record, and "
    "such attacks miss most of what an overfitted model leaks.",
    Finding.RERUN: "⚠️ PASS in a later attempt: equal inputs give equal verdicts, so something "
    "changed between the attempts.",
    Finding.FAIL: "❌ FAIL: the lower bound of the leakage is above the budget.",
    Finding.REGRESSION: "❌ REGRESSION: the leakage rose by significantly more than allowed.",
    Finding.INCONCLUSIVE: "❓ INCONCLUSIVE: neither PASS nor FAIL; more records, or another limit, "
    "would decide.",
    Finding.ERROR: "⛔ ERROR: the audit ended without a figure.",
}


def counted(number: int, noun: str) -> str:
    """Write a number and its noun: ``1 budget``, ``2 budgets``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def verdict_mark(record: Mapping[str, Any]) -> str:
    """Give the sign of a record's verdict, whatever the baseline says."""
    return MARKS[finding({**record, "change": None})]


def headline(records: Sequence[Mapping[str, Any]]) -> str:
    """Say in a sentence or two what was decided.

    Parameters
    ----------
    records : sequence of mapping
        One per measurement.

    Returns
    -------
    str
        Markdown, without any text of a record.
    """
    if not records:
        return "Nothing was audited."
    judged = [record for record in records if record["verdict"] is not None]
    sentences = []
    parts = _verdicts(judged)
    regressions = sum(map(is_regression, records))
    if regressions:
        parts.append(f"{counted(regressions, 'regression')} since the baseline")
    closing = ""
    if judged and all(record["verdict"] == "PASS" for record in judged):
        parts.append(_met(len(judged)))
        closing = ": no attack in the suite exceeded the budget"
    if parts:
        first = parts[0][0].upper() + parts[0][1:]
        sentences.append(f"**{first}**{''.join(f', {part}' for part in parts[1:])}{closing}.")
    sentences += _reservations(judged)
    without = len(records) - len(judged)
    if without:
        verb = "was" if without == 1 else "were"
        sentences.append(f"{counted(without, 'figure')} {verb} measured without a budget.")
    mark = MARKS[min((finding(record) for record in records), key=list(Finding).index)]
    return " ".join([mark, *sentences]).strip()


def legend(records: Sequence[Mapping[str, Any]]) -> str:
    """Say what those verdicts mean that occur, as a list in Markdown."""
    found = {finding(record) for record in records}
    found |= {finding({**record, "change": None}) for record in records}
    if any(map(is_regression, records)):
        found.add(Finding.REGRESSION)
    return "\n".join(f"- {meaning}" for kind, meaning in _MEANINGS.items() if kind in found)


def _verdicts(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    """Count the verdicts where not all budgets are met: ``2 of 8 budgets FAIL``, ``6 PASS``."""
    counts = Counter(record["verdict"] for record in judged)
    if counts["PASS"] == len(judged):
        return []
    order = ("FAIL", "ERROR", "INCONCLUSIVE", "PASS")
    first, *others = [verdict for verdict in order if counts[verdict]]
    budgeted = all(record["limit"] is not None for record in judged)
    total = counted(len(judged), "budget" if budgeted else "figure")
    return [
        f"{counts[first]:,} of {total} {first}",
        *(f"{counts[verdict]:,} {verdict}" for verdict in others),
    ]


def _reservations(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say which PASSes are worth less than they seem."""
    passed = [record for record in judged if record["verdict"] == "PASS"]
    weak = sum(bool(record["weak_suite"]) for record in passed)
    repeated = sum(passed_later_only(record) for record in passed)
    sentences = []
    if weak:
        sentences.append(f"{weak:,} PASS by a weak suite only.")
    if repeated:
        sentences.append(f"{repeated:,} PASS in a later attempt only.")
    return sentences


def _met(number: int) -> str:
    return "the budget is met" if number == 1 else f"all {number:,} budgets are met"
