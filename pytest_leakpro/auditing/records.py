"""Records: what an audit found, as plain data for files, reports and comparisons.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_leakpro.auditing.log import LoggedAudit
from pytest_leakpro.auditing.provenance import configuration
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.measurement import Measurement
from pytest_leakpro.gate.plain import plain
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["error_records", "numbered", "records_of"]

_LONGEST_ERROR = 500


def numbered(audit: Audit, session: SessionDefaults) -> Audit:
    """Tell measurements apart that would otherwise have the same identity, as in a loop."""
    log = session.log
    if log is None:
        return audit
    target = audit.target if audit.details.get("named") else ""
    name = session.name or session.test
    return replace(
        audit,
        measurements=tuple(
            replace(
                entry,
                occurrence=log.occurrence(name, target, str(entry.metric), entry.access),
            )
            for entry in audit.measurements
        ),
    )


def records_of(audit: Audit, session: SessionDefaults) -> LoggedAudit:
    """Give the records of an audit.

    Parameters
    ----------
    audit : Audit
        What was found, numbered.
    session : SessionDefaults
        Of the running test.

    Returns
    -------
    LoggedAudit
        What only the session as a whole knows, such as the commit, is missing yet.
    """
    about = {"test": session.test, "name": session.name or session.test, "error": None}
    details = plain(audit.details)
    return LoggedAudit(
        list(audit.notes), [{**about, **details, **record} for record in audit.to_plain()]
    )


def error_records(
    error: BaseException,
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
    usual: tuple[MetricName, ...],
    *,
    target: str = "",
    named: bool = False,
    access: str = "",
) -> LoggedAudit:
    """Give the records of an audit that ended in an error: one per budget, without figures.

    Parameters
    ----------
    error : BaseException
        Why. Its text is kept only if it is the package's own: another may quote a record.
    budgets : tuple of Budget
        What was to be measured; empty for the usual metrics.
    session : SessionDefaults
        Of the running test.
    usual : tuple of MetricName
        These.
    target, access : str
        As far as they are known.
    named : bool
        Whether the user named the target.
    """
    what = type(error).__name__
    if isinstance(error, LeakproError):
        what += f": {' '.join(str(error).split())}"
    wanted: list[tuple[MetricName, float | None, str]] = [
        (entry.metric, entry.limit, entry.source) for entry in budgets
    ]
    wanted = wanted or [(metric, None, "") for metric in usual]
    records = []
    for metric, limit, source in wanted:
        empty = Measurement(
            target=target or session.test.rpartition("::")[2],
            metric=metric,
            value=float("nan"),
            low=float("nan"),
            high=float("nan"),
            limit=limit,
            verdict=None,
            attack="",
            n_members=0,
            n_nonmembers=0,
            seconds=0.0,
            alpha=session.alpha,
            access=access,
            strength="error",
            seed=session.seed,
            source=source,
        )
        name = session.name or session.test
        log = session.log
        key = (name, target if named else "", str(metric), access)
        records.append(
            {
                **empty.to_plain(),
                "test": session.test,
                "name": name,
                "named": named,
                "occurrence": 0 if log is None else log.occurrence(*key),
                "sizes": {},
                "verdict": "ERROR",
                "shown_verdict": "ERROR",
                "error": printable(what, _LONGEST_ERROR),
                "queries": None,
                "device": None,
                "configuration": configuration(session, (), None),
                "digests": {},
                "libraries": {},
                "scores": None,
            }
        )
    return LoggedAudit([], records)
