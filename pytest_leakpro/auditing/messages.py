"""What a failed or undecided audit says.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.auditing.feasibility import sizes_that_decide
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.gate.wording import printable, shown

if TYPE_CHECKING:
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.gate.slice_figures import SliceFigures

__all__ = [
    "inconclusive_message",
    "leakage_message",
    "no_baseline_message",
    "weak_suite_message",
]

_MOST_SLICES = 5
_LEAKAGE_KIND = {"tpr": "membership", "auc": "membership", "advantage": "membership"}


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
    name = _LEAKAGE_KIND.get(concerned[0].metric.name, concerned[0].metric.name)
    above = [*(["its budget"] if failed else []), *(["its baseline"] if worse else [])]
    lines = [f"{printable(audit.target, 60)} leaks {name} above {' and '.join(above)}"]
    for measurement in concerned:
        lines += _figures(measurement)
        if measurement in worse:
            lines += _change(measurement)
    if worse:
        lines += _how_compared(worse)
    lines += _rest(audit, concerned)
    step = "regularise or train with DP and audit again"
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
    return [
        _line("compared", f"{how}; this speaks of these two models, and not of the noise"),
        _line("", "between trainings, which a Recipe with several targets measures"),
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
    step = "audit with more records, or choose a limit that these sizes can decide"
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
        value, low, high = measurement.shown()
        level = f"{1 - measurement.alpha:.3g}" if measurement.alpha < 0.001 else ""
        level = level or f"{100 * (1 - measurement.alpha):.4g}%"
        lines.append(
            _line(
                "measured",
                f"{value}  ({level} bounds {low} to {high})   "
                f"by {printable(measurement.attack, 40)}; {measurement.strength}",
            )
        )
    lines += _slices(measurement)
    if measurement.exposed_share is not None:
        share = shown(measurement.exposed_share, "percent")
        lines.append(
            _line("exposed", f"{share} of the records are found in most trainings that see them")
        )
    return lines


def _slices(measurement: Measurement) -> list[str]:
    """Say of which slice the figures are, and which others have the same verdict."""
    lines = []
    by_name = {part.name: part for part in measurement.slices}
    deciding = measurement.slice
    if deciding is not None:
        # Of several targets each has slices of its own.
        sized = _sized(by_name.pop(deciding)) if deciding in by_name else deciding
        lines.append(_line("", f"in the slice {sized}"))
    alike = [part for part in by_name.values() if part.verdict is measurement.verdict]
    if alike and measurement.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        named = ", ".join(_sized(part) for part in alike[:_MOST_SLICES])
        more = f" and {len(alike) - _MOST_SLICES} more" if len(alike) > _MOST_SLICES else ""
        lines.append(_line("", f"{measurement.verdict} too: {named}{more}"))
    return lines


def _sized(part: SliceFigures) -> str:
    return f"{part.name} ({part.n_members:,} members, {part.n_nonmembers:,} non-members)"


def _needed(measurement: Measurement, alpha: float) -> list[str]:
    assert measurement.limit is not None
    budget = Budget(measurement.metric, measurement.limit)
    attacks = max(1, len(measurement.figures))
    without = sizes_that_decide(budget, None, alpha, attacks)
    sizes = Sizes(measurement.n_members, measurement.n_nonmembers)
    for part in measurement.slices:
        if part.name == measurement.slice:
            sizes = Sizes(part.n_members, part.n_nonmembers)
    as_measured = sizes_that_decide(
        budget, measurement.value, alpha, attacks, sizes, 1 + len(measurement.slices)
    )
    if measurement.slice is not None:
        without, as_measured = (f"{text}, in the slice" for text in (without, as_measured))
    if without == as_measured.replace("leakage as measured", "a model without leakage"):
        return [_line("needed", without)]
    return [_line("needed", as_measured), _line("", without)]


def _rest(audit: Audit, shown: list[Measurement]) -> list[str]:
    first = shown[0]
    lines = [
        _line(
            "sizes",
            f"{first.n_members:,} members, {first.n_nonmembers:,} non-members     "
            f"seed {audit.seed}",
        )
    ]
    return lines + [_line("note", note) for note in audit.notes]


def _again(command: str) -> list[str]:
    return [_line("again", command)] if command else []


def _line(label: str, text: str) -> str:
    return f"  {label:<9} {text}"
