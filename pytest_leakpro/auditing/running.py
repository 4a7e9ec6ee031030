"""An audit carried out: attacks chosen and run, evidence measured.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.checks.ground_truth import GroundTruth, check_ground_truth
from pytest_leakpro.auditing.feasibility import feasibility
from pytest_leakpro.auditing.measuring import (
    Brought,
    Context,
    distinct_rankings,
    measure,
    not_scored,
)
from pytest_leakpro.auditing.outcome import Audit, MemberScores
from pytest_leakpro.auditing.provenance import (
    configuration,
    details_of_evidence,
    details_of_target,
    digest_of_records,
)
from pytest_leakpro.auditing.records import USUAL_METRICS
from pytest_leakpro.auditing.several import audit_several
from pytest_leakpro.auditing.shadows import Round, shadow_rounds
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE, choose_suite
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.gate.evidence import Evidence, MembershipScores
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.shadow.deadline import OutOfTimeError
from pytest_leakpro.shadow.obtain import has_shadows
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.store.scores import SavedScores
from pytest_leakpro.targets.membership_target import MembershipTarget
from pytest_leakpro.targets.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["carry_out"]

# Where an attack needs a population and the user gave none.
POPULATION_SHARE = 0.3


def carry_out(target: Any, budgets: tuple[Budget, ...], session: SessionDefaults) -> Audit:
    """Audit a target with everything decided; see `pytest_leakpro.auditing.conductor.conduct`."""
    repeated = {str(entry.metric) for entry in budgets}
    if len(repeated) < len(budgets):
        raise LeakproError(
            f"a metric has two budgets: {', '.join(map(str, budgets))}; give one limit for each"
        )
    if isinstance(target, Evidence):
        return _audit_evidence(target, budgets, session)
    if isinstance(target, Recipe):
        return _audit_recipe(target, budgets, session)
    if isinstance(target, MembershipTarget):
        return _audit_target(target, budgets, session)
    raise LeakproError(
        f"{type(target).__name__} cannot be audited: wrap it in Classifier or Regressor, "
        "or bring the scores of another tool as MembershipScores"
    )


def _audit_evidence(
    evidence: Evidence, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    if session.attacks is not None:
        raise LeakproError("attacks= does not go with scores that were measured elsewhere")
    name = getattr(evidence, "name", type(evidence).__name__)
    details = {**details_of_evidence(), "named": getattr(evidence, "named", False), "scores": None}
    context = Context(name, "as given", "scores as given, not checked", session.alpha, session.seed)
    brought = [Brought(name, evidence, 0.0)]
    exposed = {}
    if isinstance(evidence, MembershipScores):
        import numpy as np

        exposed[name] = MemberScores(np.arange(len(evidence.members)), evidence.members)
    for budget in budgets:  # before feasibility, which would speak of another kind of evidence
        metric_named(budget.metric.name).check_evidence(budget.metric, evidence)
    _announce(budgets, Sizes(*evidence.sizes), session.alpha, 1)
    measurements = _measure(budgets, brought, context)
    return Audit(name, measurements, session.seed, session.alpha, (), exposed, details)


def _audit_recipe(recipe: Recipe, budgets: tuple[Budget, ...], session: SessionDefaults) -> Audit:
    if recipe.targets == 1:
        finished = _audit_target(recipe.realise(session.seed), budgets, session)
    else:
        finished = audit_several(recipe, budgets, session, _audit_target)
    return replace(
        finished,
        notes=(recipe.note, *finished.notes),
        details={**finished.details, "named": recipe.named},
    )


def _audit_target(
    target: MembershipTarget, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    shadows = has_shadows(target)
    wanted = session.shadow_models if target.signals is None else target.signals.n_models
    suite = choose_suite(
        target,
        session.attacks,
        session.others,
        shadows=shadows,
        shadow_models=wanted if isinstance(wanted, int) else None,
    )
    _check_metrics(budgets, suite, target)
    about = {
        "named": target.named,
        "scores": None,
        "configuration": configuration(
            session, suite, wanted if any(attack.needs_shadow for attack in suite) else None
        ),
    }
    lacking = any(attack.needs_population for attack in suite) and not target.has_population
    view = target.prepare(session.seed, population_share=POPULATION_SHARE if lacking else None)
    sizes = Sizes(view.n_members, view.n_nonmembers)
    n_attacks = (
        len(suite) if session.attacks is not None else min(len(suite), LARGEST_DEFAULT_SUITE)
    )
    undecidable = _announce(budgets, sizes, session.alpha, n_attacks)
    late = _late(session)
    whys = [late] * len(budgets) if late else undecidable
    if budgets and len(whys) == len(budgets):
        return _nothing_scored(target, view, budgets, whys, (suite, n_attacks), session, about)
    if late:
        raise LeakproError(late)

    # Once, and not before the model has answered: what is wrong with that is told at once.
    ground = cache(lambda: check_ground_truth(view, session.seed, session.alpha))
    rounds = iter([Round(suite)])
    if any(attack.needs_shadow for attack in suite):
        rounds = shadow_rounds(target, view, suite, budgets, session)
    look: _Look | None = None
    why = ""
    try:
        for settled in rounds:
            look = _look(target, view, settled, budgets, session, ground)
            if any(entry.verdict is Verdict.FAIL for entry in look.measurements):
                if not settled.last:
                    why = f"stopped at {settled.strength}, since a budget is violated"
                break
    except OutOfTimeError as error:
        if look is None and not budgets:
            raise
        why = str(error)
    if look is None:
        whys = [why] * len(budgets)
        return _nothing_scored(target, view, budgets, whys, (suite, n_attacks), session, about)
    if look.settled.training:
        about["training"] = look.settled.training
    checked = ground()
    about["checks"] = checked.details
    different, worth_warning = checked.differences(look.measurements, session.alpha)
    for text in (*checked.warnings, *worth_warning):
        warn(f"{target.name}: {text}")
    return Audit(
        target.name,
        tuple(_with_weak_suite(_undecided(entry, why), session) for entry in look.measurements),
        session.seed,
        session.alpha,
        (
            *view.notes,
            *checked.notes,
            *different,
            *look.settled.notes,
            *([why] if why else []),
        ),
        look.exposed,
        details_of_target(target, view, session) | about,
        _scores(look.brought, view, session),
    )


@dataclass(frozen=True)
class _Look:
    """What one look at the evidence gave."""

    settled: Round
    brought: list[Brought]
    exposed: dict[str, MemberScores]
    measurements: tuple[Measurement, ...]


def _look(
    target: MembershipTarget,
    view: MembershipView,
    settled: Round,
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
    ground: Callable[[], GroundTruth],
) -> _Look:
    brought: list[Brought] = []
    exposed: dict[str, MemberScores] = {}
    for attack in settled.suite:
        started = time.perf_counter()
        evidence = attack.run(view, derive_rng(session.seed, "attack", attack.name))
        brought.append(Brought(attack.name, evidence, time.perf_counter() - started))
        if isinstance(evidence, MembershipScores):
            exposed[attack.name] = MemberScores(view.member_ids(), evidence.members)
    checked = ground()
    context = Context(
        target.name,
        target.access.value,
        f"{target.access.value}, {settled.strength}",
        session.alpha,
        session.seed,
        weak_suite=not any(attack.calibrated for attack in settled.suite),
        blocks_pass=view.blocks_pass + settled.blocks_pass,
        seconds=settled.seconds + checked.seconds,
        fail_share=settled.share,
        blind=checked.blind,
    )
    return _Look(settled, brought, exposed, _measure(budgets, brought, context))


def _nothing_scored(
    target: MembershipTarget,
    view: MembershipView,
    budgets: tuple[Budget, ...],
    whys: list[str],
    candidates: tuple[tuple[Attack, ...], int],
    session: SessionDefaults,
    about: dict[str, Any],
) -> Audit:
    """Give the audit of a target of which no member was scored, and say why of each budget."""
    suite, n_attacks = candidates
    context = Context(
        target.name,
        target.access.value,
        f"{target.access.value}, no shadow models",
        session.alpha,
        session.seed,
        weak_suite=not any(attack.calibrated for attack in suite),
        blocks_pass=view.blocks_pass,
    )
    sizes = Sizes(view.n_members, view.n_nonmembers)
    measurements = tuple(
        not_scored(budget, sizes, n_attacks, context, why)
        for budget, why in zip(budgets, whys, strict=True)
    )
    details = details_of_target(target, view, session) | about
    return Audit(
        target.name, measurements, session.seed, session.alpha, view.notes, details=details
    )


def _late(session: SessionDefaults) -> str:
    """Say that the session's time was over before an audit began; empty where it was not."""
    if session.deadline is None or not session.deadline.passed:
        return ""
    return f"the time budget of {session.deadline.budget} ended before this audit began"


