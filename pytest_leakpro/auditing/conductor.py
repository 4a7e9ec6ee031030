"""The conductor: attacks chosen and run, evidence measured, verdicts reached.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.feasibility import false_alarm_message, feasibility
from pytest_leakpro.auditing.measuring import (
    Brought,
    Context,
    distinct_rankings,
    measure,
    not_scored,
)
from pytest_leakpro.auditing.messages import (
    inconclusive_message,
    leakage_message,
    weak_suite_message,
)
from pytest_leakpro.auditing.outcome import Audit, MemberScores
from pytest_leakpro.auditing.session import SessionDefaults, current_session
from pytest_leakpro.auditing.shadows import prepare_shadows
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE, choose_suite
from pytest_leakpro.gate.budget import Budget, parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.errors import (
    InconclusiveError,
    LeakageError,
    LeakproError,
    warn,
)
from pytest_leakpro.gate.evidence import Evidence, MembershipScores
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.shadow.obtain import has_shadows
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.membership_target import MembershipTarget
from pytest_leakpro.targets.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.gate.measurement import Measurement

__all__ = ["assert_leakage_below", "audit", "conduct"]

USUAL_METRICS = ("tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage")
# Where an attack needs a population and the user gave none.
POPULATION_SHARE = 0.3


def audit(
    target: Any,
    *budgets: str | Budget,
    attacks: str | Sequence[str | Attack] | None = None,
    seed: int | None = None,
    alpha: float | None = None,
    shadow_models: int | None = None,
    workers: int | None = None,
    weak_suite: str | None = None,
) -> Audit:
    """Measure how much a target leaks, and decide its budgets.

    Parameters
    ----------
    target : Classifier, Regressor or evidence
        What is audited, or scores that another tool measured (`MembershipScores`).
    *budgets : str or Budget
        For example ``"tpr@0.1%fpr <= 1%"``. Without any, the budgets of the running test's marker,
        the command line or the ini file; without those, the target's usual metrics are measured
        and no verdict is given.
    attacks : None, "all", str, or sequence of str or Attack
        The strongest three that match by default, as shadow models tell where there are any;
        "all", names or attacks override.
    seed : int, optional
        At least 0; the session's by default, 0 outside one.
    alpha : float, optional
        Error of both sides of a bound together, in (0, 1); 0.05 by default.
    shadow_models : int, optional
        How many shadow models to train where the target can be retrained, at least 4; 16 by
        default.
    workers : int, optional
        Number of processes that train them; the cores by default.
    weak_suite : {"warn", "inconclusive", "pass"}, optional
        What becomes of a PASS where no attack was calibrated per record.

    Returns
    -------
    Audit
        Never raises for what it found.

    Raises
    ------
    LeakproError
        For bad input: budgets, target, records, a model that fails.

    See Also
    --------
    assert_leakage_below : The same, raising where a budget is not met.
    """
    session = _session_of_call(
        attacks=attacks,
        seed=seed,
        alpha=alpha,
        shadow_models=shadow_models,
        workers=workers,
        weak_suite=weak_suite,
    )
    return conduct(target, _budgets(budgets) or session.budgets, session)


def assert_leakage_below(
    target: Any,
    *budgets: str | Budget,
    attacks: str | Sequence[str | Attack] | None = None,
    seed: int | None = None,
    alpha: float | None = None,
    shadow_models: int | None = None,
    workers: int | None = None,
    weak_suite: str | None = None,
    inconclusive: str | None = None,
) -> Audit:
    """Assert that a target leaks no more than its budgets allow.

    Parameters
    ----------
    target, *budgets, attacks, seed, alpha, shadow_models, workers, weak_suite
        As for `audit`.
    inconclusive : {"fail", "warn", "pass"}, optional
        What an undecided budget does; "fail" by default.

    Returns
    -------
    Audit
        Where every budget is met.

    Raises
    ------
    LeakageError
        Where a budget is violated: its lower bound lies above the limit.
    InconclusiveError
        Where a budget is undecided and none is violated.
    LeakproError
        For bad input, or where there is no budget at all.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_leakpro import MembershipScores, assert_leakage_below
    >>> rng = np.random.default_rng(0)
    >>> scores = MembershipScores(members=rng.normal(size=4000), nonmembers=rng.normal(size=4000))
    >>> assert_leakage_below(scores, "auc <= 0.55").verdict
    <Verdict.PASS: 'PASS'>
    """
    __tracebackhide__ = True
    session = _session_of_call(
        attacks=attacks,
        seed=seed,
        alpha=alpha,
        shadow_models=shadow_models,
        workers=workers,
        weak_suite=weak_suite,
        inconclusive=inconclusive,
    )
    wanted = _budgets(budgets) or session.budgets
    if not wanted:
        raise LeakproError(
            "there is no budget: give one in the call, in the marker "
            '@pytest.mark.leakage("tpr@0.1%fpr <= 1%"), with --leakpro-budget, '
            "or as leakpro_budgets in the ini file"
        )
    finished = conduct(target, wanted, session)
    if finished.verdict is Verdict.FAIL:
        raise LeakageError(leakage_message(finished, session.again), finished)
    if finished.verdict is Verdict.INCONCLUSIVE and session.inconclusive != "pass":
        message = inconclusive_message(finished, session.again)
        if session.inconclusive == "fail":
            raise InconclusiveError(message, finished)
        warn(message)
    return finished


def conduct(target: Any, budgets: tuple[Budget, ...], session: SessionDefaults) -> Audit:
    """Audit a target with everything decided: budgets, seed, alpha, attacks.

    Parameters
    ----------
    target : object
        As for `audit`.
    budgets : tuple of Budget
        Empty to measure the usual metrics.
    session : SessionDefaults
        What the call, the marker and the session say together.

    Returns
    -------
    Audit
    """
    repeated = {str(entry.metric) for entry in budgets}
    if len(repeated) < len(budgets):
        raise LeakproError(
            f"a metric has two budgets: {', '.join(map(str, budgets))}; give one limit for each"
        )
    if isinstance(target, Evidence):
        finished = _audit_evidence(target, budgets, session)
    elif isinstance(target, (MembershipTarget, Recipe)):
        finished = _audit_target(target, budgets, session)
    else:
        raise LeakproError(
            f"a {type(target).__name__} cannot be audited: wrap it in Classifier or Regressor, "
            "or bring the scores of another tool as MembershipScores"
        )
    _warn(finished, session)
    if session.collect is not None:
        session.collect(finished)
    return finished


def _audit_evidence(
    evidence: Evidence, budgets: tuple[Budget, ...], session: SessionDefaults
) -> Audit:
    if session.attacks is not None:
        raise LeakproError("attacks= does not go with scores that were measured elsewhere")
    name = getattr(evidence, "name", type(evidence).__name__)
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
    return Audit(name, measurements, session.seed, session.alpha, (), exposed)


def _audit_target(target: Any, budgets: tuple[Budget, ...], session: SessionDefaults) -> Audit:
    said: tuple[str, ...] = ()
    if isinstance(target, Recipe):
        said, target = (target.note,), target.realise(session.seed)
    shadows = has_shadows(target)
    suite = choose_suite(target, session.attacks, session.others, shadows=shadows)
    _check_metrics(budgets, suite, target)
    lacking = any(attack.needs_population for attack in suite) and not target.has_population
    view = target.prepare(session.seed, population_share=POPULATION_SHARE if lacking else None)
    sizes = Sizes(view.n_members, view.n_nonmembers)
    n_attacks = (
        len(suite) if session.attacks is not None else min(len(suite), LARGEST_DEFAULT_SUITE)
    )
    undecidable = _announce(budgets, sizes, session.alpha, n_attacks)
    nothing_to_decide = bool(budgets) and len(undecidable) == len(budgets)

    strength, seconds, blocks_pass = "no shadow models", 0.0, view.blocks_pass
    notes: list[str] = []
    if any(attack.needs_shadow for attack in suite) and not nothing_to_decide:
        prepared = prepare_shadows(target, view, suite, budgets, session)
        suite, notes, strength = prepared.suite, prepared.notes, prepared.strength
        seconds = prepared.seconds
        blocks_pass += prepared.blocks_pass
    context = Context(
        target.name,
        target.access.value,
        f"{target.access.value}, {strength}",
        session.alpha,
        session.seed,
        weak_suite=not any(attack.calibrated for attack in suite),
        blocks_pass=blocks_pass,
        seconds=seconds,
    )
    if nothing_to_decide:
        measurements = tuple(
            not_scored(budget, sizes, n_attacks, context, message)
            for budget, message in zip(budgets, undecidable, strict=True)
        )
        said += view.notes
        return Audit(target.name, measurements, session.seed, session.alpha, said)

    brought, exposed = [], {}
    for attack in suite:
        started = time.perf_counter()
        evidence = attack.run(view, derive_rng(session.seed, "attack", attack.name))
        brought.append(Brought(attack.name, evidence, time.perf_counter() - started))
        if isinstance(evidence, MembershipScores):
            exposed[attack.name] = MemberScores(view.member_ids(), evidence.members)
    measurements = tuple(
        _with_weak_suite(entry, session) for entry in _measure(budgets, brought, context)
    )
    said += (*view.notes, *notes)
    return Audit(target.name, measurements, session.seed, session.alpha, said, exposed)


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


def _warn(finished: Audit, session: SessionDefaults) -> None:
    for entry in finished.measurements:
        if entry.limit is None or entry.pass_chance is None:
            continue
        budget, sizes = (
            Budget(entry.metric, entry.limit),
            Sizes(entry.n_members, entry.n_nonmembers),
        )
        if entry.pass_chance > 0:  # where it is 0 the audit has said so before it began
            attacks = max(1, len(entry.figures))
            message = false_alarm_message(budget, sizes, finished.alpha, attacks, entry.pass_chance)
            if message is not None:
                warn(message)
    weak = weak_suite_message(finished)
    if weak is not None and session.weak_suite == "warn":
        warn(weak)


def _budgets(budgets: tuple[str | Budget, ...]) -> tuple[Budget, ...]:
    return tuple(entry if isinstance(entry, Budget) else Budget.parse(entry) for entry in budgets)


def _session_of_call(**options: Any) -> SessionDefaults:
    given = {name: value for name, value in options.items() if value is not None}
    return replace(current_session(), **given)
