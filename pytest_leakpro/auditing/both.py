"""The audit of a model: who is among its training records, and what stands in them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.content_attack import ContentAttack
from pytest_leakpro.attacks.registry import attack_named, builtin_attacks
from pytest_leakpro.auditing.claims import EPSILON, on_canaries
from pytest_leakpro.auditing.contents import audit_contents
from pytest_leakpro.gate.criterion import NEAR
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.targets.membership_target import MembershipTarget

__all__ = ["audit_both"]


def audit_both(
    target: MembershipTarget,
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
    audit_membership: Callable[[Any, tuple[Budget, ...], SessionDefaults], Audit],
) -> Audit:
    """Audit a model by the attacks that its budgets ask for.

    Parameters
    ----------
    target : MembershipTarget
        The model, its members and non-members.
    budgets : tuple of Budget
        Of membership, of contents, or of both; empty for the usual metrics, which are of
        membership.
    session : SessionDefaults
        What the call, the marker and the session say together. Attacks that are named hold for the
        budgets that they measure; for budgets of the other kind the default ones run.
    audit_membership : callable
        Audits who is a member.

    Returns
    -------
    Audit
        Measurements in the order of the budgets.

    Raises
    ------
    LeakproError
        As either audit, or where attacks are named that no budget asks for.
    """
    of_contents, of_others = _asked(session)
    attacks = (*builtin_attacks().values(), *_named(of_contents))
    known = {
        name for attack in attacks if isinstance(attack, ContentAttack) for name in attack.metrics
    }
    contents = tuple(budget for budget in budgets if budget.metric.name in known)
    for budget in contents:
        _check_criterion(budget)
    drawn = tuple(budget for budget in budgets if budget.metric.name == EPSILON)
    others = tuple(budget for budget in budgets if budget not in (*contents, *drawn))
    measured = {budget.metric.name for budget in contents}
    idle = [attack.name for attack in _named(of_contents) if not measured & set(attack.metrics)]
    if contents and not (others or drawn):
        idle += [attack.name for attack in _named(of_others)]
    if idle:
        raise LeakproError(
            f"attacks= names {', '.join(idle)}, and no budget asks for what it measures: leave it "
            "out, or give a budget"
        )
    asked = replace(session, attacks=of_others)
    audits = []
    canaries = on_canaries(target) if drawn else target
    if canaries is target:  # who was inserted is what there is to tell
        others, drawn = tuple(entry for entry in budgets if entry not in contents), ()
    if others or not budgets:
        audits.append(audit_membership(target, others, asked))
    if drawn:
        audits.append(audit_membership(canaries, drawn, asked))
    if contents:
        told = bool(others)
        own = replace(session, attacks=of_contents)
        audits.append(audit_contents(target, contents, own, told=told))
    return reduce(partial(_joined, budgets=budgets), audits)


def _check_criterion(budget: Budget) -> None:
    metric = budget.metric
    if metric.name == "reconstruction" and not (metric.argument or "").startswith(NEAR):
        raise LeakproError(
            f"{metric}: what is rebuilt from a finished model is judged by how near it is to a "
            f"training record: give reconstruction[{NEAR}]"
        )


def _asked(session: SessionDefaults) -> tuple[Any, Any]:
    """Take the attacks that are asked for apart: those on contents, and the others."""
    asked = session.attacks
    if asked is None or asked == "all":
        return asked, asked
    entries = [asked] if isinstance(asked, str) else list(asked)
    attacks = [
        attack_named(entry, session.others) if isinstance(entry, str) else entry
        for entry in entries
    ]
    contents = [attack for attack in attacks if isinstance(attack, ContentAttack)]
    others = [attack for attack in attacks if not isinstance(attack, ContentAttack)]
    return contents or None, others or None


def _named(asked: Any) -> list[Attack]:
    return [] if asked is None or asked == "all" else asked


def _joined(first: Audit, second: Audit, budgets: tuple[Budget, ...]) -> Audit:
    """Give one audit of two of the same target, in the order of the budgets."""
    both = (*first.measurements, *second.measurements)
    details = dict(first.details)
    for key in ("queries", "checks", "configuration"):
        details[key] = _sum(first.details.get(key), second.details.get(key))
    return replace(
        first,
        measurements=tuple(
            entry for budget in budgets for entry in both if entry.metric == budget.metric
        ),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
        exposed={**first.exposed, **second.exposed},
        details=details,
    )


def _sum(first: Any, second: Any) -> Any:
    """Put together what two audits say of one thing; where they contradict the first is right."""
    if isinstance(first, dict) and isinstance(second, dict):
        return {**second, **first}
    if isinstance(first, int) and isinstance(second, int):
        return first + second
    return first
