"""An audit carried out: attacks chosen and run, evidence measured.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.both import audit_both
from pytest_leakpro.auditing.brought import Brought
from pytest_leakpro.auditing.checks.ground_truth import GroundTruth, check_ground_truth
from pytest_leakpro.auditing.claims import as_assumed, as_evidence_for, claimed_budgets
from pytest_leakpro.auditing.exposure import with_exposed_shares
from pytest_leakpro.auditing.feasibility import feasibility
from pytest_leakpro.auditing.measuring import (
    Context,
    distinct_rankings,
    measure,
    not_scored,
)
from pytest_leakpro.auditing.outcome import Audit, MemberScores
from pytest_leakpro.auditing.parties import Party, parties_of
from pytest_leakpro.auditing.provenance import (
    configuration,
    details_of_evidence,
    details_of_target,
    digest_of_records,
)
from pytest_leakpro.auditing.releases import audit_release
from pytest_leakpro.auditing.several import audit_several
from pytest_leakpro.auditing.shadows import Round, shadow_rounds
from pytest_leakpro.auditing.slicing import slice_evidence
from pytest_leakpro.auditing.updates import audit_update
from pytest_leakpro.auditing.usual_metrics import usual_metrics
from pytest_leakpro.auditing.weak_suite import with_weak_suite
from pytest_leakpro.gate.catalogue import definition_of, metrics
from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.gate.evidence import Evidence, MembershipScores
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.shadow.deadline import OutOfTimeError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.store.scores import SavedScores
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.federated_update import FederatedUpdate
from pytest_leakpro.targets.hidden_scores import guard_of
from pytest_leakpro.targets.membership_target import MembershipTarget
from pytest_leakpro.targets.recipe import Recipe
from pytest_leakpro.targets.synthetic_data import SyntheticData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.auditing.slicing import BroughtOfSlice
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.gate.metrics.base import Metric
    from pytest_leakpro.targets.claim import Claim
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["carry_out"]


def carry_out(target: Any, budgets: tuple[Budget, ...], session: SessionDefaults) -> Audit:
    """Audit a target with everything decided; see `pytest_leakpro.auditing.conductor.conduct`."""
    budgets = as_assumed(budgets or claimed_budgets(target), target)
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
        return _audit_model(target, budgets, session)
    if isinstance(target, SyntheticData):
        return audit_release(target, budgets, session)
    if isinstance(target, FederatedUpdate):
        return audit_update(target, budgets, session)
    raise LeakproError(
        f"{type(target).__name__} cannot be audited: wrap it in Classifier, Regressor, "
        "LanguageModel, SyntheticData or FederatedUpdate, or bring what another tool measured as "
        "MembershipScores, Guesses, Counts, Reconstructions or Exposures"
    )


def _audit_evidence(
    evidence: Evidence, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    if session.attacks is not None:
        raise LeakproError(
            f"attacks= does not go with {evidence.noun} that were measured elsewhere"
        )
    if not budgets and not isinstance(evidence, MembershipScores):
        of_it = [name for name, entry in metrics().items() if isinstance(evidence, entry.evidence)]
        raise LeakproError(
            f"{evidence.noun} alone do not tell which metric they are of: give a budget that names "
            f"it ({', '.join(of_it)}), as {_example(metrics()[of_it[0]])!r}"
        )
    name = getattr(evidence, "name", type(evidence).__name__)
    details = {**details_of_evidence(), "named": getattr(evidence, "named", False), "scores": None}
    strength = f"{evidence.noun} as given, not checked"
    context = Context(name, "as given", strength, session.alpha, session.seed)
    brought = [Brought(name, evidence, 0.0)]
    exposed = {}
    if isinstance(evidence, MembershipScores):
        import numpy as np

        exposed["as given", name] = MemberScores(np.arange(len(evidence.members)), evidence.members)
    for budget in budgets:  # before feasibility, which would speak of another kind of evidence
        definition_of(budget.metric).check_evidence(budget.metric, evidence)
    if not evidence.census:  # which decides at every size
        for budget in budgets:
            counted = definition_of(budget.metric).part(budget.metric, evidence)
            _announce((budget,), Sizes(*counted.sizes), session.alpha, 1)
    measurements = _measure(budgets, brought, context, 1)
    return Audit(name, measurements, session.seed, session.alpha, (), exposed, details)


def _example(metric: Metric) -> str:
    return f"{metric.example} <= {'5%' if metric.unit == 'percent' else '10'}"


def _audit_recipe(recipe: Recipe, budgets: tuple[Budget, ...], session: SessionDefaults) -> Audit:
    if recipe.targets == 1:
        finished = _audit_model(recipe.realise(session.seed), budgets, session)
    else:
        finished = audit_several(recipe, budgets, session, _audit_model)
    return replace(
        finished,
        notes=(recipe.note, *finished.notes),
        details={**finished.details, "named": recipe.named},
    )


def _audit_model(
    target: MembershipTarget, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    return audit_both(target, budgets, session, _audit_membership)


def _audit_membership(
    target: MembershipTarget, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    parties = parties_of(target, session)
    suite = tuple(attack for party in parties for attack in party.suite)
    _check_metrics(budgets, suite, target)
    wanted = session.shadow_models if target.signals is None else target.signals.n_models
    about = {
        "named": target.named,
        "scores": None,
        "configuration": configuration(
            session, suite, wanted if any(party.needs_shadow for party in parties) else None
        ),
    }
    view, n_attacks = parties[0].view, sum(party.n_attacks for party in parties)
    sizes = Sizes(view.n_members, view.n_nonmembers)
    slices = {part.name: Sizes(*part.sizes) for part in view.slices}
    undecidable = _announce(budgets, sizes, session.alpha, n_attacks, slices)
    late = _late(session)
    whys = [late] * len(budgets) if late else undecidable
    if budgets and len(whys) == len(budgets):
        return _nothing_scored(parties, budgets, whys, session, about)
    if late:
        raise LeakproError(late)

    # Once, and not before the model has answered: what is wrong with that is told at once.
    ground = cache(lambda: check_ground_truth(view, session.seed, session.alpha))
    looks: list[_Look] = []
    why = ""
    try:
        for settled in shadow_rounds(parties, budgets, session):
            looks = _looks(parties, settled, budgets, session, ground)
            if any(entry.verdict is Verdict.FAIL for look in looks for entry in look.measurements):
                if not settled[0].last:
                    seen = next(
                        each.strength
                        for party, each in zip(parties, settled, strict=True)
                        if party.needs_shadow
                    )
                    why = f"stopped at {seen}, since a budget is violated"
                break
    except OutOfTimeError as error:
        if not looks and not budgets:
            raise
        why = str(error)
    if not looks:
        return _nothing_scored(parties, budgets, [why] * len(budgets), session, about)
    training = next((look.settled.training for look in looks if look.settled.training), None)
    if training:
        about["training"] = training
    measured = [
        with_exposed_shares(
            look.measurements, look.settled.suite, party.view, regression=party.view.regression
        )
        for party, look in zip(parties, looks, strict=True)
    ]
    notes = [note for party in parties for note in party.view.notes]
    notes += [note for look in looks for note in look.settled.notes]
    notes += _unseen_labels(target, parties)
    decided = [entry for look in looks for entry in look.measurements]
    checked = ground()
    about["checks"] = checked.details
    different, worth_warning = checked.differences(decided, session.alpha)
    for text in (*checked.warnings, *worth_warning):
        warn(f"{target.name}: {text}")
    notes += [*checked.notes, *different]
    return Audit(
        target.name,
        tuple(
            with_weak_suite(_undecided(entry, why), session)
            for of_metric in zip(*measured, strict=True)
            for entry in of_metric
        ),
        session.seed,
        session.alpha,
        (*dict.fromkeys(notes), *([why] if why else [])),
        {key: scores for look in looks for key, scores in look.exposed.items()},
        _details(parties, session) | about,
        # Of several attackers there is no one suite to compare.
        _scores(looks[0].brought, view, session) if len(parties) == 1 else None,
    )


@dataclass(frozen=True)
class _Look:
    """What one attacker's look at the evidence gave."""

    settled: Round
    brought: list[Brought]
    exposed: dict[tuple[str, str], MemberScores]
    measurements: tuple[Measurement, ...] = ()


