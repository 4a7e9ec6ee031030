"""Budgets of epsilon: audited on canaries, whose inclusion the auditor drew.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.canary_scores import CanaryScores
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import MembershipScores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.auditing.brought import Brought
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.claim import Claim

__all__ = ["EPSILON", "as_assumed", "as_evidence_for", "claimed_budgets", "on_canaries"]

EPSILON = "epsilon"


def claimed_budgets(target: Any) -> tuple[Budget, ...]:
    """Give the budget that a claim stands for where there are no others.

    Parameters
    ----------
    target : object
        Any target, or evidence.
    """
    claim: Claim | None = getattr(target, "claim", None)
    if claim is None or claim.epsilon is None:
        return ()
    return (Budget.parse(f"{EPSILON} <= {claim.epsilon!r}", "claimed_epsilon"),)


def as_assumed(budgets: Sequence[Budget], target: Any) -> tuple[Budget, ...]:
    """Name in budgets of epsilon what may be taken for granted of the target.

    Parameters
    ----------
    budgets : sequence of Budget
        As they were given.
    target : object
        Any target, or evidence.

    Returns
    -------
    tuple of Budget
        Those of ``epsilon`` as ``epsilon[gaussian]``, where the target assumes that.
    """
    claim: Claim | None = getattr(target, "claim", None)
    assume = getattr(target if claim is None else claim, "assume", None)
    if assume is None:
        return tuple(budgets)
    return tuple(
        replace(entry, metric=replace(entry.metric, argument=assume))
        if entry.metric.name == EPSILON
        else entry
        for entry in budgets
    )


def on_canaries(target: Any) -> Any:
    """Give a target with its canaries alone; see `Classifier.on_canaries`.

    Parameters
    ----------
    target : object
        One that has a property of this name, which raises where there are no canaries.

    Raises
    ------
    LeakproError
        Where it has none.
    """
    if not hasattr(type(target), "on_canaries"):
        raise LeakproError(
            f"epsilon is bounded on the canaries of a Classifier, and this is a "
            f"{type(target).__name__}"
        )
    return target.on_canaries


def as_evidence_for(
    metric: MetricName, brought: Sequence[Brought], claim: Claim | None
) -> list[Brought]:
    """Give the evidence of attacks as a metric reads it: of epsilon with what was drawn.

    Of all others it is the part that the argument speaks of.

    Parameters
    ----------
    metric : MetricName
        What is measured.
    brought : sequence of Brought
        Scores of the canaries that were inserted, and of those that were not.
    claim : Claim or None
        What is claimed of the target.
    """
    if metric.name != EPSILON or claim is None:
        definition = definition_of(metric)
        return [
            replace(entry, evidence=definition.part(metric, entry.evidence)) for entry in brought
        ]
    return [replace(entry, evidence=_drawn(entry.evidence, claim)) for entry in brought]


def _drawn(evidence: Any, claim: Claim) -> CanaryScores:
    assert isinstance(evidence, MembershipScores)
    sides = evidence.members, evidence.nonmembers
    included = np.repeat([True, False], [len(side) for side in sides])
    return CanaryScores(
        np.concatenate(sides),
        included,
        delta=claim.delta,
        assume=claim.assume,
        name=evidence.name,
    )
