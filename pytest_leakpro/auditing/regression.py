"""What changed since the baseline.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.records import records_of
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.change import compare_records
from pytest_leakpro.gate.detectable import detectable_increase
from pytest_leakpro.gate.errors import warn
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.identity import identity_of
from pytest_leakpro.gate.increase import allowance_for
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.store.scores import SavedScores, load_scores, save_scores
from pytest_leakpro.store.vulnerable import save_vulnerable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["keep_scores", "keep_vulnerable", "shared_error", "with_changes"]


def keep_scores(audit: Audit, session: SessionDefaults) -> Audit:
    """Keep the scores of an audit where that is asked for, and note where."""
    if not session.save_scores or session.private is None or audit.scores is None:
        return audit
    try:
        name = save_scores(Path(session.private), audit.scores)
    except OSError as error:  # the audit itself is finished, and its verdict stands
        warn(f"the scores of {printable(audit.target, 60)} are not kept: {error}")
        return audit
    return replace(audit, details={**audit.details, "scores": name})


def keep_vulnerable(audit: Audit, session: SessionDefaults) -> Audit:
    """Keep the most exposed members of an audit where that is asked for, and note where.

    Nothing is kept of an audit that scored no member, or of several targets, whose members differ.
    """
    if not session.save_vulnerable or session.private is None or not audit.exposed:
        return audit
    about = session.about(audit.target)
    most = audit.vulnerable(session.save_vulnerable)
    try:
        name = save_vulnerable(Path(session.private), most.tolist(), about)
    except OSError as error:
        warn(f"the most exposed members of {printable(audit.target, 60)} are not kept: {error}")
        return audit
    note = f"the {len(most):,} most exposed members stand in .leakpro/{name}: personal data"
    return replace(audit, notes=(*audit.notes, note))


def with_changes(audit: Audit, session: SessionDefaults) -> Audit:
    """Compare every measurement with the baseline of the session.

    Parameters
    ----------
    audit : Audit
        Numbered.
    session : SessionDefaults
        Of the running test. Outside a session nothing is compared.

    Returns
    -------
    Audit
        With `Measurement.change`.

    Raises
    ------
    LeakproError
        Where an allowance does not go with its metric.
    """
    if session.log is None:
        return audit
    records = records_of(audit, session).records
    return replace(
        audit,
        measurements=tuple(
            _with_change(entry, record, audit, session)
            for entry, record in zip(audit.measurements, records, strict=True)
        ),
    )


def _with_change(
    entry: Measurement, record: dict[str, Any], audit: Audit, session: SessionDefaults
) -> Measurement:
    old = None if session.baseline is None else session.baseline.find(identity_of(record))
    allowance = allowance_for(entry.metric, session.allowed())
    correlation = None if old is None else _correlation(entry, old, audit, session)
    change = compare_records(old, record, allowance, correlation=correlation)
    if change.outcome == "no regression" and correlation is None:
        assert old is not None
        before = old["comparable"]
        if before["high"] is not None:
            detectable = detectable_increase(
                entry.metric,
                Sizes(entry.n_members, entry.n_nonmembers),
                entry.alpha,
                baseline=(before["value"], before["high"]),
                control_rate=entry.control_rate or 0.0,
            )
            change = change.with_detectable(detectable, entry.metric)
    return replace(entry, change=change)


def _correlation(
    entry: Measurement, old: Mapping[str, Any], audit: Audit, session: SessionDefaults
) -> float | None:
    """Say how much sampling error both runs share; None unless both kept scores of the records."""
    if old["scores"] is None or session.private is None or audit.scores is None:
        return None
    before = load_scores(Path(session.private), old["scores"])
    if before is None:
        return None
    return shared_error(entry.metric, before, audit.scores)


def shared_error(metric: MetricName, before: SavedScores, now: SavedScores) -> float | None:
    """Say how much sampling error two runs share, for a paired comparison.

    Parameters
    ----------
    metric : MetricName
        What is compared.
    before, now : SavedScores
        Of the two runs.

    Returns
    -------
    float or None
        A lower bound of the correlation of the two estimates; None unless both scored the same
        records.
    """
    from pytest_leakpro.stats.difference import correlation_of_estimates

    if not _same_records(before, now):
        return None
    definition = definition_of(metric)
    return correlation_of_estimates(
        list(before.suite.values()),
        list(now.suite.values()),
        lambda members, nonmembers: definition.estimate(
            metric, MembershipScores(members, nonmembers)
        ),
    )


def _same_records(before: SavedScores, now: SavedScores) -> bool:
    sizes = [
        {tuple(map(len, sides)) for sides in scores.suite.values()} for scores in (before, now)
    ]
    return before.records == now.records and sizes[0] == sizes[1]
