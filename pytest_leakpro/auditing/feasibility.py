"""What sizes and suite can decide, said before anything is scored.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.planner import (
    POWER,
    limit_passed_safely,
    required_sizes,
)
from pytest_leakpro.gate.wording import plain_number
from pytest_leakpro.stats.multiplicity import attack_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.metrics.base import Sizes

__all__ = ["Feasibility", "false_alarm_message", "feasibility", "sizes_that_decide"]


@dataclass(frozen=True)
class Feasibility:
    """Whether a PASS and a FAIL of a budget are possible at all.

    Attributes
    ----------
    budget : Budget
        Which budget.
    can_pass, can_fail : bool
        Whether any outcome at these sizes is that verdict.
    message : str
        What to say where no PASS is possible, empty otherwise.
    """

    budget: Budget
    can_pass: bool
    can_fail: bool
    message: str = ""


_MOST_NAMED = 3


def feasibility(
    budget: Budget,
    sizes: Sizes,
    alpha: float,
    attacks: int,
    slices: Mapping[str, Sizes] | None = None,
) -> Feasibility:
    """Tell what sizes and suite alone can decide.

    Parameters
    ----------
    budget : Budget
        The budget.
    sizes : Sizes
        Units on each side that will be scored.
    alpha : float
        Error of both sides together.
    attacks : int
        Number of attacks in the suite.
    slices : mapping of str to Sizes, optional
        Slices on which the budget is decided too, by name.
    """
    metric = metric_named(budget.metric.name)
    slices = slices or {}
    error = alpha / 2
    least_error = error * attack_weights(attacks)[0] / (1 + len(slices))
    can_fail = any(
        metric.can_fail(budget.metric, budget.limit, part, least_error)
        for part in (sizes, *slices.values())
    )
    small = [
        f"{name} ({_said(part)})"
        for name, part in slices.items()
        if not metric.can_pass(budget.metric, budget.limit, part, error)
    ]
    if not metric.can_pass(budget.metric, budget.limit, sizes, error):
        message = f"{budget} cannot PASS with {_said(sizes)}, whatever the model; "
        message += sizes_that_decide(budget, None, alpha, attacks)
    elif small:
        named = ", ".join(small[:_MOST_NAMED])
        more = f" and {len(small) - _MOST_NAMED} more" if len(small) > _MOST_NAMED else ""
        message = (
            f"{budget} cannot PASS, whatever the model, since it is decided on every slice and "
            f"{'these are' if len(small) > 1 else 'this is'} too small: {named}{more}; "
            f"{sizes_that_decide(budget, None, alpha, attacks)}, in each slice: "
            "join values into larger groups, or choose a limit that they can decide"
        )
    else:
        return Feasibility(budget, True, can_fail)
    message += (
        "; a FAIL is still possible, so the attacks run"
        if can_fail
        else "; neither is a FAIL possible, so nothing is scored"
    )
    return Feasibility(budget, False, can_fail, message)


def _said(sizes: Sizes) -> str:
    return f"{sizes.members:,} members and {sizes.nonmembers:,} non-members"


def sizes_that_decide(
    budget: Budget,
    leakage: float | None,
    alpha: float,
    attacks: int,
    present: Sizes | None = None,
    hypotheses: int = 1,
) -> str:
    """Say which sizes would decide.

    Parameters
    ----------
    budget, alpha, attacks
        As for `feasibility`.
    leakage : float or None
        The leakage to decide about; None for a model without any.
    present : Sizes, optional
        The sizes that did not decide it.
    hypotheses : int
        How many share the error of a FAIL: the whole, and the slices.
    """
    if leakage is not None and leakage > budget.limit:
        alpha /= hypotheses
    try:
        needed = required_sizes(budget, leakage, POWER, attacks, alpha)
    except LeakproError:
        unit = metric_named(budget.metric.name).unit
        at = "no leakage" if leakage is None else f"a leakage of {plain_number(leakage, unit)}"
        return f"no number of records decides it for {at}, which lies at the limit"
    who = "a model without leakage" if leakage is None else "leakage as measured"
    if present is not None and needed.members <= min(present):
        return (
            f"sizes as these mostly decide {who}: the estimate is uncertain, "
            "and a few more records will tell"
        )
    return f"it takes about {needed} for a {needed.verdict} of {who}"


def false_alarm_message(
    budget: Budget,
    sizes: Sizes,
    alpha: float,
    attacks: int,
    chance: float,
    slices: Sequence[Sizes] = (),
) -> str | None:
    """Say how often the gate will be red although nothing leaks, and what would help.

    Parameters
    ----------
    budget, sizes, alpha, attacks
        As for `feasibility`.
    chance : float
        The chance that a model without leakage passes.
    slices : sequence of Sizes
        Of the slices on which the budget is decided too.

    Returns
    -------
    str or None
        None where it passes at least 95 % of the time.
    """
    if chance >= POWER:
        return None
    red = 1 / (1 - chance)
    often = f"about one run in {red:.0f}" if red >= 1.5 else "nearly every run"
    within = f" in {len(slices)} slices" if slices else ""
    message = (
        f"{budget}: with {_said(sizes)}{within} a model "
        f"without leakage passes {chance:.0%} of the time, so the gate will be red in "
        f"{often} although nothing leaks"
    )
    helps = []
    parts = (sizes, *slices)
    try:
        # Each part that must pass takes its share of the power.
        needed = required_sizes(budget, None, POWER ** (1 / len(parts)), attacks, alpha)
        if needed.members > min(map(min, parts)):
            helps.append(f"{needed} in each slice" if slices else str(needed))
    except LeakproError:
        pass
    safe = limit_passed_safely(budget.metric, budget.limit, sizes, alpha, attacks, slices)
    if safe is not None:
        unit = metric_named(budget.metric.name).unit
        helps.append(f"a limit of {plain_number(safe, unit)}")
    if helps:
        message += f"; {' or '.join(helps)} would do"
    return message
