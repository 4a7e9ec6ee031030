"""The strictest of the usual budgets that the records at hand can decide.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_leakpro.gate.budget import Budget

__all__ = ["USUAL_SIZE", "strictest_budget"]

# Strictest first. The usual budget speaks of low false-positive rates; with few records only an
# average can be decided.
RUNGS = (
    "tpr@0.1%fpr <= 1%",
    "tpr@0.1%fpr <= 2%",
    "tpr@1%fpr <= 3%",
    "tpr@1%fpr <= 5%",
    "tpr@1%fpr <= 10%",
    "auc <= 0.6",
)
ALPHA = 0.05
CHANCE = 0.95
USUAL_SIZE = 4_000


def strictest_budget(members: int, nonmembers: int, attacks: int) -> Budget | None:
    """Choose a budget that a model without leakage passes at least 95 % of the time.

    Parameters
    ----------
    members, nonmembers : int
        Records on each side.
    attacks : int
        In the suite.

    Returns
    -------
    Budget or None
        None where these sizes can decide none.
    """
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.metrics.base import Sizes
    from pytest_leakpro.gate.planner import limit_passed_safely, null_pass_chance

    sizes = Sizes(members, nonmembers)
    for text in RUNGS:
        budget = Budget.parse(text)
        chance = null_pass_chance(budget.metric, budget.limit, sizes, ALPHA, attacks)
        if chance >= CHANCE:
            return budget
    last = Budget.parse(RUNGS[-1])
    limit = limit_passed_safely(last.metric, last.limit, sizes, ALPHA, attacks)
    return None if limit is None else Budget(last.metric, limit)
