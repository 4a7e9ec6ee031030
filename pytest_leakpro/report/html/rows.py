"""A record as a row: its figures as every output shows them, and where they lie to the budget.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.rates import counted_whole
from pytest_leakpro.gate.slice_figures import COLUMN
from pytest_leakpro.gate.table import is_regression
from pytest_leakpro.gate.wording import UNBOUNDED
from pytest_leakpro.report.html.attackers import column_of, short_name
from pytest_leakpro.report.html.discreet import names_columns
from pytest_leakpro.report.html.sentences import metric_name
from pytest_leakpro.report.html.standing import Standing, standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Bar", "Row", "bar_of", "row_of", "slice_said"]


@dataclass(frozen=True)
class Bar:
    """Estimate and bounds on a line whose middle is the budget.

    Attributes
    ----------
    value, low, high : float
        Places on it, from 0 (nothing leaks) through 50 (the limit) towards 100.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """What the page shows of one measurement.

    Attributes
    ----------
    standing : Standing
        What it amounts to.
    metric, value, bounds, limit, verdict : str
        As the terminal shows them.
    part : str
        The slice or column that they are of; empty for the whole.
    attacker : str
        Who attacks, in a few words.
    attack, strength : str
        By which attack, with what; as the record says it.
    change : str
        Since the baseline; empty where there is none.
    risen : bool
        Whether that is a regression.
    reruns : str
        The verdicts of earlier attempts of its test.
    attempt : int
        1 where it was not repeated.
    error : str
        Why there are no figures.
    withheld : bool
        Whether the error's text is left out, since it names columns.
    bar : Bar or None
        None without a budget, or without figures.
    """

    standing: Standing
    metric: str
    part: str
    value: str
    bounds: str
    limit: str
    verdict: str
    attacker: str
    attack: str
    strength: str
    change: str
    risen: bool
    attempt: int
    reruns: str
    error: str
    withheld: bool
    bar: Bar | None


def row_of(record: Mapping[str, Any], words: Words) -> Row:
    """Give the row of a record, complete and discreet."""
    change = record["change"]
    told = change is not None and change["outcome"] != "no baseline"
    error = record["error"] or ""
    withheld = names_columns(error)
    return Row(
        standing=standing(record),
        metric=record["metric"],
        part=_part(record, words),
        value=record["shown_value"],
        bounds=_bounds(record, words),
        limit=record["shown_limit"],
        verdict=record["shown_verdict"],
        attacker=short_name(column_of(record), words),
        attack=record["attack"],
        strength=record["strength"],
        change=change["shown"] if told else "",
        risen=is_regression(record),
        attempt=record["attempt"],
        reruns=", ".join(record["earlier"]),
        error="" if withheld else error,
        withheld=withheld,
        bar=bar_of(
            record["value"], record["low"], record["high"], record["limit"], _chance(record)
        ),
    )


def _part(record: Mapping[str, Any], words: Words) -> str:
    said = [slice_said(record["slice"], words)]
    if record["occurrence"]:
        said.append(words("part.occurrence", n=words.number(record["occurrence"] + 1)))
    return ", ".join(filter(None, said))


def _bounds(record: Mapping[str, Any], words: Words) -> str:
    """Write bounds in the page's language, the figures as they are shown everywhere."""
    low, high = record["shown_low"], record["shown_high"]
    if record["value"] is None:
        return UNBOUNDED if record["verdict"] == "ERROR" else words("bounds.not_scored")
    if counted_whole(record["evidence"], census=record["census"]):
        return words("bounds.this_update")
    if high == UNBOUNDED:
        return words("bounds.at_least", low=low)
    return words("bounds.between", low=low, high=high)


def slice_said(name: str | None, words: Words) -> str:
    """Say of which part figures are; empty for the whole."""
    if not name:
        return ""
    slicing, _, label = name.partition("=")
    return words("part.column", name=label) if slicing == COLUMN else words("part.slice", name=name)


def _chance(record: Mapping[str, Any]) -> float:
    """Give what is measured where nothing leaks."""
    metric = metric_name(record)
    try:
        return definition_of(metric).chance_level(metric)
    except (LeakproError, AssertionError):  # not a metric of this version
        return 0.0


def bar_of(
    value: float | None,
    low: float | None,
    high: float | None,
    limit: float | None,
    chance: float = 0.0,
) -> Bar | None:
    """Place an estimate and its bounds on a line whose middle is the budget.

    Parameters
    ----------
    value, low, high, limit : float or None
        In the metric's unit. Without a lower bound the bar begins at 0, without an upper one it
        goes on to the end.
    chance : float
        What is measured where nothing leaks: the beginning of the line.

    Returns
    -------
    Bar or None
        None without an estimate or a limit.
    """
    if value is None or limit is None:
        return None
    return Bar(
        _place(value - chance, limit - chance),
        0.0 if low is None else _place(low - chance, limit - chance),
        100.0 if high is None else _place(high - chance, limit - chance),
    )


def _place(value: float, limit: float) -> float:
    # Saturating, so that ten times the budget still has its place on the line.
    if value <= 0:
        return 0.0
    return round(100 * value / (value + max(limit, 0.0)), 1)