def _looks(
    parties: Sequence[Party],
    settled: Sequence[Round],
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
    ground: Callable[[], GroundTruth],
) -> list[_Look]:
    looks = [_attack(party, each, session) for party, each in zip(parties, settled, strict=True)]
    checked = ground()
    # A safe model must pass all of them.
    rankings = sum(distinct_rankings(look.brought) for look in looks)
    measured = []
    for party, look in zip(parties, looks, strict=True):
        context = replace(
            _context(party, session, look.settled.suite),
            strength=f"{party.name}, {look.settled.strength}",
            blocks_pass=party.view.blocks_pass + look.settled.blocks_pass,
            seconds=look.settled.seconds + checked.seconds,
            fail_share=look.settled.share / len(parties),
            blind=checked.blind,
        )
        sliced = slice_evidence(look.brought, party.view.slices)
        claim = getattr(party.target, "claim", None)
        figures = _measure(budgets, look.brought, context, rankings, sliced, claim)
        measured.append(replace(look, measurements=figures))
    return measured


def _attack(party: Party, settled: Round, session: SessionDefaults) -> _Look:
    view = party.view
    brought: list[Brought] = []
    exposed: dict[tuple[str, str], MemberScores] = {}
    for attack in settled.suite:
        started = time.perf_counter()
        view.queries_of()
        evidence = attack.run(view, derive_rng(session.seed, "attack", attack.name))
        seconds = time.perf_counter() - started
        brought.append(Brought(attack.name, evidence, seconds, view.queries_of()))
        if isinstance(evidence, MembershipScores):
            exposed[party.name, attack.name] = MemberScores(view.member_ids(), evidence.members)
    return _Look(settled, brought, exposed)


