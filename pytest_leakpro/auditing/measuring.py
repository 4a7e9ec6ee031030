"""From evidence to measurements.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.decision import WeighedReading, decide_jointly, joint_p_value
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.measurement import AttackFigures, Interval, Measurement
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.planner import null_pass_chance
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.stats.multiplicity import attack_weights, holm_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.auditing.checks.blind import BlindReading, BlindTest
    from pytest_leakpro.auditing.slicing import BroughtOfSlice
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["Brought", "Context", "distinct_rankings", "measure", "not_scored"]

_NO_EVIDENCE = (
    "so this is no evidence of leakage: draw both from the same distribution, or let a Recipe "
    "draw the split"
)


@dataclass(frozen=True)
class Brought:
    """The evidence of one attack.

    Attributes
    ----------
    attack : str
        Its name.
    evidence : Evidence
        What it found.
    seconds : float
        Time it took.
    queries : int or None
        How many records the model was asked about for it; None where no model was asked.
    """

    attack: str
    evidence: Evidence
    seconds: float
    queries: int | None = None


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
    definition = metric_named(metric.name)
    limit = None if budget is None else budget.limit
    for entry in brought:
        definition.check_evidence(metric, entry.evidence)
    hypotheses = _read(metric, limit, [brought, *(part.brought for part in sliced)], context)
    error = context.alpha / 2
    blind = None if context.blind is None else context.blind.read(metric, error / 2)
    faked = blind is not None and blind.beyond_chance
    joint = decide_jointly(
        hypotheses,
        limit,
        context.alpha,
        blocks_pass=context.blocks_pass,
        blocks_fail=(f"{blind}, {_NO_EVIDENCE}",) if faked else (),
        unblocked=_beating(blind, metric, brought, hypotheses[0], limit, error) if faked else (),
    )
    decision, weighed = joint.deciding, hypotheses[0]
    deciding = decision.deciding
    sizes = Sizes(*brought[0].evidence.sizes)
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
        seconds=context.seconds + sum(entry.seconds for entry in brought),
        alpha=context.alpha,
        access=context.access,
        strength=context.strength,
        weak_suite=context.weak_suite,
        pass_chance=(
            None
            if limit is None
            else null_pass_chance(metric, limit, sizes, context.alpha, rankings, context.slices)
        ),
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
        size_names=brought[0].evidence.size_names,
        evidence=next(
            entry.evidence.summary() for entry in brought if entry.attack == deciding.attack
        ),
        comparable=_comparable(metric, brought, weighed, context.alpha / 2),
        slice=sliced[joint.place - 1].part.name if joint.place else None,
        slices=tuple(
            part.figures(readings, decided)
            for part, decided, readings in zip(sliced, joint.each[1:], hypotheses[1:], strict=True)
        ),
    )


def _read(
    metric: MetricName,
    limit: float | None,
    evidence: Sequence[Sequence[Brought]],
    context: Context,
) -> list[list[WeighedReading]]:
    """Read the whole, then each slice, with lower bounds at the levels of Holm's procedure."""
    definition = metric_named(metric.name)
    error = context.alpha / 2
    weights = [share * context.fail_share for share in attack_weights(len(evidence[0]))]
    # The ranks of a lower bound are fixed beforehand, by the level of the first step.
    first = error / len(evidence)

    def read(of_part: Sequence[Brought], level: float) -> list[WeighedReading]:
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


def _beating(
    blind: BlindReading | None,
    metric: MetricName,
    brought: Sequence[Brought],
    weighed: list[WeighedReading],
    limit: float | None,
    error: float,
) -> list[str]:
    """Name the attacks that are above the limit and beyond what the blind classifier reaches.

    Half of the error bounds the blind classifier from above, the other half, shared among the
    attacks, bounds these from below: a FAIL that stands is wrong no more often than any other.
    """
    if blind is None or limit is None:
        return []
    definition = metric_named(metric.name)
    found = []
    for entry, reading in zip(brought, weighed, strict=True):
        share = reading.weight * error / 2
        low = definition.read(metric, entry.evidence, limit, share, error).low
        if low > max(limit, blind.high):
            found.append(entry.attack)
    return found


def _comparable(
    metric: MetricName, brought: Sequence[Brought], weighed: list[WeighedReading], error: float
) -> Interval:
    """Bound the largest leakage of the suite by readings whose ranks depend on no limit."""
    definition = metric_named(metric.name)
    readings = [
        definition.read(metric, entry.evidence, None, reading.weight * error, error)
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
