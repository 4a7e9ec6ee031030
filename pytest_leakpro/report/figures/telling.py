"""What figures say in words: the same figures as everywhere else.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.slice_figures import COLUMN
from pytest_leakpro.gate.wording import (
    UNBOUNDED,
    Unit,
    plain_number,
    printable,
    shown,
    shown_bounds,
)
from pytest_leakpro.report.completing import unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = [
    "base_of",
    "budget_said",
    "figures_of",
    "finite",
    "limit_said",
    "measured",
    "metric_of",
    "numbers",
    "of_whole",
    "said",
    "sentences",
    "shares",
    "title_of",
    "written",
]

_NAME = 60
_LARGEST = 1e12  # no figure of an audit comes near


def finite(value: Any) -> float | None:
    """Give a number; None for anything that is none, that is not finite, or that no axis holds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= _LARGEST else None


def numbers(text: object) -> list[float]:
    """Read numbers that are separated by spaces; none where some are no numbers, or too large."""
    if not isinstance(text, str):
        return []
    try:
        read = [float(word) for word in text.split()]
    except ValueError:
        return []
    return read if all(abs(number) <= _LARGEST for number in read) else []


def metric_of(record: Mapping[str, Any]) -> MetricName | None:
    """Read the metric of a record; None for one that this version does not know."""
    try:
        return parse_metric(record["metric"])
    except LeakproError:
        return None


def figures_of(record: Mapping[str, Any], entry: Mapping[str, Any] | None = None) -> list[str]:
    """Write value, lower and upper bound as all outputs do.

    Parameters
    ----------
    record : mapping
        One measurement.
    entry : mapping, optional
        One of its slices, whose figures are meant.
    """
    source = record if entry is None else entry
    names = ("shown_value", "shown_low", "shown_high")
    if all(name in source for name in names):
        return [printable(source[name], 30) for name in names]
    given = [finite(source.get(name)) for name in ("value", "low", "high")]
    value, low, high = (math.nan if number is None else number for number in given)
    return list(shown_bounds(value, low, high, finite(record["limit"]), unit_of(record)))


def measured(
    record: Mapping[str, Any], words: Words, entry: Mapping[str, Any] | None = None
) -> str:
    """Write ``"4.7% (3.1% to 6.6%)"``; parameters as for `figures_of`."""
    value, low, high = figures_of(record, entry)
    if record.get("census"):
        return words("figure.measured.exact", value=value)
    if high == UNBOUNDED:
        return words("figure.measured.least", value=value, low=low)
    return words("figure.measured", value=value, low=low, high=high)


def budget_said(record: Mapping[str, Any], words: Words) -> str:
    """Write ``"budget 1%"``; empty where there is none."""
    limit = finite(record["limit"])
    if limit is None:
        return ""
    text = record.get("shown_limit", UNBOUNDED)
    text = plain_number(limit, unit_of(record)) if text == UNBOUNDED else text
    return words("figure.budget", limit=printable(text, 30))


def limit_said(record: Mapping[str, Any], words: Words) -> str:
    """Say how the budget is drawn; empty where there is none."""
    budget = budget_said(record, words)
    return words("figure.limit", budget=budget) if budget else ""


def base_of(record: Mapping[str, Any]) -> float | None:
    """Give what the axis of a metric shows in any case: none leaks less."""
    metric = metric_of(record)
    if metric is None:
        return 0.0 if unit_of(record) == "percent" else None
    return definition_of(metric).chance_level(metric) if metric.fpr is None else 0.0


def title_of(kind: str, record: Mapping[str, Any], words: Words) -> str:
    """Say what a figure shows of which target."""
    return words(
        f"figure.{kind}.title",
        target=printable(record["target"], _NAME),
        metric=printable(record["metric"], _NAME),
    )


def sentences(*texts: str) -> str:
    """Write one text after another, without those that are empty."""
    return " ".join(text for text in texts if text)


def of_whole(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the record with the figures of its evidence, which is of the whole.

    Where a slice decides, value and bounds are the slice's, while the evidence is what the same
    attack found on all records; its own figures stand among those of the attacks. Without any
    there is no value.
    """
    slice_of = record.get("slice")
    if not slice_of or slice_of.startswith(f"{COLUMN}="):  # columns have evidence of their own
        return record
    figures = record.get("figures") or ()
    of_attack = (entry for entry in figures if entry["attack"] == record["attack"])
    own: Mapping[str, Any] = next(of_attack, {})
    given = {name: finite(own.get(name)) for name in ("value", "low", "high")}
    shown_names = ("shown_value", "shown_low", "shown_high")
    rest = {name: entry for name, entry in record.items() if name not in shown_names}
    return {**rest, **given, "slice": None}


def written(value: float, unit: Unit) -> str:
    """Write a number on an axis."""
    return plain_number(float(f"{value:.6g}"), unit)


def shares(counts: Sequence[float], total: float) -> list[float]:
    """Divide counts by their total."""
    return [count / total for count in counts]


def said(value: float) -> str:
    """Write a measured share."""
    return shown(value, "percent")
