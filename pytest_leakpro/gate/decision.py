"""From the readings of several attacks to one verdict.

The audited quantity is the strongest attack. FAIL when some attack refutes the limit at its share
of the error, the shares being fixed beforehand; PASS only when every attack's upper bound is within
the limit (an intersection-union test, which needs no correction). Where slices are measured beside
the whole, each is a hypothesis of its own: FAIL by Holm's procedure, PASS only where each passes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.stats.multiplicity import holm_levels

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_leakpro.gate.metrics.base import Reading

__all__ = [
    "Decision",
    "JointDecision",
    "WeighedReading",
    "decide",
    "decide_jointly",
    "joint_p_value",
]


@dataclass(frozen=True)
class WeighedReading:
    """What one attack of the suite found for one metric.

    Attributes
    ----------
    attack : str
        Its name.
    weight : float
        Share of the error that it may spend on a FAIL; the suite's weights sum to one.
    reading : Reading
        With the lower bound at error ``weight * alpha / 2`` and the upper at ``alpha / 2``.
    """

    attack: str
    weight: float
    reading: Reading


@dataclass(frozen=True)
class Decision:
    """The verdict, and the attack whose figures stand for it.

    Attributes
    ----------
    verdict : Verdict or None
        None where there was no limit.
    deciding : WeighedReading
        For a FAIL the attack with the smallest p-value per weight, else the one with the largest
        upper bound.
    blocked : tuple of str
        Why the verdict is not what the bounds alone would say.
    """

    verdict: Verdict | None
    deciding: WeighedReading
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True)
class JointDecision:
    """The verdict on the whole and its slices together.

    Attributes
    ----------
    each : tuple of Decision
        One per hypothesis, in the order given.
    place : int
        Which of them stands for the verdict.
    """

    each: tuple[Decision, ...]
    place: int

    @property
    def deciding(self) -> Decision:
        """The decision that stands for all."""
        return self.each[self.place]


def decide(
    readings: Sequence[WeighedReading],
    limit: float | None,
    alpha: float,
    *,
    blocks_pass: tuple[str, ...] = (),
    blocks_fail: tuple[str, ...] = (),
    unblocked: Collection[str] = (),
    faulty: Mapping[str, tuple[str, ...]] | None = None,
) -> Decision:
    """Reach the verdict on one budget.

    Parameters
    ----------
    readings : sequence of WeighedReading
        One per attack of the suite, at least one.
    limit : float or None
        The budget's limit, if there is one.
    alpha : float
        Error of both sides together, in (0, 1).
    blocks_pass, blocks_fail : tuple of str
        What about the ground truth keeps the verdict from being PASS, or FAIL.
    unblocked : collection of str
        Attacks whose FAIL stands all the same.
    faulty : mapping of str to tuple of str, optional
        By attack, why its figures show nothing: no FAIL rests on it, and there is no PASS.

    Returns
    -------
    Decision
    """
    faulty = faulty or {}
    widest = max(readings, key=lambda weighed: weighed.reading.high)
    if limit is None:
        return Decision(None, widest)
    if joint_p_value(readings) <= alpha / 2:
        refuting = [weighed for weighed in readings if _p_per_weight(weighed) <= alpha / 2]
        standing = [
            weighed
            for weighed in refuting
            if not faulty.get(weighed.attack) and (not blocks_fail or weighed.attack in unblocked)
        ]
        if standing:
            return Decision(Verdict.FAIL, min(standing, key=_p_per_weight))
        why = tuple(reason for weighed in refuting for reason in faulty.get(weighed.attack, ()))
        return Decision(
            Verdict.INCONCLUSIVE, min(refuting, key=_p_per_weight), (*blocks_fail, *why)
        )
    if all(weighed.reading.within(limit) for weighed in readings):
        why = tuple(reason for weighed in readings for reason in faulty.get(weighed.attack, ()))
        if blocks_pass or why:
            return Decision(Verdict.INCONCLUSIVE, widest, (*blocks_pass, *why))
        return Decision(Verdict.PASS, widest)
    return Decision(Verdict.INCONCLUSIVE, widest)


def decide_jointly(
    hypotheses: Sequence[Sequence[WeighedReading]],
    limit: float | None,
    alpha: float,
    *,
    blocks_pass: tuple[str, ...] = (),
    blocks_fail: tuple[str, ...] = (),
    unblocked: Sequence[Collection[str]] = (),
    faulty: Sequence[Mapping[str, tuple[str, ...]]] = (),
) -> JointDecision:
    """Reach the verdict on one budget that the whole and each slice must keep.

    Parameters
    ----------
    hypotheses : sequence of sequence of WeighedReading
        The readings of the whole, then of each slice.
    limit, alpha, blocks_pass, blocks_fail
        As for `decide`.
    unblocked : sequence of collection of str
        Of each hypothesis the attacks whose FAIL stands all the same; empty for none at all.
    faulty : sequence of mapping
        As for `decide`, of each hypothesis; empty where no attack is.

    Returns
    -------
    JointDecision
        Of those that FAIL the hypothesis with the smallest p-value stands for all, else the one
        that would; else of those that do not PASS, or of all, the one with the largest upper
        bound; without a limit the whole.
    """
    faulty = faulty or [{}] * len(hypotheses)
    unblocked = unblocked or [()] * len(hypotheses)
    if limit is None:
        return JointDecision(tuple(decide(readings, None, alpha) for readings in hypotheses), 0)
    p_values = [joint_p_value(readings) for readings in hypotheses]
    levels = holm_levels(p_values, alpha / 2)
    each = tuple(
        decide(
            readings,
            limit,
            2 * level,
            blocks_pass=blocks_pass,
            blocks_fail=blocks_fail,
            unblocked=standing,
            faulty=of,
        )
        for readings, level, of, standing in zip(hypotheses, levels, faulty, unblocked, strict=True)
    )
    places = range(len(each))
    failed = [place for place in places if each[place].verdict is Verdict.FAIL]
    if failed:
        return JointDecision(each, min(failed, key=lambda place: p_values[place]))
    if any(p_value <= level for p_value, level in zip(p_values, levels, strict=True)):
        return JointDecision(each, min(places, key=lambda place: p_values[place]))
    open_ = [place for place in places if each[place].verdict is not Verdict.PASS] or places
    return JointDecision(each, max(open_, key=lambda place: each[place].deciding.reading.high))


def joint_p_value(readings: Sequence[WeighedReading]) -> float:
    """Give the p-value of "no attack exceeds the limit": the smallest per weight, at most 1."""
    return min(1.0, *map(_p_per_weight, readings))


def _p_per_weight(weighed: WeighedReading) -> float:
    p_value = weighed.reading.p_value
    assert p_value is not None
    return p_value / weighed.weight
