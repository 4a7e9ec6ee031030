"""The conductor: attacks chosen and run, evidence measured, verdicts reached.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.claims import claimed_budgets
from pytest_leakpro.auditing.feasibility import false_alarm_message
from pytest_leakpro.auditing.messages import (
    inconclusive_message,
    leakage_message,
    no_baseline_message,
    weak_suite_message,
)
from pytest_leakpro.auditing.records import error_records, numbered, records_of
from pytest_leakpro.auditing.regression import keep_scores, keep_vulnerable, with_changes
from pytest_leakpro.auditing.running import carry_out
from pytest_leakpro.auditing.session import SessionDefaults, current_session
from pytest_leakpro.auditing.usual_metrics import usual_metrics
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.errors import (
    InconclusiveError,
    LeakageError,
    LeakproError,
    warn,
)
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = [
    "assert_leakage_below",
    "audit",
    "conduct",
    "fail",
    "finish",
    "judge",
    "read_budgets",
    "report",
    "session_of_call",
]


def audit(
    target: Any,
    *budgets: str | Budget,
    attacks: str | Sequence[str | Attack] | None = None,
    seed: int | None = None,
    alpha: float | None = None,
    shadow_models: int | str | None = None,
    workers: int | None = None,
    weak_suite: str | None = None,
    name: str | None = None,
) -> Audit:
    """Measure how much a target leaks, and decide its budgets.

    Parameters
    ----------
    target : Classifier, Regressor or evidence
        What is audited, or what another tool measured (`MembershipScores`, `Guesses`, `Counts`,
        `Reconstructions`, `Exposures`).
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
    shadow_models : int or "auto", optional
        How many shadow models to train where the target can be retrained, at least 4; 16 by
        default. With "auto" 8, 16, 32 and 64: a budget may be violated at any of these looks,
        which share the error, and met at the last one only.
    workers : int, optional
        Number of processes that train them; the cores by default.
    weak_suite : {"warn", "inconclusive", "pass"}, optional
        What becomes of a PASS where no attack was calibrated per record.
    name : str, optional
        What the audit is called in records and baselines; the id of the test by default.

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
    session = session_of_call(
        attacks=attacks,
        seed=seed,
        alpha=alpha,
        shadow_models=shadow_models,
        workers=workers,
        weak_suite=weak_suite,
        name=name,
    )
    return conduct(target, read_budgets(budgets) or session.budgets, session)


