"""Which attacks run on a release: for each metric the matching ones, or those asked for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.attacks.synthetic.base_attack import ReleaseAttack
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE, named_attacks
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.synthetic_data import SyntheticData

__all__ = ["default_attacks", "release_suites"]


def release_suites(
    target: SyntheticData,
    metrics: Sequence[MetricName],
    session: SessionDefaults,
    *,
    budgeted: bool = True,
) -> dict[str, tuple[ReleaseAttack, ...]]:
    """Choose the attacks on a release before any of its records is attacked.

    Parameters
    ----------
    target : SyntheticData
        The release.
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
    named: list[ReleaseAttack] | None = None
    if asked is not None and asked != "all":
        found = named_attacks(target, asked, session.others, _foreign)
        named = [attack for attack in found if isinstance(attack, ReleaseAttack)]

    def matches(attack: ReleaseAttack) -> bool:
        return attack.mismatch(target) is None

    suites: dict[str, tuple[ReleaseAttack, ...]] = {}
    for name in dict.fromkeys(metric.name for metric in metrics):
        if named is not None:
            suite = tuple(attack for attack in named if name in attack.metrics)
        elif asked == "all":
            suite = tuple(filter(matches, _measuring(name)))
        else:
            suite = default_attacks(name, matches)
        if suite:
            suites[name] = suite
        elif budgeted:
            raise LeakproError(_none_measures(name, named))
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


def default_attacks(
    metric: str, matches: Callable[[ReleaseAttack], bool]
) -> tuple[ReleaseAttack, ...]:
    """Give the attacks that measure a metric by default: the first three of the registry.

    Parameters
    ----------
    metric : str
        Its name.
    matches : callable
        Tells whether an attack matches the release.
    """
    suite = [attack for attack in _measuring(metric) if attack.default and matches(attack)]
    return tuple(suite[:LARGEST_DEFAULT_SUITE])


def _measuring(metric: str) -> list[ReleaseAttack]:
    return [
        attack
        for attack in builtin_attacks().values()
        if isinstance(attack, ReleaseAttack) and metric in attack.metrics
    ]


def _foreign(attack: Attack) -> str | None:
    if isinstance(attack, ReleaseAttack):
        return None
    return "an attack on synthetic data is a ReleaseAttack"


def _none_measures(metric: str, named: Sequence[Attack] | None) -> str:
    if named is not None:
        return (
            f"{metric} is budgeted, and none of the attacks asked for measures it: "
            f"{', '.join(attack.name for attack in named)}"
        )
    known = dict.fromkeys(
        name
        for attack in builtin_attacks().values()
        if isinstance(attack, ReleaseAttack)
        for name in attack.metrics
    )
    return f"{metric} cannot be measured on SyntheticData; that knows {', '.join(known)}"
