"""From evidence to measurements.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.auditing.beating import beating
from pytest_leakpro.auditing.remarks import read_remarks, remarks_on_all
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.decision import WeighedReading, decide_jointly, joint_p_value
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.measurement import AttackFigures, Interval, Measurement
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.planner import null_pass_chance
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.stats.multiplicity import attack_weights, holm_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.auditing.brought import Brought, BroughtOfColumn
    from pytest_leakpro.auditing.checks.blind import BlindReading, BlindTest
    from pytest_leakpro.auditing.slicing import BroughtOfSlice
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.decision import Decision
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = [
    "Context",
    "distinct_rankings",
    "measure",
    "measure_columns",
    "not_scored",
]

_NO_EVIDENCE = (
    "so this is no evidence of leakage: draw both from the same distribution, or let a Recipe "
    "draw the split"
)


@dataclass(frozen=True)
class Context:
    """What all measurements of one audit share.

    Attributes
    ----------
    target : str
        Name of the target.
    access, strength : str
        What the attacker sees, and in words how strong it was.
    alpha : float
        Error of both sides together.
    seed : int
        The audit's seed.
    weak_suite : bool
        Whether no membership attack was calibrated per record.
    blocks_pass : tuple of str
        What keeps a verdict from being PASS.
    seconds : float
        Time that was spent before the attacks ran.
    fail_share : float
        Of the error that this look at the evidence may spend on a FAIL, in (0, 1].
    slices : tuple of Sizes
        Of the slices on which each budget is decided too.
    blind : BlindTest or None
        What can be told of the two sides without the model, where that was checked.
    """

    target: str
    access: str
    strength: str
    alpha: float
    seed: int
    weak_suite: bool = False
    blocks_pass: tuple[str, ...] = ()
    seconds: float = 0.0
    fail_share: float = 1.0
    slices: tuple[Sizes, ...] = ()
    blind: BlindTest | None = None


def measure(
    metric: MetricName,
    budget: Budget | None,
    brought: Sequence[Brought],
    context: Context,
    rankings: int,
    sliced: Sequence[BroughtOfSlice] = (),
) -> Measurement:
    """Measure one metric by all attacks of the suite, and reach the verdict.

    Parameters
    ----------
    metric : MetricName
        What to measure.
    budget : Budget or None
        Its budget, if there is one.
    brought : sequence of Brought
        The suite's evidence, in the order of its weights.
    context : Context
        The audit.
    rankings : int
        How many of the attacks rank the records differently; see `distinct_rankings`.
    sliced : sequence of BroughtOfSlice
        The same evidence on each slice.

    Returns
    -------
    Measurement

    Raises
    ------
    LeakproError
        Where the evidence cannot answer for the metric.
    """
    return _measured(metric, budget, [brought], list(sliced), context, [rankings])


def measure_columns(
    metric: MetricName,
    budget: Budget | None,
    columns: Sequence[BroughtOfColumn],
    context: Context,
) -> Measurement:
    """Measure one metric on each of several columns, and reach the verdict on all.

    Parameters
    ----------
    metric : MetricName
        What to measure.
    budget : Budget or None
        Its budget, if there is one: FAIL by Holm's procedure over the columns, PASS where each
        passes.
    columns : sequence of BroughtOfColumn
        The suite's evidence on each, at least one.
    context : Context
        The audit.

    Returns
    -------
    Measurement
        With the figures of the deciding column; those of all where there are several.

    Raises
    ------
    LeakproError
        Where the evidence cannot answer for the metric.
    """
    rankings = [distinct_rankings(part.brought) for part in columns]
    if len(columns) == 1:
        return _measured(metric, budget, [columns[0].brought], [], context, rankings)
    return _measured(metric, budget, [], list(columns), context, rankings)


def _measured(
    metric: MetricName,
    budget: Budget | None,
    whole: list[Sequence[Brought]],
    parts: Sequence[BroughtOfSlice | BroughtOfColumn],
    context: Context,
    rankings: Sequence[int],
) -> Measurement:
    """Measure the whole, where there is one, and each part; the verdict holds for all.

    `rankings` is of the whole, or else of each part.
    """
    definition = definition_of(metric)
    limit = None if budget is None else budget.limit
    each = [*whole, *(part.brought for part in parts)]
    for entry in each[0]:
        definition.check_evidence(metric, entry.evidence)
    hypotheses = _read(metric, limit, each, context)
    error = context.alpha / 2
    blind = None if context.blind is None else context.blind.read(metric, error / 2)
    faked = blind is not None and blind.beyond_chance
    remarks = [read_remarks(metric, one) for one in each]
    joint = decide_jointly(
        hypotheses,
        limit,
        context.alpha,
        blocks_pass=context.blocks_pass,
        blocks_fail=(f"{blind}, {_NO_EVIDENCE}",) if faked else (),
        unblocked=_standing(blind, metric, whole, each, hypotheses, limit, error) if faked else (),
        faulty=[said.faulty for said in remarks],
    )
    place = joint.place
    if limit is None and not whole:  # of columns the one that leaks most, as far as can be told
        place = max(
            range(len(joint.each)), key=lambda index: joint.each[index].deciding.reading.high
        )
    decision = joint.each[place]
    # The figures of all attacks are those on the whole, or else on what decides.
    shown = 0 if whole else place
    brought, weighed = each[shown], hypotheses[shown]
    deciding = decision.deciding
    chosen = _deciding_evidence(brought, decision)
    sizes = Sizes(*chosen.sizes)
    of_part = place - len(whole)
    return Measurement(
        target=context.target,
        metric=metric,
        value=deciding.reading.value,
        low=deciding.reading.low,
        high=deciding.reading.high,
        limit=limit,
        verdict=decision.verdict,
        attack=deciding.attack,
        n_members=sizes.members,
        n_nonmembers=sizes.nonmembers,
        seconds=context.seconds + sum(entry.seconds for one in _once(whole, each) for entry in one),
        alpha=context.alpha,
        access=context.access,
        strength=context.strength,
        weak_suite=context.weak_suite,
        pass_chance=(
            None
            if limit is None
            else _pass_chance(
                metric,
                limit,
                list(map(_deciding_evidence, _once(whole, each), joint.each)),
                rankings,
                context,
            )
        ),
        control_rate=chosen.control_rate,
        seed=context.seed,
        source="" if budget is None else budget.source,
        figures=tuple(
            AttackFigures(
                entry.attack,
                entry.weight,
                entry.reading.value,
                entry.reading.low,
                entry.reading.high,
                entry.reading.p_value,
                source.queries,
            )
            for entry, source in zip(weighed, brought, strict=True)
        ),
        notes=decision.blocked,
        remarks=remarks_on_all(
            remarks, shown, [*([""] * len(whole)), *(part.name for part in parts)], decision.blocked
        ),
        size_names=chosen.size_names,
        evidence=definition.summary(metric, chosen),
        census=definition.census or chosen.census,
        comparable=_comparable(metric, _once(whole, each), hypotheses, context.alpha / 2),
        slice=parts[of_part].name if of_part >= 0 else None,
        slices=tuple(
            part.figures(readings, decided)
            for part, decided, readings in zip(
                parts, joint.each[len(whole) :], hypotheses[len(whole) :], strict=True
            )
        ),
    )


def _deciding_evidence(brought: Sequence[Brought], decision: Decision) -> Evidence:
    attack = decision.deciding.attack
    return next(entry.evidence for entry in brought if entry.attack == attack)


def _pass_chance(
    metric: MetricName,
    limit: float,
    evidence: Sequence[Evidence],
    rankings: Sequence[int],
    context: Context,
) -> float:
    """Give the chance that all pass where nothing leaks, at the rates of their controls.

    A census passes: what leaks nothing has the level of chance, and no limit lies below that.
    """
    return math.prod(
        1.0
        if entry.census
        else known
        if (known := entry.null_pass_chance(limit, context.alpha / 2)) is not None
        else null_pass_chance(
            metric,
            limit,
            Sizes(*entry.sizes),
            context.alpha,
            attacks,
            context.slices,
            entry.control_rate or 0.0,
        )
        for entry, attacks in zip(evidence, rankings, strict=True)
    )


def _standing(
    blind: BlindReading | None,
    metric: MetricName,
    whole: list[Sequence[Brought]],
    each: list[Sequence[Brought]],
    hypotheses: list[list[WeighedReading]],
    limit: float | None,
    error: float,
) -> list[list[str]]:
    """Name the attacks whose FAIL stands: the blind classifier tells nothing of slices."""
    told = _once(whole, each)
    found = [
        beating(blind, metric, brought, weighed, limit, error / len(told))
        for brought, weighed in zip(told, hypotheses, strict=False)
    ]
    return found + [[] for _ in each[len(found) :]]


def _once(whole: list[Sequence[Brought]], each: list[Sequence[Brought]]) -> list[Sequence[Brought]]:
    """Give the evidence that makes up the audit: slices are parts of the whole, columns are not."""
    return whole or each


def _read(
    metric: MetricName,
    limit: float | None,
    evidence: Sequence[Sequence[Brought]],
    context: Context,
) -> list[list[WeighedReading]]:
    """Read the whole, then each slice, with lower bounds at the levels of Holm's procedure."""
    definition = definition_of(metric)
    error = context.alpha / 2
    # The ranks of a lower bound are fixed beforehand, by the level of the first step.
    first = error / len(evidence)

    def read(of_part: Sequence[Brought], level: float) -> list[WeighedReading]:
        weights = [share * context.fail_share for share in attack_weights(len(of_part))]
        return [
            WeighedReading(
                entry.attack,
                weight,
                definition.read(
                    metric, entry.evidence, limit, weight * level, error, weight * first
                ),
            )
            for weight, entry in zip(weights, of_part, strict=True)
        ]

    hypotheses = [read(of_part, first) for of_part in evidence]
    if limit is None:
        return hypotheses
    levels = holm_levels([joint_p_value(readings) for readings in hypotheses], error)
    return [
        readings if level == first else read(of_part, level)
        for readings, of_part, level in zip(hypotheses, evidence, levels, strict=True)
    ]