def _context(party: Party, session: SessionDefaults, suite: Iterable[Attack]) -> Context:
    return Context(
        party.target.name,
        party.name,
        f"{party.name}, no shadow models",
        session.alpha,
        session.seed,
        weak_suite=not any(attack.calibrated for attack in suite),
        blocks_pass=party.view.blocks_pass,
        slices=tuple(Sizes(*part.sizes) for part in party.view.slices),
    )


def _details(parties: Sequence[Party], session: SessionDefaults) -> dict[str, Any]:
    first = parties[0]
    details = details_of_target(first.target, first.view, session)
    return details | {"queries": sum(party.view.queries for party in parties)}


def _unseen_labels(target: MembershipTarget, parties: Sequence[Party]) -> list[str]:
    """Say where scores are hidden and nobody looked at the labels alone."""
    guard = guard_of(target.model)
    if guard is None or any(party.target.access is Access.LABEL for party in parties):
        return []
    return [
        (
            f"the model hides its scores ({guard.said}), and no attacker who sees labels alone was "
            "audited: say attackers=['label', 'scores']"
        )
    ]


def _nothing_scored(
    parties: Sequence[Party],
    budgets: tuple[Budget, ...],
    whys: list[str],
    session: SessionDefaults,
    about: dict[str, Any],
) -> Audit:
    """Give the audit of a target of which no member was scored, and say why of each budget."""
    first = parties[0]
    sizes = Sizes(first.view.n_members, first.view.n_nonmembers)
    n_attacks = sum(party.n_attacks for party in parties)
    measurements = tuple(
        not_scored(budget, sizes, n_attacks, _context(party, session, party.suite), why)
        for budget, why in zip(budgets, whys, strict=True)
        for party in parties
    )
    return Audit(
        first.target.name,
        measurements,
        session.seed,
        session.alpha,
        first.view.notes,
        details=_details(parties, session) | about,
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
    if not (session.save_scores or session.paired or paired):
        return None
    records = digest_of_records(view)
    suite = {
        entry.attack: sides for entry in brought if (sides := entry.evidence.per_unit()) is not None
    }
    return None if records is None or not suite else SavedScores(records, suite)


def _measure(
    budgets: tuple[Budget, ...],
    brought: list[Brought],
    context: Context,
    rankings: int,
    sliced: Sequence[BroughtOfSlice] = (),
    claim: Claim | None = None,
) -> tuple[Measurement, ...]:
    if budgets:
        return tuple(
            measure(
                budget.metric,
                budget,
                as_evidence_for(budget.metric, brought, claim),
                context,
                rankings,
                sliced,
            )
            for budget in budgets
        )
    return tuple(
        measure(metric, None, brought, context, rankings, sliced) for metric in usual_metrics(None)
    )


def _check_metrics(budgets: tuple[Budget, ...], suite: tuple[Attack, ...], target: Any) -> None:
    for budget in budgets:
        for attack in suite:
            if budget.metric.name not in attack.metrics:
                raise LeakproError(
                    f"{budget.metric} cannot be measured on a {type(target).__name__} by the "
                    f"attack {attack.name!r}, which measures {', '.join(attack.metrics)}"
                )


def _announce(
    budgets: tuple[Budget, ...],
    sizes: Sizes,
    alpha: float,
    attacks: int,
    slices: Mapping[str, Sizes] | None = None,
) -> list[str]:
    """Say which budgets cannot PASS; give the messages of those that cannot be decided at all."""
    undecidable = []
    for budget in budgets:
        outlook = feasibility(budget, sizes, alpha, attacks, slices)
        if outlook.message:
            warn(outlook.message)
            if not outlook.can_fail:
                undecidable.append(outlook.message)
    return undecidable
