"""What a failed or undecided audit says.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.auditing.feasibility import sizes_that_decide
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.rates import records_counted, shown_rates
from pytest_leakpro.gate.slice_figures import part_said
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.gate.wording import UNBOUNDED, listed, printable, shown

if TYPE_CHECKING:
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.gate.metrics.base import Nouns
    from pytest_leakpro.gate.slice_figures import SliceFigures

__all__ = [
    "inconclusive_message",
    "leakage_message",
    "no_baseline_message",
    "weak_suite_message",
]

_MOST_SLICES = 5


def leakage_message(audit: Audit, again: str, *, regressed: bool = False) -> str:
    """Say what is violated, by how much, by which attack, and what to do next.

    Parameters
    ----------
    audit : Audit
        With at least one FAIL, or a regression.
    again : str
        The command that repeats it, empty where there is none.
    regressed : bool
        Whether regressions count.
    """
    failed = [entry for entry in audit.measurements if entry.verdict is Verdict.FAIL]
    worse = [entry for entry in audit.measurements if regressed and entry.regressed]
    concerned = [entry for entry in audit.measurements if entry in failed or entry in worse]
    metric = definition_of(concerned[0].metric)
    above = [*(["its budget"] if failed else []), *(["its baseline"] if worse else [])]
    lines = [f"{printable(audit.target, 60)} {metric.fault} above {' and '.join(above)}"]
    for measurement in concerned:
        lines += _figures(measurement)
        if measurement in worse:
            lines += _change(measurement)
    if worse:
        lines += _how_compared(worse)
    lines += _rest(audit, concerned)
    step = f"{metric.remedy} and audit again"
    if any((entry.access, entry.attack) in audit.exposed for entry in concerned):
        step += "; see the most exposed records with error.audit.vulnerable(20)"
    lines.append(_line("next", step))
    if worse:
        lines.append(_line("", "if it is meant to be so: --leakpro-update-baseline, and commit"))
    return "\n".join(lines + _again(again))


def no_baseline_message(audit: Audit) -> str | None:
    """Say which measurements have no baseline to be compared with; None where all have."""
    missing = [
        entry
        for entry in audit.measurements
        if entry.comparable is not None
        and entry.change is not None
        and entry.change.outcome in ("no baseline", "incomparable")
    ]
    if not missing:
        return None
    lines = [f"{printable(audit.target, 60)} cannot be compared with a baseline, and one is asked"]
    lines[0] += " for (leakpro_require_baseline)"
    for entry in missing:
        assert entry.change is not None
        lines.append(_line("metric", f"{printable(str(entry.metric), 60)}: {entry.change.shown}"))
    lines.append(_line("next", "pytest --leakpro --leakpro-update-baseline, review and commit"))
    return "\n".join(lines)


def _change(measurement: Measurement) -> list[str]:
    change = measurement.change
    assert change is not None
    return [_line("change", change.shown), *(_line("", note) for note in change.notes)]


def _how_compared(measurements: list[Measurement]) -> list[str]:
    methods = {entry.change.method for entry in measurements if entry.change is not None}
    how = "by a paired test" if methods == {"paired"} else "as independent samples"
    if len(methods) > 1:
        how = "as independent samples, or by a paired test where it says so"
    nouns = definition_of(measurements[0].metric).nouns
    return [
        _line(
            "compared", f"{how}; this speaks of these two {nouns.audited}s, and not of the noise"
        ),
        _line("", nouns.between_runs),
    ]


def inconclusive_message(audit: Audit, again: str) -> str:
    """Say what is undecided, what was seen, and which sizes would decide.

    Parameters
    ----------
    audit : Audit
        With at least one INCONCLUSIVE.
    again : str
        The command that repeats it, empty where there is none.
    """
    open_ = [entry for entry in audit.measurements if entry.verdict is Verdict.INCONCLUSIVE]
    lines = [f"it cannot be told whether {printable(audit.target, 60)} keeps its budget"]
    for measurement in open_:
        lines += _figures(measurement)
        lines += [_line("because", note) for note in measurement.notes]
        if not measurement.notes:
            lines += _needed(measurement, audit.alpha)
    lines += _rest(audit, open_)
    unit = definition_of(open_[0].metric).nouns.unit
    step = f"audit with more {unit}, or choose a limit that these sizes can decide"
    if any(entry.notes and entry.value == entry.value for entry in open_):
        step = "mend what keeps the verdict from being given"
    lines.append(_line("next", f"{step}; leakpro_inconclusive = warn lets it through"))
    return "\n".join(lines + _again(again))


def weak_suite_message(audit: Audit) -> str | None:
    """Say that a PASS rests on attacks not calibrated per record; None where none does."""
    weak = [
        str(entry.budget)
        for entry in audit.measurements
        if entry.weak_suite and entry.verdict is Verdict.PASS
    ]
    if not weak:
        return None
    return (
        f"{printable(audit.target, 60)}: PASS (weak suite) of {', '.join(weak)}: no attack was "
        "calibrated per record, and such attacks miss most of what an overfitted model leaks at "
        "low false-positive rates; read it as 'no weak attack exceeded the budget'"
    )


def _figures(measurement: Measurement) -> list[str]:
    source = f"        ({measurement.source})" if measurement.source else ""
    budget = measurement.budget
    lines = [_line("budget", f"{printable(budget, 120)}{source}")] if budget else []
    if budget is None:
        lines.append(_line("metric", printable(str(measurement.metric), 120)))
    if measurement.value == measurement.value:  # scored
        how = f"by {printable(measurement.attack, 40)}; {measurement.strength}"
        lines.append(_line("measured", f"{_estimate(measurement)}   {how}"))
    rates = shown_rates(measurement.evidence)
    lines += [_line("rates", rates)] if rates else []
    lines += [_line("note", printable(remark, 400)) for remark in measurement.remarks]
    lines += _slices(measurement)
    if measurement.exposed_share is not None:
        share = shown(measurement.exposed_share, "percent")
        lines.append(
            _line("exposed", f"{share} of the records are found in most trainings that see them")
        )
    return lines


def _estimate(measurement: Measurement) -> str:
    value, low, high = measurement.shown()
    if measurement.census:
        return f"{value}  ({definition_of(measurement.metric).nouns.counted})"
    level = f"{1 - measurement.alpha:.3g}" if measurement.alpha < 0.001 else ""
    level = level or f"{100 * (1 - measurement.alpha):.4g}%"
    if high == UNBOUNDED:
        return f"{value}  (at least {low}, at level {level})"
    return f"{value}  ({level} bounds {low} to {high})"


def _slices(measurement: Measurement) -> list[str]:
    """Say of which slice the figures are, and which others have the same verdict."""
    lines = []
    nouns = definition_of(measurement.metric).nouns
    by_name = {part.name: part for part in measurement.slices}
    deciding = measurement.slice
    if deciding is not None:
        # Of several targets each has slices of its own.
        part = by_name.pop(deciding, None)
        lines.append(_line("", part_said(deciding) if part is None else _of_part(part, nouns)))
    alike = [part for part in by_name.values() if part.verdict is measurement.verdict]
    if alike and measurement.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        named = listed([_sized(part, nouns) for part in alike], _MOST_SLICES)
        lines.append(_line("", f"{measurement.verdict} too: {named}"))
    return lines


def _of_part(part: SliceFigures, nouns: Nouns) -> str:
    return f"{'of the column' if part.is_column else 'in the slice'} {_sized(part, nouns)}"


def _sized(part: SliceFigures, nouns: Nouns) -> str:
    name = part.label if part.is_column else part.name
    return f"{name} ({nouns.sizes(part.n_members, part.n_nonmembers, ', ')})"


def _needed(measurement: Measurement, alpha: float) -> list[str]:
    assert measurement.limit is not None
    budget = Budget(measurement.metric, measurement.limit)
    attacks = max(1, len(measurement.figures))
    rate = measurement.control_rate or 0.0
    without = sizes_that_decide(budget, None, alpha, attacks, control_rate=rate)
    sizes = Sizes(measurement.n_members, measurement.n_nonmembers)
    for part in measurement.slices:
        if part.name == measurement.slice:
            sizes = Sizes(part.n_members, part.n_nonmembers)
    columns = any(part.is_column for part in measurement.slices)
    hypotheses = len(measurement.slices) + (not columns)
    as_measured = sizes_that_decide(
        budget, measurement.value, alpha, attacks, sizes, hypotheses, rate
    )
    if measurement.slice is not None:
        where = "of this column" if columns else "in the slice"
        without, as_measured = (f"{text}, {where}" for text in (without, as_measured))
    one = definition_of(measurement.metric).nouns.one
    if without == as_measured.replace("leakage as measured", f"{one} without leakage"):
        return [_line("needed", without)]
    return [_line("needed", as_measured), _line("", without)]


def _rest(audit: Audit, shown: list[Measurement]) -> list[str]:
    by_sizes: dict[str, list[str]] = {}
    for entry in shown:
        nouns = definition_of(entry.metric).nouns
        said = records_counted(entry.evidence, census=entry.census)
        said = said or nouns.sizes(entry.n_members, entry.n_nonmembers, ", ")
        by_sizes.setdefault(said, []).append(printable(str(entry.metric), 60))
    lines: list[str] = []
    for said, metrics in by_sizes.items():
        of = f" ({', '.join(metrics)})" if len(by_sizes) > 1 else ""
        seed = "" if lines else f"     seed {audit.seed}"
        lines.append(_line("" if lines else "sizes", f"{said}{of}{seed}"))
    return lines + [_line("note", note) for note in audit.notes]


def _again(command: str) -> list[str]:
    return [_line("again", command)] if command else []


def _line(label: str, text: str) -> str:
    return f"  {label:<9} {text}"