def _comparable(
    metric: MetricName,
    each: Sequence[Sequence[Brought]],
    hypotheses: Sequence[list[WeighedReading]],
    error: float,
) -> Interval:
    """Bound the largest leakage of the suite by readings whose ranks depend on no limit."""
    definition = definition_of(metric)
    readings = [
        definition.read(metric, entry.evidence, None, reading.weight * error / len(each), error)
        for brought, weighed in zip(each, hypotheses, strict=False)  # slices stand behind
        for entry, reading in zip(brought, weighed, strict=True)
    ]
    values, lows, highs = zip(*((r.value, r.low, r.high) for r in readings), strict=True)
    return Interval(max(values), max(lows), max(highs))


def not_scored(
    budget: Budget, sizes: Sizes, attacks: int, context: Context, why: str
) -> Measurement:
    """Give the measurement of a budget that no outcome at these sizes could decide."""
    nothing = float("nan")
    return Measurement(
        target=context.target,
        metric=budget.metric,
        value=nothing,
        low=nothing,
        high=nothing,
        limit=budget.limit,
        verdict=Verdict.INCONCLUSIVE,
        attack="",
        n_members=sizes.members,
        n_nonmembers=sizes.nonmembers,
        seconds=0.0,
        alpha=context.alpha,
        access=context.access,
        strength=context.strength,
        weak_suite=context.weak_suite,
        pass_chance=null_pass_chance(
            budget.metric, budget.limit, sizes, context.alpha, attacks, context.slices
        ),
        seed=context.seed,
        source=budget.source,
        notes=(why,),
    )


def distinct_rankings(brought: Sequence[Brought]) -> int:
    """Count the attacks that do not merely repeat an earlier one's ranking of the records."""
    distinct: list[MembershipScores] = []
    for entry in brought:
        scores = entry.evidence
        if not isinstance(scores, MembershipScores):
            return len(brought)
        if not any(scores.same_ranking(earlier) for earlier in distinct):
            distinct.append(scores)
    return len(distinct)
