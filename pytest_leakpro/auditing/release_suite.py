"""Which attacks run on a release: for each metric the matching ones, or those asked for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.attacks.base import Attack
from pytest_leakpro.attacks.registry import attack_named, builtin_attacks
from pytest_leakpro.attacks.synthetic.base_attack import ReleaseAttack
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.synthetic_data import SyntheticData

__all__ = ["release_suites"]


def release_suites(
    target: SyntheticData, metrics: Sequence[MetricName], session: SessionDefaults
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
    named = None if asked is None or asked == "all" else _named(target, asked, session)
    suites: dict[str, tuple[ReleaseAttack, ...]] = {}
    for name in dict.fromkeys(metric.name for metric in metrics):
        if named is not None:
            suite = [attack for attack in named if name in attack.metrics]
        else:
            suite = [
                attack
                for attack in builtin_attacks().values()
                if isinstance(attack, ReleaseAttack)
                and name in attack.metrics
                and attack.mismatch(target) is None
                and (asked == "all" or attack.runs_by_default(target))
            ]
            if asked is None:
                suite = suite[:LARGEST_DEFAULT_SUITE]
        if not suite:
            raise LeakproError(_none_measures(name, named))
        suites[name] = tuple(suite)
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


def _named(
    target: SyntheticData, asked: str | Sequence[str | Attack], session: SessionDefaults
) -> list[ReleaseAttack]:
    entries = [asked] if isinstance(asked, (str, Attack)) else list(asked)
    if not entries:
        raise LeakproError("attacks= is empty: leave it out for the default suite")
    found: list[ReleaseAttack] = []
    for entry in entries:
        attack = attack_named(entry, session.others) if isinstance(entry, str) else entry
        if not isinstance(attack, Attack):
            raise LeakproError(
                f"attacks= takes names and Attack objects, not a {type(attack).__name__}"
            )
        reason = attack.mismatch(target)
        if reason is None and not isinstance(attack, ReleaseAttack):
            reason = "an attack on synthetic data is a ReleaseAttack"
        if reason is not None:
            raise LeakproError(f"the attack {attack.name!r} does not match: {reason}")
        if attack.name in {chosen.name for chosen in found}:
            raise LeakproError(f"the attack {attack.name!r} is named twice")
        assert isinstance(attack, ReleaseAttack)
        found.append(attack)
    return found


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
