"""Which attacks run where each metric has its own: the matching ones, or those asked for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pytest_leakpro.attacks.base import Attack
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE, named_attacks
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["default_attacks", "metric_suites"]

A = TypeVar("A", bound=Attack)


def metric_suites(
    target: Any,
    kind: type[A],
    metrics: Sequence[MetricName],
    session: SessionDefaults,
    *,
    budgeted: bool = True,
) -> dict[str, tuple[A, ...]]:
    """Choose the attacks on a target before any of its records is attacked.

    Parameters
    ----------
    target : object
        What they attack.
    kind : type
        What all of them are.
    metrics : sequence of MetricName
        What is to be measured.
    session : SessionDefaults
        Which attacks are asked for: None for the first three of the registry that match, "all" for
        every one, otherwise names or attacks, in the order in which they get their weights.
    budgeted : bool
        Whether there are budgets. Else metrics that none of the attacks measures are left out.

    Returns
    -------
    dict
        Of each metric's name the attacks that measure it, in the order of their weights.

    Raises
    ------
    LeakproError
        Where an attack that was asked for does not match or measures none of the metrics, or a
        metric has no attack.
    """
    asked = session.attacks
    named: list[A] | None = None
    if asked is not None and asked != "all":

        def foreign(attack: Attack) -> str | None:
            if isinstance(attack, kind):
                return None
            return f"an attack on a {type(target).__name__} is a {kind.__name__}"

        found = named_attacks(target, asked, session.others, foreign)
        named = [attack for attack in found if isinstance(attack, kind)]

    def matches(attack: Attack) -> bool:
        return attack.mismatch(target) is None

    suites: dict[str, tuple[A, ...]] = {}
    for name in dict.fromkeys(metric.name for metric in metrics):
        if named is not None:
            suite = tuple(attack for attack in named if name in attack.metrics)
        elif asked == "all":
            suite = tuple(filter(matches, _measuring(name, kind)))
        else:
            suite = default_attacks(
                name, kind, lambda one: matches(one) and one.runs_by_default(target)
            )
        if suite:
            suites[name] = suite
        elif budgeted:
            raise LeakproError(_none_measures(name, kind, target, named))
    idle = [
        attack.name
        for attack in named or ()
        if not any(attack in suite for suite in suites.values())
    ]
    if idle:
        raise LeakproError(
            f"attacks= names {', '.join(idle)}, and no budget asks for what it measures: leave it "
            "out, or give a budget"
        )
    return suites


def default_attacks(metric: str, kind: type[A], matches: Callable[[A], bool]) -> tuple[A, ...]:
    """Give the attacks that measure a metric by default: the first three of the registry.

    Parameters
    ----------
    metric : str
        Its name.
    kind : type
        What all of them are.
    matches : callable
        Tells whether an attack matches the target.
    """
    suite = [attack for attack in _measuring(metric, kind) if attack.default and matches(attack)]
    return tuple(suite[:LARGEST_DEFAULT_SUITE])


def _measuring(metric: str, kind: type[A]) -> list[A]:
    return [
        attack
        for attack in builtin_attacks().values()
        if isinstance(attack, kind) and metric in attack.metrics
    ]


def _none_measures(metric: str, kind: type[A], target: Any, named: Sequence[Attack] | None) -> str:
    if named is not None:
        return (
            f"{metric} is budgeted, and none of the attacks asked for measures it: "
            f"{', '.join(attack.name for attack in named)}"
        )
    reasons = {attack.name: attack.mismatch(target) for attack in _measuring(metric, kind)}
    if reasons:
        said = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return f"{metric} cannot be measured on this {type(target).__name__} ({said})"
    known = dict.fromkeys(
        name
        for attack in builtin_attacks().values()
        if isinstance(attack, kind)
        for name in attack.metrics
    )
    return f"{metric} cannot be measured on {type(target).__name__}; that knows {', '.join(known)}"
