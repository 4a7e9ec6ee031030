"""Several targets of one recipe: the training is audited rather than one model.

The verdict rests on twice the median p-value, which is valid under any dependence: the targets
share records and shadow models. So each target is audited at half the error, and what more than
half of them are called the recipe is called.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import secrets
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.outcome import Audit
from pytest_leakpro.gate.measurement import Interval, Measurement
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.shadow.digest import UndigestibleError, digest_trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.slice_figures import SliceFigures
    from pytest_leakpro.targets.recipe import Recipe

__all__ = ["audit_several", "combine"]


def audit_several(
    recipe: Recipe,
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
    audit_one: Callable[[Any, tuple[Budget, ...], SessionDefaults], Audit],
) -> Audit:
    """Audit several targets of a recipe, which share their shadow models.

    Parameters
    ----------
    recipe : Recipe
        With at least three targets.
    budgets : tuple of Budget
        Empty to measure the usual metrics.
    session : SessionDefaults
        Of the audit.
    audit_one : callable
        Audits one target.

    Returns
    -------
    Audit
        The figures are medians over the targets.

    References
    ----------
    Ruschendorf (1982), Random variables with maximum sums, Advances in Applied Probability 14:
    twice the median of p-values is a p-value, whatever their dependence.
    """
    audits = []
    with _shared_cache(recipe, session) as (folder, version):
        each = replace(session, alpha=session.alpha / 2, cache_dir=folder)
        for index in range(recipe.targets):
            target = recipe.realise(session.seed, index)
            target.trainer_version = target.trainer_version or version
            audits.append(audit_one(target, budgets, each))
    return combine(audits, session.alpha)


@contextmanager
def _shared_cache(recipe: Recipe, session: SessionDefaults) -> Iterator[tuple[str, str | None]]:
    """Give a cache in which the targets find each other's shadow models, if only for now."""
    try:
        digest_trainer(getattr(recipe.train, "estimator", recipe.train), recipe.trainer_version)
        digestible = True
    except UndigestibleError:
        digestible = False
    if session.cache_dir is not None and digestible:
        yield session.cache_dir, None
        return
    with TemporaryDirectory(prefix="leakpro-") as folder:
        # What cannot be digested is the same recipe for the length of this audit at least.
        yield folder, None if digestible else secrets.token_hex(8)


def combine(audits: Sequence[Audit], alpha: float) -> Audit:
    """Give one audit for those of several targets.

    Parameters
    ----------
    audits : sequence of Audit
        An odd number, each at error ``alpha / 2``.
    alpha : float
        Error of both sides together of the result.
    """
    first = audits[0]
    columns = list(zip(*(audit.measurements for audit in audits), strict=True))
    said = [
        _said(entries)
        for entries in columns
        if all(entry.comparable is not None for entry in entries)
    ]
    return Audit(
        first.target,
        tuple(_median(entries, alpha) for entries in columns),
        first.seed,
        alpha,
        (*first.notes, *said),
        details={**first.details, "queries": sum(audit.details["queries"] for audit in audits)},
    )


def _median(entries: Sequence[Measurement], alpha: float) -> Measurement:
    # The sizes decide nothing, for no target, or the time was over before some were scored.
    lacking = next((entry for entry in entries if entry.comparable is None), None)
    if lacking is not None:
        return replace(lacking, alpha=alpha)
    middle = len(entries) // 2
    typical = sorted(entries, key=lambda entry: entry.value)[middle]
    lows, highs = (sorted(getattr(entry, side) for entry in entries) for side in ("low", "high"))
    return replace(
        typical,
        low=lows[middle],
        high=highs[middle],
        verdict=_verdict(entries),
        alpha=alpha,
        seconds=sum(entry.seconds for entry in entries),
        strength=f"{typical.strength}, {len(entries)} targets",
        pass_chance=_pass_chance(typical.pass_chance, len(entries)),
        comparable=_middle_interval(entries),
        slices=_middle_slices(entries),
        exposed_share=_middle_share(entries),
        notes=(*typical.notes, *_deciding_slices(entries)),
    )


def _middle_slices(entries: Sequence[Measurement]) -> tuple[SliceFigures, ...]:
    """Give medians and majorities of those slices that all targets have."""
    by_name = [{part.name: part for part in entry.slices} for entry in entries]
    found = []
    for name, part in by_name[0].items():
        parts = [slices[name] for slices in by_name if name in slices]
        if len(parts) < len(entries):  # each target has a split of its own
            continue
        middle = len(parts) // 2
        typical = sorted(parts, key=lambda one: one.value)[middle]
        lows, highs = (sorted(getattr(one, side) for one in parts) for side in ("low", "high"))
        found.append(
            replace(
                typical,
                low=lows[middle],
                high=highs[middle],
                p_value=None if part.p_value is None else _twice_the_median(parts),
                verdict=_verdict(parts),
            )
        )
    return tuple(found)


def _twice_the_median(parts: Sequence[SliceFigures]) -> float:
    p_values = sorted(part.p_value for part in parts if part.p_value is not None)
    return min(1.0, 2 * p_values[len(p_values) // 2])


def _deciding_slices(entries: Sequence[Measurement]) -> tuple[str, ...]:
    if len({entry.slice for entry in entries}) == 1:
        return ()
    named = Counter(entry.slice or "the whole" for entry in entries)
    said = ", ".join(f"{name} of {count}" for name, count in sorted(named.items()))
    return (f"the figures are medians of what decides each target: {said}",)


def _middle_share(entries: Sequence[Measurement]) -> float | None:
    shares = [entry.exposed_share for entry in entries]
    known = sorted(share for share in shares if share is not None)
    return known[len(known) // 2] if len(known) == len(shares) else None


def _said(entries: Sequence[Measurement]) -> str:
    """Say what the targets were called one by one."""
    values = ", ".join(entry.shown()[0] for entry in sorted(entries, key=lambda e: e.value))
    verdicts = Counter(str(entry.verdict) for entry in entries if entry.verdict is not None)
    said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    text = f"{entries[0].metric} of {len(entries)} targets: {values}"
    return f"{text}; at half the error {said}" if said else text


def _verdict(entries: Sequence[Measurement] | Sequence[SliceFigures]) -> Verdict | None:
    if entries[0].verdict is None:
        return None
    for verdict in (Verdict.FAIL, Verdict.PASS):
        if 2 * sum(entry.verdict is verdict for entry in entries) > len(entries):
            return verdict
    return Verdict.INCONCLUSIVE


def _middle_interval(entries: Sequence[Measurement]) -> Interval:
    intervals = [entry.comparable for entry in entries if entry.comparable is not None]
    value, low, high = (
        sorted(getattr(interval, side) for interval in intervals)[len(intervals) // 2]
        for side in ("value", "low", "high")
    )
    return Interval(value, low, high)


def _pass_chance(one: float | None, targets: int) -> float | None:
    """Chance that more than half of the targets pass, taken as independent: for planning."""
    if one is None:
        return None
    from scipy.stats import binom

    return float(binom.sf(targets // 2, targets, one))
