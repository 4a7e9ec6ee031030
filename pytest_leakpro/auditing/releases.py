"""The audit of a release of synthetic data against its source.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.synthetic.base_attack import (
    ReleaseAttack,
    ReleaseMembershipAttack,
    UnattackableError,
)
from pytest_leakpro.auditing.brought import Brought, BroughtOfColumn
from pytest_leakpro.auditing.checks.closeness import closeness, text_copies
from pytest_leakpro.auditing.checks.ground_truth import GroundTruth, check_ground_truth
from pytest_leakpro.auditing.claims import EPSILON, as_evidence_for
from pytest_leakpro.auditing.feasibility import feasibility
from pytest_leakpro.auditing.measuring import (
    Context,
    distinct_rankings,
    measure,
    measure_columns,
    not_scored,
)
from pytest_leakpro.auditing.metric_suites import metric_suites
from pytest_leakpro.auditing.outcome import Audit, MemberScores
from pytest_leakpro.auditing.provenance import configuration, details_of_release
from pytest_leakpro.auditing.shadows import say_on_stderr
from pytest_leakpro.auditing.usual_metrics import usual_metrics
from pytest_leakpro.auditing.weak_suite import with_weak_suite
from pytest_leakpro.gate.errors import LeakproError, nearest_match, warn
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.shadow.deadline import OutOfTimeError
from pytest_leakpro.shadow.executor import default_workers
from pytest_leakpro.shadow.generators import obtain_shadow_tables
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.personal_patterns import KINDS

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.release_view import ReleaseView
    from pytest_leakpro.targets.synthetic_data import SyntheticData

__all__ = ["audit_release"]

_POPULATION_SHARE = 0.3
_NOTHING_TO_INFER = (
    "there is no column to infer; every one is known to the attacker, constant, a key or free text"
)
_ACCESS = "release"


def audit_release(
    target: SyntheticData, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    """Audit a release.

    Parameters
    ----------
    target : SyntheticData
        The release, its source and the control.
    budgets : tuple of Budget
        Empty to measure the usual metrics.
    session : SessionDefaults
        What the call, the marker and the session say together.

    Returns
    -------
    Audit

    Raises
    ------
    LeakproError
        For bad input, or a metric that cannot be measured on a release.
    """
    metrics = [budget.metric for budget in budgets] or list(usual_metrics(target))
    suites = metric_suites(target, ReleaseAttack, metrics, session, budgeted=bool(budgets))
    metrics = [metric for metric in metrics if metric.name in suites]
    work = _Work(target, session, suites)
    by_metric = {budget.metric: budget for budget in budgets}
    plans = [work.plan(metric, by_metric.get(metric)) for metric in metrics]
    # All that sizes cannot decide is said before anything is attacked, or trained.
    whys = [work.undecidable(plan) for plan in plans]
    measurements = [
        work.not_decided(plan, why) if why else work.measured(plan)
        for plan, why in zip(plans, whys, strict=True)
    ]
    return work.finish(tuple(entry for entry in measurements if entry is not None))


@dataclass(frozen=True)
class _Plan:
    """One metric, how it is measured, and its budget."""

    metric: MetricName
    budget: Budget | None
    suite: tuple[ReleaseAttack, ...]
    columns: tuple[Hashable, ...]


@dataclass
class _Work:
    """One audit while it is carried out: what attacks brought is kept for other metrics."""

    target: SyntheticData
    session: SessionDefaults
    suites: dict[str, tuple[ReleaseAttack, ...]]
    notes: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    exposed: dict[tuple[str, str], MemberScores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.threads = self.session.workers or default_workers()
        self.view = self.target.prepare(self.session.seed, threads=self.threads)
        self._brought: dict[tuple[str, bool, Hashable | None], Brought | None] = {}
        self._scored: ReleaseView | None = None
        self._canaries: ReleaseView | None = None
        self._ground: GroundTruth | None = None
        self.training: dict[str, Any] = {}

    def plan(self, metric: MetricName, budget: Budget | None) -> _Plan:
        """Say by which attacks a metric is measured, and on which columns one by one."""
        suite = tuple(attack.set_for(metric) for attack in self.suites[metric.name])
        columns = suite[0].columns_of(self.view)
        part = suite[0].part_of(metric)
        if part is not None:
            columns = (_column(metric, part, self.target, columns),)
        elif suite[0].at_once:
            columns = ()
        elif metric.name == "inference" and not columns and budget is not None:
            raise LeakproError(f"inference: {_NOTHING_TO_INFER}: name one in secret=")
        return _Plan(metric, budget, suite, columns)

    def undecidable(self, plan: _Plan) -> str:
        """Warn where no PASS is possible; say why where nothing is; empty otherwise."""
        if plan.budget is None:
            return ""
        sizes, *others = (self._sizes(plan, column) for column in plan.columns or (None,))
        parts = dict(zip(map(str, plan.columns[1:]), others, strict=True))
        outlook = feasibility(plan.budget, sizes, self.session.alpha, len(plan.suite), parts)
        if outlook.message:
            warn(outlook.message)
        return "" if outlook.can_fail else outlook.message

    def not_decided(self, plan: _Plan, why: str) -> Measurement:
        """Give the measurement of a budget that no outcome could decide."""
        assert plan.budget is not None
        context = self._context(plan)
        sizes = self._sizes(plan, plan.columns[0] if plan.columns else None)
        return not_scored(plan.budget, sizes, len(plan.suite), context, why)

    def measured(self, plan: _Plan) -> Measurement | None:
        """Attack, and measure one metric; None for a usual one that cannot be measured here."""
        if plan.metric.name == "inference" and not plan.columns:
            self.notes.append(f"inference was not measured: {_NOTHING_TO_INFER}")
            return None
        try:
            hypotheses = [(column, self._bring(plan, column)) for column in plan.columns or (None,)]
        except OutOfTimeError as error:
            if plan.budget is None:
                self.notes.append(f"{plan.metric} was not measured: {error}")
                return None
            return self.not_decided(plan, str(error))
        if not all(brought for _, brought in hypotheses):
            if plan.budget is None:  # the notes say why
                return None
            return self.not_decided(plan, self.failed[plan.suite[0].name])
        context = self._context(plan)
        if not plan.columns:
            brought = hypotheses[0][1]
            rankings = distinct_rankings(brought)
            return measure(plan.metric, plan.budget, brought, context, rankings)
        parts = [BroughtOfColumn(str(column), tuple(brought)) for column, brought in hypotheses]
        return measure_columns(plan.metric, plan.budget, parts, context)

    def _bring(self, plan: _Plan, column: Hashable | None) -> list[Brought]:
        """Give what the attacks of a suite found; those that could make no guess are left out."""
        found = []
        drawn = plan.metric.name == EPSILON
        for attack in plan.suite:
            key = repr(attack), drawn, column
            if key not in self._brought:
                self._brought[key] = self._attack(attack, drawn, column)
            brought = self._brought[key]
            if brought is not None:
                found.append(brought)
        return as_evidence_for(plan.metric, found, self.target.claim)

    def _attack(
        self, attack: ReleaseAttack, drawn: bool, column: Hashable | None
    ) -> Brought | None:
        if not drawn:
            self._train_for(attack)
        view = self._view_for(attack, drawn)
        names = (attack.name,) if column is None else (attack.name, str(column))
        started = time.perf_counter()
        try:
            evidence = attack.run(view, derive_rng(self.session.seed, "attack", *names), column)
        except UnattackableError as error:
            self.failed[attack.name] = f"{attack.name} could not attack: {error}"
            return None
        seconds = time.perf_counter() - started
        if isinstance(evidence, MembershipScores) and not drawn:
            scores = MemberScores(view.member_ids(), evidence.members)
            self.exposed[_ACCESS, attack.name] = scores
        return Brought(attack.name, evidence, seconds)

    def _view_for(self, attack: ReleaseAttack, drawn: bool = False) -> ReleaseView:
        """Give the rows to attack: membership attacks share those that leave a population.

        Where the auditor drew who was inserted these are the canaries alone.
        """
        if drawn:
            if self._canaries is None:
                self._canaries = self.target.on_canaries.prepare(self.session.seed, told=True)
            return self._canaries
        if not isinstance(attack, ReleaseMembershipAttack):
            return self.view
        if self._scored is None:
            lacking = not self.target.has_population and any(
                one.needs_population for attacks in self.suites.values() for one in attacks
            )
            self._scored = self.view
            if lacking:
                self._scored = self.target.prepare(
                    self.session.seed,
                    population_share=_POPULATION_SHARE,
                    threads=self.threads,
                    told=True,
                )
        return self._scored

    def _train_for(self, attack: ReleaseAttack) -> None:
        """Train shadow generators, once, where an attack needs them."""
        view = self._view_for(attack)
        if not attack.needs_shadow or view.shadow_tables is not None:
            return
        self.training = obtain_shadow_tables(
            view,
            self.session.shadow_models,
            workers=self.session.workers,
            cache=self.session.cache_dir,
            say=self.session.say or say_on_stderr,
            deadline=self.session.deadline,
            version=self.target.generator_version,
            place=Place(self.session.backend, self.session.scheduler),
            name=self.target.name,
        )

    def _sizes(self, plan: _Plan, column: Hashable | None) -> Sizes:
        attack = plan.suite[0]
        view = self._view_for(attack, plan.metric.name == EPSILON)
        return Sizes(*attack.sizes(view, column))

    def _context(self, plan: _Plan) -> Context:
        ground = self.ground
        membership = [one for one in plan.suite if isinstance(one, ReleaseMembershipAttack)]
        strength = _ACCESS
        if membership:
            tables = self._view_for(membership[0]).shadow_tables
            strength = f"{_ACCESS}, {tables.n_tables if tables else 'no'} shadow generators"
        return Context(
            self.target.name,
            _ACCESS,
            strength,
            self.session.alpha,
            self.session.seed,
            weak_suite=bool(membership) and not any(one.calibrated for one in membership),
            blocks_pass=() if plan.metric.name == EPSILON else self.view.blocks_pass,
            blind=ground.blind,
        )

    @property
    def ground(self) -> GroundTruth:
        """Whether the source and the control can be told apart without the release."""
        if self._ground is None:
            self._ground = check_ground_truth(self.view, self.session.seed, self.session.alpha)
        return self._ground

    def finish(self, measurements: tuple[Measurement, ...]) -> Audit:
        """Give the audit, with what was chosen and what was seen beside."""
        view, session = self.view, self.session
        roles = view.roles
        told = [*view.notes, *roles.notes]
        named = {entry.metric.name for entry in measurements}
        if "linkability" in named:
            told.append(roles.said_of_linkability())
        if "inference" in named:
            told.append(roles.said_of_inference())
        release: dict[str, Any] = {}
        scored = () if self._scored is None else self._scored.notes
        told += [*scored, *self.notes, *self.failed.values()]
        if roles.usable:
            release["closeness"], note = closeness(view, derive_rng(session.seed, "closeness"))
            told.append(note)
        release["texts"] = {}
        for column in roles.texts:
            release["texts"][str(column)], note = text_copies(view, column)
            told += [note] if note else []
        ground = self.ground
        different, worth_warning = ground.differences(measurements, session.alpha)
        for text in (*ground.warnings, *worth_warning):
            warn(f"{self.target.name}: {text}")
        suite = {attack.name: attack for suite in self.suites.values() for attack in suite}
        shadows = any(attack.needs_shadow for attack in suite.values())
        details = details_of_release(self.target, view, session) | {
            "named": self.target.named,
            "configuration": configuration(
                session, suite.values(), session.shadow_models if shadows else None
            ),
            "checks": {**ground.details, "release": release},
            "scores": None,
        }
        if self.training:
            details["training"] = self.training
        return Audit(
            self.target.name,
            tuple(with_weak_suite(entry, session) for entry in measurements),
            session.seed,
            session.alpha,
            tuple(dict.fromkeys([*told, *ground.notes, *different])),
            self.exposed,
            details,
        )


def _column(
    metric: MetricName, wanted: str, target: SyntheticData, columns: tuple[Hashable, ...]
) -> Hashable:
    """Find the column, or the kind of personal data, that a metric names."""
    by_name = {str(column): column for column in columns}
    if wanted in by_name:
        return by_name[wanted]
    if metric.name == "pii":
        if target.detector is None and wanted in KINDS:
            return wanted
        known = nearest_match(wanted, KINDS if target.detector is None else by_name)
        raise LeakproError(f"{metric}: nothing is of the kind {wanted!r}{known}")
    if target.is_text:
        raise LeakproError(f"{metric}: lists of texts have no columns: leave {wanted!r} out")
    roles = target.roles
    every = [str(name) for name in (*roles.usable, *roles.texts, *roles.keys)]
    if wanted not in every:
        raise LeakproError(f"{metric}: there is no column {wanted!r}{nearest_match(wanted, every)}")
    if metric.name in ("exact_copies", "near_copies"):
        rows = f"; copies of whole rows are {metric.name}" if metric.name == "exact_copies" else ""
        raise LeakproError(f"{metric}: the column is no free text{rows}")
    if roles.given.known is not None and wanted in map(str, roles.given.known):
        raise LeakproError(
            f"{metric}: the attacker knows this column (aux_columns, quasi_identifiers), so it is "
            "no secret"
        )
    raise LeakproError(
        f"{metric}: this column is not among the secrets (constant, a key, free text, or not in "
        "secret=): name it in secret="
    )
