"""The audit of what a client of a federated training sends.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.judging import judge, side_by_side
from pytest_leakpro.auditing.brought import Brought
from pytest_leakpro.auditing.feasibility import feasibility
from pytest_leakpro.auditing.measuring import Context, measure, not_scored
from pytest_leakpro.auditing.metric_suites import metric_suites
from pytest_leakpro.auditing.outcome import Audit
from pytest_leakpro.auditing.pictures import keep_pictures
from pytest_leakpro.auditing.provenance import configuration, details_of_update
from pytest_leakpro.auditing.shadows import say_on_stderr
from pytest_leakpro.auditing.usual_metrics import usual_metrics
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.criterion import Criterion
from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.metrics.update_risk import UpdateRisk
from pytest_leakpro.gate.wording import shown
from pytest_leakpro.shadow.deadline import OutOfTimeError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.store.pictures import require_pictures
from pytest_leakpro.targets.update_view import AuditedUpdates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.federated_update import FederatedUpdate

__all__ = ["audit_update"]

_MEASURES = {
    "images": ("mse", "psnr", "ssim"),
    "table": ("mse", "columns"),
    "tokens": ("tokens", "rouge"),
}
_WORTH_SAYING = 2.0


def audit_update(
    target: FederatedUpdate, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    """Audit what a client sends.

    Parameters
    ----------
    target : FederatedUpdate
        The updates, with the records they are of.
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
        For bad input, or a metric that cannot be measured on an update.
    """
    if session.save_reconstructions and session.private is not None:
        require_pictures()
    metrics = [budget.metric for budget in budgets] or list(usual_metrics(target))
    for metric in metrics:
        _check_criterion(metric, target)
    suites = metric_suites(target, UpdateAttack, metrics, session, budgeted=bool(budgets))
    metrics = [metric for metric in metrics if metric.name in suites]
    work = _Work(target, session, suites)
    by_metric = {budget.metric: budget for budget in budgets}
    # All that sizes cannot decide is said before anything is attacked.
    whys = {metric: work.undecidable(budget) for metric, budget in by_metric.items()}
    work.announce(not whys.get(metric) for metric in metrics)
    measurements = [
        work.measured(metric, by_metric.get(metric), whys.get(metric, "")) for metric in metrics
    ]
    return work.finish(tuple(entry for entry in measurements if entry is not None))


def _check_criterion(metric: MetricName, target: FederatedUpdate) -> None:
    """Check that the records are of a kind that has the measure of a criterion."""
    if metric.name != "reconstruction" or metric.argument is None:
        return
    measure, known = Criterion.parse(metric.argument).measure, _MEASURES[target.form]
    if measure not in known:
        raise LeakproError(
            f"{metric}: the records are {target.form}, whose reconstructions are measured by "
            f"{', '.join(known)}"
        )
    if measure == "ssim" and find_spec("skimage") is None:
        raise LeakproError(
            f"{metric}: the structural similarity is scikit-image's: "
            "pip install 'pytest-leakpro[federated]', or give a budget in psnr"
        )


@dataclass
class _Work:
    """One audit while it is carried out: what attacks brought is kept for other metrics."""

    target: FederatedUpdate
    session: SessionDefaults
    suites: dict[str, tuple[UpdateAttack, ...]]
    notes: list[str] = field(default_factory=list)
    cut: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.say = self.session.say or say_on_stderr
        self._updates: AuditedUpdates | None = None
        self._brought: dict[str, Brought] = {}

    @property
    def updates(self) -> AuditedUpdates:
        """What the client sends, computed once."""
        if self._updates is None:
            self._updates = AuditedUpdates(
                self.target.prepare(self.session.seed), self.target.tolerance, self.say
            )
        return self._updates

    @property
    def sizes(self) -> Sizes:
        """How many batches there are."""
        return Sizes(self.target.n_batches, 0)

    def undecidable(self, budget: Budget) -> str:
        """Warn where no PASS is possible; say why where nothing is; empty otherwise."""
        if self.target.n_batches == 1:  # all of it is seen
            return ""
        attacks = len(self.suites[budget.metric.name])
        outlook = feasibility(budget, self.sizes, self.session.alpha, attacks)
        if outlook.message:
            warn(outlook.message)
        return "" if outlook.can_fail else outlook.message

    def announce(self, wanted: Any) -> None:
        """Say how many batches are attacked, and how long that takes, where it does."""
        suite = dict.fromkeys(
            attack
            for attacks, go in zip(self.suites.values(), wanted, strict=False)
            for attack in attacks
            if go
        )
        if not suite:
            return
        view = self.updates.updates[0].view
        steps = sum(attack.steps_on(view) for attack in suite)
        seconds = 0.0 if not steps else steps * _seconds_of_step(self.updates)
        seconds *= self.target.n_batches
        if seconds >= _WORTH_SAYING:
            count = self.target.n_batches
            batches = "1 batch" if count == 1 else f"{count} batches"
            names = ", ".join(attack.name for attack in suite)
            self.say(
                f"{self.target.name}: {batches} of {self.target.n_records} records attacked by "
                f"{names}, about {seconds:.0f} s"
            )

    def measured(self, metric: MetricName, budget: Budget | None, why: str) -> Measurement | None:
        """Attack, and measure one metric; None for a usual one that cannot be measured here."""
        suite = self.suites[metric.name]
        if not why:
            try:
                brought = [self._bring(attack) for attack in suite]
            except OutOfTimeError as error:
                why = str(error)
        if why and budget is None:
            self.notes.append(f"{metric} was not measured: {why}")
            return None
        context = self._context(suite)
        if why:
            assert budget is not None
            return not_scored(budget, self.sizes, len(suite), context, why)
        if budget is not None:
            self._warn_of_easy(budget, brought[0].evidence)
        return measure(metric, budget, brought, context, len(suite))

    def _warn_of_easy(self, budget: Budget, evidence: Evidence) -> None:
        """Warn where a guess alone leaves less to find than the budget allows."""
        definition = definition_of(budget.metric)
        assert isinstance(definition, UpdateRisk)
        guessed = definition.baseline_rate(budget.metric, evidence)
        if 1 - guessed <= budget.limit:
            text = (
                f"{budget} cannot FAIL here: {shown(guessed, 'percent')} is reached without the "
                "update, and only what goes beyond that counts; choose a stricter criterion or a "
                "lower limit"
            )
            warn(f"{self.target.name}: {text}")
            self.notes.append(text)

    def _bring(self, attack: UpdateAttack) -> Brought:
        if attack.name not in self._brought:
            rng = derive_rng(self.session.seed, "attack", attack.name)
            started = time.perf_counter()
            found: list[Rebuilt] = []
            who = f"{self.target.name}: {attack.name}"
            told = replace(self.updates, say=lambda text: self.say(f"{who}: {text}"))
            for rebuilt in attack.rebuild_all(told, rng):
                found.append(rebuilt)
                deadline = self.session.deadline
                if deadline is not None and deadline.passed and len(found) < self.target.n_batches:
                    raise OutOfTimeError(
                        deadline, len(found), self.target.n_batches, kept=False, noun="update"
                    )
            self._note(attack, found)
            evidence = judge(
                self.updates,
                found,
                derive_rng(self.session.seed, "baseline of reconstructions"),
                name=attack.name,
            )
            seconds = time.perf_counter() - started
            self._brought[attack.name] = Brought(attack.name, evidence, seconds)
            self._keep(attack, found)
        return self._brought[attack.name]

    def _note(self, attack: UpdateAttack, found: Sequence[Rebuilt]) -> None:
        ended = sum(rebuilt.cut for rebuilt in found)
        if ended:
            self.cut[attack.name] = (
                f"the time budget of {attack.name} ended its search early on {ended} of "
                f"{len(found)} batches, so that it found less than it would have: give it more "
                "seconds"
            )
        self.notes += [f"{attack.name}: {entry.remark}" for entry in found if entry.remark]

    def _keep(self, attack: UpdateAttack, found: Sequence[Rebuilt]) -> None:
        """Write pictures of records beside what was rebuilt, where that was asked for."""
        sought = "reconstruction" in attack.metrics
        if self.session.save_reconstructions and self.target.form == "images" and sought:
            pairs = zip(self.updates.updates, found, strict=True)
            sheets = (side_by_side(entry, rebuilt) for entry, rebuilt in pairs)
            self.notes += keep_pictures(self.session, self.target.name, attack.name, sheets)

    def _context(self, suite: Sequence[UpdateAttack]) -> Context:
        participant = self.target.participant
        return Context(
            self.target.name,
            participant.access,
            f"{participant}{', with a population' if self.target.has_population else ''}",
            self.session.alpha,
            self.session.seed,
            blocks_pass=tuple(self.cut[attack.name] for attack in suite if attack.name in self.cut),
        )

    def finish(self, measurements: tuple[Measurement, ...]) -> Audit:
        """Give the audit, with what was seen beside."""
        suite = {attack.name: attack for attacks in self.suites.values() for attack in attacks}
        details = details_of_update(self.target, self.updates, self.session) | {
            "named": self.target.named,
            "configuration": configuration(self.session, suite.values(), None),
            "checks": {},
            "scores": None,
        }
        return Audit(
            self.target.name,
            measurements,
            self.session.seed,
            self.session.alpha,
            tuple(dict.fromkeys(self.notes)),
            {},
            details,
        )


def _seconds_of_step(updates: AuditedUpdates) -> float:
    """Measure what one step of a search takes: an update simulated, and differentiated."""
    entry = updates.updates[0]
    inputs = entry.inputs.clone()
    if inputs.is_floating_point():
        inputs.requires_grad_(True)
    started = time.perf_counter()
    repeats = 3
    for _ in range(repeats):
        sent = entry.view.simulate(inputs, entry.labels)
        if inputs.requires_grad:
            sum((part * part).sum() for part in sent).backward()
            inputs.grad = None
    return (time.perf_counter() - started) / repeats
