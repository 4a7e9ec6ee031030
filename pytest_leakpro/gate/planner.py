"""How many members and non-members, or attempts, a verdict takes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.base import MEMBERSHIP, Nouns, Sizes
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.gate.wording import plain_number
from pytest_leakpro.stats.multiplicity import attack_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["RequiredSizes", "limit_passed_safely", "null_pass_chance", "required_sizes"]

POWER = 0.95
LARGEST = 10_000_000


@dataclass(frozen=True)
class RequiredSizes:
    """The sizes that decide a budget.

    Attributes
    ----------
    members, nonmembers : int
        Records (or persons) that it takes on each side, rounded up to two digits; of metrics that
        are read off guesses attempts, and those on the control.
    verdict : Verdict
        What they decide: PASS below the limit, FAIL above it.
    power : float
        The chance of that verdict, at least what was asked for.
    attacks : int
        Number of attacks in the suite that the sizes are for.
    nouns : Nouns
        What the sizes count.
    """

    members: int
    nonmembers: int
    verdict: Verdict
    power: float
    attacks: int
    nouns: Nouns = field(default=MEMBERSHIP, repr=False)

    def __str__(self) -> str:
        return self.nouns.sizes(self.members, self.nonmembers)


def required_sizes(
    budget: Budget | str,
    true_leakage: float | None = None,
    power: float = POWER,
    attacks: int = 1,
    alpha: float = 0.05,
    control_rate: float = 0.0,
) -> RequiredSizes:
    """Plan how many members, and as many non-members, a verdict takes.

    Of metrics that are read off guesses: how many attempts, and as many on the control.

    Parameters
    ----------
    budget : Budget or str
        For example ``"tpr@0.1%fpr <= 1%"``.
    true_leakage : float, optional
        The leakage of the model in the metric's unit (a share of 0.003, not 0.3); a model without
        leakage by default.
    power : float
        The chance of a verdict, in (0, 1).
    attacks : int
        Number of attacks in the suite. Each must pass; they are taken to err independently, which
        asks for a little more than attacks that agree need.
    alpha : float
        Error of both sides together, in (0, 1).
    control_rate : float
        How often the attack succeeds on records that had no part in the release, in [0, 1]: the
        more often, the more attempts it takes. Nothing to membership metrics.

    Returns
    -------
    RequiredSizes

    Raises
    ------
    LeakproError
        Where the leakage is the limit itself, or so near that no size below ten million decides.

    Examples
    --------
    >>> required_sizes("auc <= 0.55").verdict
    <Verdict.PASS: 'PASS'>
    """
    if isinstance(budget, str):
        budget = Budget.parse(budget)
    if not 0 < power < 1:
        raise LeakproError(f"power is a chance between 0 and 1, not {power}")
    if not 0 < alpha < 1:
        raise LeakproError(f"alpha is a probability between 0 and 1, not {alpha}")
    if attacks < 1:
        raise LeakproError(f"a suite has at least one attack, not {attacks}")
    if not 0 <= control_rate <= 1:
        raise LeakproError(f"control_rate is a share between 0 and 1, not {control_rate}")
    return _required_sizes(budget, true_leakage, power, attacks, alpha, control_rate)


@lru_cache(maxsize=256)
def _required_sizes(
    budget: Budget,
    true_leakage: float | None,
    power: float,
    attacks: int,
    alpha: float,
    control_rate: float,
) -> RequiredSizes:
    metric = definition_of(budget.metric)
    chance_level = metric.chance_level(budget.metric)
    if true_leakage is not None and not (0 <= true_leakage <= metric.ceiling(budget.metric)):
        raise LeakproError(
            f"a true leakage of {true_leakage} is no value of {budget.metric}; "
            "shares are numbers between 0 and 1"
        )
    leaks = true_leakage is not None and true_leakage > chance_level
    true = true_leakage if leaks else None
    fails = true is not None and true > budget.limit

    def chance(size: int) -> float:
        sizes = Sizes(size, size)
        if fails:
            error = alpha / 2 * attack_weights(attacks)[0]
            assert true is not None
            return metric.fail_chance(budget.metric, budget.limit, sizes, error, true, control_rate)
        passes = metric.pass_chance(
            budget.metric, budget.limit, sizes, alpha / 2, true, control_rate
        )
        return passes**attacks

    if metric.controlled and control_rate >= 1:
        raise LeakproError(
            f"no number of {metric.nouns.unit} decides {budget} where the attack succeeds on every "
            f"control: then nothing is left to learn from {metric.nouns.one}"
        )
    # Only a census can tell what lies at the limit from what lies beyond it.
    decidable = metric.census or (true or chance_level) != budget.limit
    size = _smallest_size(chance, power) if decidable else None
    if size is None:
        at = plain_number(true if true is not None else chance_level, metric.unit)
        where = (
            f" where the attack succeeds {plain_number(control_rate, 'percent')} of the time anyway"
            if metric.controlled and control_rate
            else ""
        )
        raise LeakproError(
            f"no number of {metric.nouns.unit} decides {budget} for a leakage of {at}{where}: "
            "it lies at the limit, or too near to it; choose another limit"
        )
    verdict = Verdict.FAIL if fails else Verdict.PASS
    return RequiredSizes(size, size, verdict, chance(size), attacks, metric.nouns)


def null_pass_chance(
    metric: MetricName,
    limit: float,
    sizes: Sizes,
    alpha: float,
    attacks: int,
    slices: Sequence[Sizes] = (),
    control_rate: float = 0.0,
) -> float:
    """Chance that a model without leakage passes, by a suite of attacks that err independently.

    Parameters
    ----------
    metric, limit
        The budget.
    sizes : Sizes
        Units on each side.
    alpha : float
        Error of both sides together.
    attacks : int
        Number of attacks that do not rank alike.
    slices : sequence of Sizes
        Of the slices that must pass too. They are taken to err independently of each other and of
        the whole, which agree in truth, so that the chance is rather more than is said.
    control_rate : float
        As for `required_sizes`.
    """
    definition = definition_of(metric)
    chance = 1.0
    for part in (sizes, *slices):
        passes = definition.pass_chance(metric, limit, part, alpha / 2, None, control_rate)
        chance *= passes**attacks
    return float(chance)


def limit_passed_safely(
    metric: MetricName,
    limit: float,
    sizes: Sizes,
    alpha: float,
    attacks: int,
    slices: Sequence[Sizes] = (),
    control_rate: float = 0.0,
) -> float | None:
    """Give a round limit that a model without leakage passes at these sizes.

    Parameters as for `null_pass_chance`, `limit` being the one that is too low.

    Returns
    -------
    float or None
        The smallest with a chance of at least 95 %; None where there is none below the ceiling.
    """
    definition = definition_of(metric)
    ceiling = definition.ceiling(metric)

    def following(value: float) -> float:
        if definition.unit == "percent":
            return _round_up(value * 1.05)
        # What counts lies above the level of chance: steps of half a point, not in proportion.
        return math.floor(value * 200 + 1 + 1e-9) / 200

    candidate = following(limit)
    # The smallest slice rules most limits out, for the price of one.
    parts = sorted((sizes, *slices), key=min)

    def passes(candidate: float) -> bool:
        chance = 1.0
        for part in parts:
            chance *= null_pass_chance(
                metric, candidate, part, alpha, attacks, control_rate=control_rate
            )
            if chance < POWER:
                return False
        return True

    while candidate < ceiling:
        if passes(candidate):
            return candidate
        candidate = following(candidate)
    return None


def _round_up(value: float) -> float:
    """Round up to two significant digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.12g}")


def _smallest_size(chance: Callable[[int], float], power: float) -> int | None:
    low, high = 10, 20
    if chance(low) >= power:
        return low
    while chance(high) < power:
        low, high = high, high * 2
        if high > LARGEST:
            return None
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        if chance(middle) >= power:
            high = middle
        else:
            low = middle
    # Chances are not monotone in the size: counts are whole numbers. Step on until it holds.
    size = int(_round_up(high))
    while chance(size) < power:
        size = int(_round_up(size * 1.02))
    return size
