"""What sizes and suite can decide, said before anything is scored.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.planner import (
    POWER,
    limit_passed_safely,
    null_pass_chance,
    required_sizes,
)
from pytest_leakpro.gate.wording import listed, plain_number, shown
from pytest_leakpro.stats.multiplicity import attack_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.metrics.base import Nouns, Sizes

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
    """Tell what sizes and suite alone can decide, at best: where controls never succeed.

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
    metric = definition_of(budget.metric)
    nouns, slices = metric.nouns, slices or {}
    whatever = f"whatever the {nouns.audited}"
    error = alpha / 2
    least_error = error * attack_weights(attacks)[0] / (1 + len(slices))
    can_fail = any(
        metric.can_fail(budget.metric, budget.limit, part, least_error)
        for part in (sizes, *slices.values())
    )
    small = [
        f"{name} ({nouns.sizes(*part)})"
        for name, part in slices.items()
        if not metric.can_pass(budget.metric, budget.limit, part, error)
    ]
    if not metric.can_pass(budget.metric, budget.limit, sizes, error):
        message = f"{budget} cannot PASS with {nouns.sizes(*sizes)}, {whatever}; "
        message += sizes_that_decide(budget, None, alpha, attacks)
    elif small:
        message = (
            f"{budget} cannot PASS, {whatever}, since it is decided on every {nouns.part} and "
            f"{'these are' if len(small) > 1 else 'this is'} too small: "
            f"{listed(small, _MOST_NAMED)}; "
            f"{sizes_that_decide(budget, None, alpha, attacks)}, {_each(nouns)}: "
            + ("" if nouns.part == "column" else "join values into larger groups, or ")
            + "choose a limit that they can decide"
        )
    else:
        return Feasibility(budget, True, can_fail)
    message += (
        "; a FAIL is still possible, so the attacks run"
        if can_fail
        else "; neither is a FAIL possible, so nothing is scored"
    )
    return Feasibility(budget, False, can_fail, message)


def _smaller(sizes: Sizes) -> int:
    """Give the smaller of two sides, or the one that there is."""
    return min(filter(None, sizes), default=0)


def _each(nouns: Nouns) -> str:
    return "on each column" if nouns.part == "column" else "in each slice"


def sizes_that_decide(
    budget: Budget,
    leakage: float | None,
    alpha: float,
    attacks: int,
    present: Sizes | None = None,
    hypotheses: int = 1,
    control_rate: float = 0.0,
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
    control_rate : float
        How often the attack succeeds where nothing leaks; nothing to membership metrics.
    """
    metric = definition_of(budget.metric)
    unit = metric.nouns.unit
    if leakage is not None and leakage > budget.limit:
        alpha /= hypotheses
    try:
        needed = required_sizes(budget, leakage, POWER, attacks, alpha, control_rate)
    except LeakproError:
        at = "no leakage"
        if leakage is not None:
            at = f"a leakage of {plain_number(leakage, metric.unit)}"
        if metric.controlled and control_rate >= 1:
            return f"no number of {unit} decides it where the attack succeeds on every control"
        return f"no number of {unit} decides it for {at}, which lies at the limit"
    without = f"{metric.nouns.one} without leakage"
    who = without if leakage is None else "leakage as measured"
    if present is not None and needed.members <= _smaller(present):
        return (
            f"sizes as these mostly decide {who}: the estimate is uncertain, "
            f"and a few more {unit} will tell"
        )
    return f"it takes about {needed} for a {needed.verdict} of {who}"


def false_alarm_message(
    budget: Budget,
    sizes: Sizes,
    alpha: float,
    attacks: int,
    chance: float,
    slices: Sequence[Sizes] = (),
    control_rate: float = 0.0,
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
    control_rate : float
        As for `sizes_that_decide`.

    Returns
    -------
    str or None
        None where it passes at least 95 % of the time.
    """
    if chance >= POWER:
        return None
    red = 1 / (1 - chance)
    often = f"about one run in {red:.0f}" if red >= 1.5 else "nearly every run"
    metric = definition_of(budget.metric)
    within = ""
    if slices:
        columns = metric.nouns.part == "column"
        within = (
            f" on each of {1 + len(slices)} columns" if columns else f" in {len(slices)} slices"
        )
    if metric.controlled:
        within += f", where the control succeeds {shown(control_rate, 'percent')} of the time,"
    message = (
        f"{budget}: with {metric.nouns.sizes(*sizes)}{within} {metric.nouns.one} "
        f"without leakage passes {chance:.0%} of the time, so the gate will be red in "
        f"{often} although nothing leaks"
    )
    helps: list[str] = []
    parts = (sizes, *slices)
    planned = null_pass_chance(
        budget.metric, budget.limit, sizes, alpha, attacks, slices, control_rate
    )
    if planned >= POWER:
        # What evidence knows of itself, such as of how many candidates it is, no size makes up for.
        return message
    try:
        # Each part that must pass takes its share of the power.
        power = POWER ** (1 / len(parts))
        needed = required_sizes(budget, None, power, attacks, alpha, control_rate)
        if needed.members > min(map(_smaller, parts)):
            helps.append(f"{needed} {_each(metric.nouns)}" if slices else str(needed))
    except LeakproError:
        pass
    safe = limit_passed_safely(
        budget.metric, budget.limit, sizes, alpha, attacks, slices, control_rate
    )
    if safe is not None:
        helps.append(f"a limit of {plain_number(safe, metric.unit)}")
    if helps:
        message += f"; {' or '.join(helps)} would do"
    return message
