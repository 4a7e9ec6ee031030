"""The audit of what a finished model gives away of its records beyond who is among them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.content_attack import ContentAttack
from pytest_leakpro.attacks.registry import attack_named
from pytest_leakpro.auditing.brought import Brought, BroughtOfColumn
from pytest_leakpro.auditing.checks.ground_truth import GroundTruth, check_ground_truth
from pytest_leakpro.auditing.feasibility import feasibility
from pytest_leakpro.auditing.measuring import Context, measure_columns, not_scored
from pytest_leakpro.auditing.metric_suites import metric_suites
from pytest_leakpro.auditing.outcome import Audit, MemberScores
from pytest_leakpro.auditing.pictures import keep_pictures
from pytest_leakpro.auditing.provenance import configuration, details_of_target
from pytest_leakpro.auditing.shadows import say_on_stderr
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.shadow.deadline import OutOfTimeError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.store.pictures import require_pictures
from pytest_leakpro.targets.containers import row_shape

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["ARTEFACT", "audit_contents"]

ARTEFACT = "artefact"
"""What is looked at by who holds the model, whatever else an attacker may see."""

_POPULATION_SHARE = 0.3


def audit_contents(
    target: MembershipTarget,
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
    *,
    told: bool = False,
) -> Audit:
    """Audit what a model gives away of the contents of its training records.

    Parameters
    ----------
    target : MembershipTarget
        The model, its members and non-members.
    budgets : tuple of Budget
        At least one; all of metrics that `ContentAttack` measures.
    session : SessionDefaults
        What the call, the marker and the session say together.
    told : bool
        Whether the target's warnings were given already.

    Returns
    -------
    Audit
        One measurement per budget and attacker; a census of the artefact has but one.

    Raises
    ------
    LeakproError
        For bad input, or a metric that cannot be measured on this target.
    """
    images = len(row_shape(target.inputs) or ()) in (2, 3)
    if images and session.save_reconstructions and session.private is not None:
        require_pictures()
    seen = [target.seen_by(attacker) for attacker in target.attackers] or [target]
    plans = [plan for budget in budgets for plan in _plans(budget, seen, session)]
    lacking = not target.has_population and any(
        attack.wants_population(plan.seen) for plan in plans for attack in plan.suite
    )
    share = _POPULATION_SHARE if lacking else None
    view = target.prepare(session.seed, population_share=share, told=told)
    work = _Work(target, view, session)
    for plan in plans:
        work.open(plan)
    # All that sizes cannot decide is said before anything is attacked.
    whys = [work.undecidable(plan) for plan in plans]
    measurements = tuple(work.measured(plan, why) for plan, why in zip(plans, whys, strict=True))
    return work.finish(measurements, plans)


@dataclass
class _Plan:
    """One budget as one attacker puts it to the test."""

    budget: Budget
    seen: MembershipTarget
    access: str
    suite: tuple[ContentAttack, ...]
    n_attackers: int = 1
    parts: tuple[Hashable | None, ...] = ()


def _plans(
    budget: Budget, seen: Sequence[MembershipTarget], session: SessionDefaults
) -> list[_Plan]:
    """Choose the attacks of each attacker; those who have none are left out, unless all are."""
    metric = budget.metric
    asked = session.attacks
    if asked is not None and asked != "all":
        named = [_attack(entry, session) for entry in asked]
        # Attacks that are named hold for what they measure; for all else the default ones run.
        asked = [attack for attack in named if metric.name in attack.metrics] or None
    found: list[_Plan] = []
    errors: list[LeakproError] = []
    for sight in seen:
        own: Any = asked
        if isinstance(asked, list) and len(seen) > 1:
            own = [attack for attack in asked if attack.mismatch(sight) is None] or asked
        try:
            suites = metric_suites(sight, ContentAttack, [metric], replace(session, attacks=own))
        except LeakproError as error:
            errors.append(error)
            continue
        suite = suites[metric.name]
        if all(attack.access is None for attack in suite):
            return [_Plan(budget, sight, ARTEFACT, suite)]
        found.append(_Plan(budget, sight, sight.attacker_name, suite))
    if not found:
        raise errors[-1]
    for plan in found:
        plan.n_attackers = len(found)
    return found


def _attack(entry: Any, session: SessionDefaults) -> Attack:
    return attack_named(entry, session.others) if isinstance(entry, str) else entry


@dataclass
class _Work:
    """One audit while it is carried out: what attacks brought is kept for other metrics."""

    target: MembershipTarget
    view: MembershipView
    session: SessionDefaults
    notes: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    exposed: dict[tuple[str, str], MemberScores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.say = self.session.say or say_on_stderr
        self._views: dict[str, MembershipView] = {}
        self._brought: dict[tuple[str, str, Hashable | None], Brought] = {}
        self._ground: GroundTruth | None = None

    def open(self, plan: _Plan) -> None:
        """Say on which parts a budget is decided one by one."""
        parts = plan.suite[0].parts_of(self._view_of(plan), plan.budget.metric)
        plan.parts = tuple(parts)

    def _view_of(self, plan: _Plan) -> MembershipView:
        if plan.seen is self.target:
            return self.view
        name = plan.seen.attacker_name
        if name not in self._views:
            self._views[name] = self.view.seen_by(plan.seen.sight)
        return self._views[name]

    def _sizes(self, plan: _Plan) -> Sizes:
        part = plan.parts[0] if plan.parts else None
        return Sizes(*plan.suite[0].sizes(self._view_of(plan), part))

    def undecidable(self, plan: _Plan) -> str:
        """Warn where no PASS is possible; say why where nothing is; empty otherwise."""
        if definition_of(plan.budget.metric).census:
            return ""
        sizes = self._sizes(plan)
        others = {str(part): sizes for part in plan.parts[1:]}
        outlook = feasibility(plan.budget, sizes, self.session.alpha, len(plan.suite), others)
        if outlook.message:
            warn(outlook.message)
        return "" if outlook.can_fail else outlook.message

    def measured(self, plan: _Plan, why: str) -> Measurement:
        """Attack, and measure one budget."""
        parts = []
        if not why:
            try:
                parts = [
                    BroughtOfColumn(
                        str(part), tuple(self._bring(plan, attack, part) for attack in plan.suite)
                    )
                    for part in plan.parts
                ]
            except OutOfTimeError as error:
                why = str(error)
        context = self._context(plan)
        if why:
            return not_scored(plan.budget, self._sizes(plan), len(plan.suite), context, why)
        return measure_columns(plan.budget.metric, plan.budget, parts, context)

    def _bring(self, plan: _Plan, attack: ContentAttack, part: Hashable | None) -> Brought:
        key = plan.access, attack.name, part
        if key in self._brought:
            return self._brought[key]
        deadline = self.session.deadline
        if deadline is not None and deadline.passed:
            raise OutOfTimeError(deadline, 0, 1, kept=False, noun="attack")
        view = self._view_of(plan)
        names = (attack.name,) if part is None else (attack.name, str(part))
        who = f"{self.target.name}: {attack.name}"
        started = time.perf_counter()
        view.queries_of()
        found = attack.find(
            view,
            derive_rng(self.session.seed, "attack", *names),
            part,
            lambda text: self.say(f"{who}: {text}"),
        )
        seconds = time.perf_counter() - started
        self.notes += [f"{attack.name}: {note}" for note in found.notes]
        if found.details:
            self.found.setdefault(attack.name, {})[str(part or "")] = dict(found.details)
        if found.exposed is not None:
            self.exposed[plan.access, attack.name] = MemberScores(*found.exposed)
        if found.pictures is not None and self.session.save_reconstructions:
            self.notes += keep_pictures(
                self.session, self.target.name, attack.name, [found.pictures]
            )
        queries = None if attack.access is None else view.queries_of()
        self._brought[key] = Brought(attack.name, found.evidence, seconds, queries)
        return self._brought[key]

    @property
    def ground(self) -> GroundTruth:
        """Whether members and non-members can be told apart without the model."""
        if self._ground is None:
            self._ground = check_ground_truth(self.view, self.session.seed, self.session.alpha)
        return self._ground

    def _context(self, plan: _Plan) -> Context:
        two_sided = definition_of(plan.budget.metric).two_sided
        knows = ", with a population" if plan.seen.has_population else ""
        return Context(
            self.target.name,
            plan.access,
            f"{plan.access}{knows if plan.access != ARTEFACT else ''}",
            self.session.alpha,
            self.session.seed,
            # Who was a member of records on both sides cannot be told, which says nothing of a
            # census of the members.
            blocks_pass=self.view.blocks_pass if two_sided else (),
            fail_share=1 / plan.n_attackers,
            blind=self.ground.blind if two_sided else None,
        )

    def finish(self, measurements: tuple[Measurement, ...], plans: Sequence[_Plan]) -> Audit:
        """Give the audit, with what was seen beside."""
        session = self.session
        suite = {attack.name: attack for plan in plans for attack in plan.suite}
        checks: dict[str, Any] = {"contents": self.found}
        different: tuple[str, ...] = ()
        said: tuple[str, ...] = ()
        if self._ground is not None:
            compared = [one for one in measurements if definition_of(one.metric).two_sided]
            different, worth_warning = self.ground.differences(compared, session.alpha)
            for text in (*self.ground.warnings, *worth_warning):
                warn(f"{self.target.name}: {text}")
            checks = {**self.ground.details, **checks}
            said = self.ground.notes
        details = details_of_target(self.target, self.view, session) | {
            "queries": sum(view.queries for view in (self.view, *self._views.values())),
            "named": self.target.named,
            "configuration": configuration(session, suite.values(), None),
            "checks": checks,
            "scores": None,
        }
        return Audit(
            self.target.name,
            measurements,
            session.seed,
            session.alpha,
            tuple(dict.fromkeys([*self.view.notes, *self.notes, *said, *different])),
            self.exposed,
            details,
        )
