"""What changed since a baseline, as pure values.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.increase import Allowance, as_increase, shown_increase
from pytest_leakpro.gate.wording import printable, shown, shown_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["Change", "ChangeOutcome", "compare_records"]

ChangeOutcome = Literal["regression", "no regression", "no baseline", "incomparable"]

# Baselines are rounded to six digits.
_ROUNDING = 1e-5
INDEPENDENT = "independent samples"
PAIRED = "paired"


@dataclass(frozen=True)
class Change:
    """One measurement beside that of the baseline.

    Attributes
    ----------
    outcome : {"regression", "no regression", "no baseline", "incomparable"}
        A regression is an increase that is significantly more than what is allowed.
    max_increase : float
        What is allowed, in the metric's unit.
    source : str
        Where that was declared; empty for the default, which allows none.
    baseline, difference : float or None
        The baseline's estimate, and how much higher this one is.
    at_least : float or None
        The lower confidence bound of the increase; None where there is none.
    method : str
        ``"independent samples"`` or ``"paired"``, empty where nothing was compared.
    detectable : float or None
        An increase that would be noticed four times in five.
    notes : tuple of str
        What else differs between the two.
    shown : str
        All this in one line, the same in every output.
    """

    outcome: ChangeOutcome
    max_increase: float = 0.0
    source: str = ""
    baseline: float | None = None
    difference: float | None = None
    at_least: float | None = None
    method: str = ""
    detectable: float | None = None
    notes: tuple[str, ...] = ()
    shown: str = ""

    def with_detectable(self, detectable: float | None, metric: MetricName) -> Change:
        """Add what size of an increase would be noticed."""
        return _worded(replace(self, detectable=detectable), metric)


def compare_records(
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    allowance: Allowance,
    *,
    correlation: float | None = None,
) -> Change:
    """Compare a measurement with the baseline's.

    Parameters
    ----------
    old : mapping or None
        The baseline's record of the same identity; None where there is none.
    new : mapping
        This run's record.
    allowance : Allowance
        The increase that is allowed.
    correlation : float or None
        Of the two estimates where both scored the same records, for a paired comparison.

    Returns
    -------
    Change
        A regression where the lower bound of the increase exceeds what is allowed. Both bounds
        come from `comparable`, which depends on no limit.
    """
    from pytest_leakpro.stats.difference import increase_lower

    metric = parse_metric(new["metric"])
    change = Change("no baseline", allowance.increase, allowance.source)
    if old is None or old["comparable"] is None:
        return _worded(change, metric)
    differing = _other_configuration(old, new)
    if new["comparable"] is None:
        differing = "nothing was scored now"
    if differing is not None:
        return _worded(replace(change, outcome="incomparable", notes=(differing,)), metric)
    before, now = old["comparable"], new["comparable"]
    at_least = increase_lower(
        before["value"],
        _number(before["high"]),
        now["value"],
        _number(now["low"]),
        correlation or 0,
    )
    return _worded(
        Change(
            "regression" if at_least > allowance.increase else "no regression",
            allowance.increase,
            allowance.source,
            before["value"],
            now["value"] - before["value"],
            at_least if math.isfinite(at_least) else None,
            INDEPENDENT if correlation is None else PAIRED,
            notes=tuple(_notes(old, new)),
        ),
        metric,
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _other_configuration(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    before, now = old["configuration"], new["configuration"]
    for field in sorted({*before, *now}):
        was, is_now = before.get(field), now.get(field)
        if was != is_now:
            was, is_now = (printable(_say(value), 120) for value in (was, is_now))
            return (
                f"another attack configuration was asked for: {printable(field, 40)} was {was}, "
                f"now {is_now}"
            )
    return None


def _say(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_say(entry) for entry in value)
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_say(entry)}" for key, entry in value.items()) + ")"
    return "left to the default" if value is None else str(value)


def _notes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    notes = []
    if new.get("slice"):
        name = printable(new["slice"], 80)
        notes.append(f"compared on the whole, while the figures are of the slice {name}")
    if old["target"] != new["target"]:
        notes.append(f"the baseline was measured on {printable(old['target'], 60)}")
    if old["sizes"] != new["sizes"]:
        before = " + ".join(f"{size:,}" for size in old["sizes"].values())
        now = " + ".join(f"{size:,}" for size in new["sizes"].values())
        notes.append(f"other sizes: {before}, now {now}")
    before, now = old["digests"].get("data"), new["digests"].get("data")
    if before is not None and now is not None and before != now:
        notes.append("other data")
    suites = [sorted(record["suite"]) for record in (old, new)]
    if suites[0] != suites[1]:
        before, now = (printable(", ".join(suite), 120) for suite in suites)
        notes.append(
            f"another suite of attacks ({before}, now {now}): an increase may be the attacker's"
        )
    if old["alpha"] != new["alpha"]:
        notes.append(f"the baseline's bounds are at alpha {old['alpha']:g}")
    return notes


def _worded(change: Change, metric: MetricName) -> Change:
    if change.outcome == "no baseline":
        return replace(change, shown="no baseline")
    if change.outcome == "incomparable":
        return replace(change, shown=f"no comparable baseline: {change.notes[0]}")
    unit = definition_of(metric).unit
    assert change.baseline is not None
    assert change.difference is not None
    at_least = math.nan if change.at_least is None else change.at_least
    # With as many digits as it takes to see on which side of the allowance the bound lies.
    difference, bound, _ = shown_bounds(
        change.difference, at_least, math.nan, change.max_increase, unit
    )
    text = f"baseline {shown(change.baseline, unit)}: "
    allowed = shown_increase(change.max_increase, metric)
    if change.outcome == "regression":
        allowance = f"+{allowed} is" if change.max_increase else "no increase is"
        text += f"{as_increase(difference)}, at least {as_increase(bound)}: "
        text += f"REGRESSION ({allowance} allowed)"
    else:
        if abs(change.difference) <= _ROUNDING * abs(change.baseline):
            text += "unchanged"
        else:
            text += f"{as_increase(difference)}, no significant increase"
            text += f" beyond +{allowed}" if change.max_increase else ""
        if change.detectable is not None:
            noticed = shown(change.detectable, unit, toward=1)
            text += f" ({as_increase(noticed)} would be noticed)"
    if change.method == PAIRED:
        text += ", paired"
    return replace(change, shown=text)