def assert_leakage_below(
    target: Any,
    *budgets: str | Budget,
    attacks: str | Sequence[str | Attack] | None = None,
    seed: int | None = None,
    alpha: float | None = None,
    shadow_models: int | str | None = None,
    workers: int | None = None,
    weak_suite: str | None = None,
    inconclusive: str | None = None,
    max_increase: str | float | None = None,
    name: str | None = None,
) -> Audit:
    """Assert that a target leaks no more than its budgets allow.

    Parameters
    ----------
    target, *budgets, attacks, seed, alpha, shadow_models, workers, weak_suite, name
        As for `audit`.
    inconclusive : {"fail", "warn", "pass"}, optional
        What an undecided budget does; "fail" by default.
    max_increase : str or float, optional
        How much more than its baseline any metric may show, as ``"0.5pp"`` (percentage points) or
        0.005; by default no significant increase at all. Only in a session with a baseline.

    Returns
    -------
    Audit
        Where every budget is met.

    Raises
    ------
    LeakageError
        Where a budget is violated: its lower bound lies above the limit. Or where the leakage is
        significantly above the baseline's, by more than `max_increase`.
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
    session = session_of_call(
        attacks=attacks,
        seed=seed,
        alpha=alpha,
        shadow_models=shadow_models,
        workers=workers,
        weak_suite=weak_suite,
        inconclusive=inconclusive,
        max_increase=max_increase,
        name=name,
    )
    wanted = read_budgets(budgets) or session.budgets or claimed_budgets(target)
    if not wanted:
        raise LeakproError(
            "there is no budget: give one in the call, in the marker "
            '@pytest.mark.leakage("tpr@0.1%fpr <= 1%"), with --leakpro-budget, '
            "or as leakpro_budgets in the ini file"
        )
    finished = conduct(target, wanted, session)
    judge(finished, session)
    return finished


def conduct(
    target: Any,
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
    only: tuple[MetricName, ...] | None = None,
) -> Audit:
    """Audit a target with everything decided: budgets, seed, alpha, attacks.

    Parameters
    ----------
    target : object
        As for `audit`.
    budgets : tuple of Budget
        Empty to measure the usual metrics.
    session : SessionDefaults
        What the call, the marker and the session say together.
    only : tuple of MetricName, optional
        The metrics that are told of and compared with the baseline; all by default. The others
        are left to `report`.

    Returns
    -------
    Audit

    Raises
    ------
    LeakproError
        For bad input. Its end is logged all the same.
    """
    told = budgets if only is None else tuple(b for b in budgets if b.metric in only)
    if session.name is not None and session.log is not None:
        session.log.claim(session.name, session.test)
    try:
        finished = finish(target, budgets, session)
        if only is None:
            return report(finished, session)
        mine = tuple(entry for entry in finished.measurements if entry.metric in only)
        compared = report(replace(finished, measurements=mine), session).measurements
    except Exception as error:
        fail(error, told, session, target)
        raise
    by_metric = {entry.metric: entry for entry in compared}
    return replace(
        finished,
        measurements=tuple(by_metric.get(entry.metric, entry) for entry in finished.measurements),
    )


def finish(target: Any, budgets: tuple[Budget, ...], session: SessionDefaults) -> Audit:
    """Carry an audit out, keep what is to be kept of it, and warn; `report` is still to come.

    Parameters
    ----------
    target, budgets, session
        As for `conduct`.
    """
    finished = keep_scores(carry_out(target, budgets, session), session)
    finished = keep_vulnerable(finished, session)
    _warn(finished, session)
    return finished


def report(finished: Audit, session: SessionDefaults) -> Audit:
    """Compare a finished audit with the baseline, and tell the session's log of it.

    Parameters
    ----------
    finished : Audit
        Not yet compared.
    session : SessionDefaults
        Of the running test.

    Returns
    -------
    Audit
        With the changes since the baseline: the one to `judge`.
    """
    compared = with_changes(numbered(finished, session), session)
    if session.log is not None:
        session.log.audits.append(records_of(compared, session))
    return compared


def fail(
    error: BaseException, budgets: tuple[Budget, ...], session: SessionDefaults, target: Any = None
) -> None:
    """Tell the session's log that an audit ended in an error.

    Parameters
    ----------
    error : BaseException
        Which.
    budgets : tuple of Budget
        What was to be measured.
    session : SessionDefaults
        Of the running test.
    target : object, optional
        What was audited, as far as it came about.
    """
    if session.log is None:
        return
    name = getattr(target, "name", "")
    access = getattr(target, "access", "")
    access = getattr(access, "value", access)
    session.log.audits.append(
        error_records(
            error,
            budgets,
            session,
            usual_metrics(target),
            target=name if isinstance(name, str) else "",
            named=getattr(target, "named", False) is True,
            access=access if isinstance(access, str) else "",
        )
    )


def judge(finished: Audit, session: SessionDefaults) -> None:
    """Raise or warn where an audit does not meet its budgets or exceeds its baseline.

    Parameters
    ----------
    finished : Audit
        As `report` gives it.
    session : SessionDefaults
        Of the running test.

    Raises
    ------
    LeakageError, InconclusiveError
        As `assert_leakage_below`.
    LeakproError
        Where a baseline is required and there is none.
    """
    __tracebackhide__ = True
    regressed = finished.regressed and session.baseline_use != "updating"
    if finished.verdict is Verdict.FAIL or regressed:
        raise LeakageError(leakage_message(finished, session.again, regressed=regressed), finished)
    if session.baseline_use == "required":
        missing = no_baseline_message(finished)
        if missing is not None:
            raise LeakproError(missing)
    if finished.verdict is Verdict.INCONCLUSIVE and session.inconclusive != "pass":
        message = inconclusive_message(finished, session.again)
        if session.inconclusive == "fail":
            raise InconclusiveError(message, finished)
        warn(message)


def _warn(finished: Audit, session: SessionDefaults) -> None:
    for entry in finished.measurements:
        if entry.limit is None or entry.pass_chance is None:
            continue
        budget, sizes = (
            Budget(entry.metric, entry.limit),
            Sizes(entry.n_members, entry.n_nonmembers),
        )
        # Where it is 0 whatever the control does the audit has said so before it began.
        if entry.pass_chance > 0 or entry.control_rate:
            attacks = max(1, len(entry.figures))
            # Of columns the one whose sizes these are is among the parts.
            parts = [
                part for part in entry.slices if not part.is_column or part.name != entry.slice
            ]
            slices = [Sizes(part.n_members, part.n_nonmembers) for part in parts]
            message = false_alarm_message(
                budget,
                sizes,
                finished.alpha,
                attacks,
                entry.pass_chance,
                slices,
                entry.control_rate or 0.0,
            )
            if message is not None:
                warn(message)
    weak = weak_suite_message(finished)
    if weak is not None and session.weak_suite == "warn":
        warn(weak)


def read_budgets(budgets: tuple[str | Budget, ...]) -> tuple[Budget, ...]:
    """Read the budgets of a call.

    Raises
    ------
    LeakproError
        For what is no budget.
    """
    return tuple(entry if isinstance(entry, Budget) else Budget.parse(entry) for entry in budgets)


def session_of_call(**options: Any) -> SessionDefaults:
    """Give the session's defaults with the options of a call; None leaves the default."""
    given = {name: value for name, value in options.items() if value is not None}
    return replace(current_session(), **given)