def _undecided(measurement: Measurement, why: str) -> Measurement:
    """Say of what a look left undecided why no other one came."""
    if not why or measurement.verdict is not Verdict.INCONCLUSIVE:
        return measurement
    return replace(measurement, notes=(*measurement.notes, why))


def _scores(
    brought: list[Brought], view: MembershipView, session: SessionDefaults
) -> SavedScores | None:
    """Gather scores per unit where somebody may compare them with those of another run."""
    paired = session.baseline is not None and session.baseline.has_scores
    if not (session.save_scores or paired):
        return None
    records = digest_of_records(view)
    suite = {
        entry.attack: sides for entry in brought if (sides := entry.evidence.per_unit()) is not None
    }
    return None if records is None or not suite else SavedScores(records, suite)


def _measure(
    budgets: tuple[Budget, ...], brought: list[Brought], context: Context
) -> tuple[Measurement, ...]:
    rankings = distinct_rankings(brought)
    if budgets:
        return tuple(
            measure(budget.metric, budget, brought, context, rankings) for budget in budgets
        )
    return tuple(
        measure(parse_metric(metric), None, brought, context, rankings) for metric in USUAL_METRICS
    )


def _check_metrics(budgets: tuple[Budget, ...], suite: tuple[Attack, ...], target: Any) -> None:
    for budget in budgets:
        for attack in suite:
            if budget.metric.name not in attack.metrics:
                raise LeakproError(
                    f"{budget.metric} cannot be measured on a {type(target).__name__} by the "
                    f"attack {attack.name!r}, which measures {', '.join(attack.metrics)}"
                )


def _announce(budgets: tuple[Budget, ...], sizes: Sizes, alpha: float, attacks: int) -> list[str]:
    """Say which budgets cannot PASS; give the messages of those that cannot be decided at all."""
    undecidable = []
    for budget in budgets:
        outlook = feasibility(budget, sizes, alpha, attacks)
        if outlook.message:
            warn(outlook.message)
            if not outlook.can_fail:
                undecidable.append(outlook.message)
    return undecidable


def _with_weak_suite(measurement: Measurement, session: SessionDefaults) -> Measurement:
    if (
        session.weak_suite == "inconclusive"
        and measurement.weak_suite
        and measurement.verdict is Verdict.PASS
    ):
        why = "no attack was calibrated per record, and leakpro_weak_suite is inconclusive"
        return replace(measurement, verdict=Verdict.INCONCLUSIVE, notes=(*measurement.notes, why))
    return measurement
