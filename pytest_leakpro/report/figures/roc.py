"""The ROC curve of membership scores, with its band and what the budget allows.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.figures.panel import Panel
from pytest_leakpro.report.figures.scale import powers
from pytest_leakpro.report.figures.telling import (
    budget_said,
    figures_of,
    finite,
    limit_said,
    measured,
    metric_of,
    numbers,
    of_whole,
    sentences,
    title_of,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_leakpro.report.figures.chart import Chart
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["draw_roc", "roc_panel"]

_LOWEST = 1e-6  # the smallest share that is drawn
_PLACES = 72  # at which the band is worked out


class _Curve(NamedTuple):
    x: NDArray[Any]
    y: NDArray[Any]

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of members and of non-members."""
        return int(self.y[-1]), int(self.x[-1])


def roc_panel(record: Mapping[str, Any], words: Words) -> Panel | None:
    """Draw the ROC curve of a record; None where it has none.

    The axes are logarithmic, since what counts is how many members are found by an attacker who
    wrongly accuses hardly anybody. The shaded band is that of `roc_band`: it holds at each rate by
    itself, not at all at once. At the rate of the budget value and bounds are the record's, which
    are those of an attacker who may also stay silent, and decide.

    Parameters
    ----------
    record : mapping
        One measurement.
    words : Words
        The language.

    Returns
    -------
    Panel or None
        None where there is nothing to draw.
    """
    curve = _curve(record)
    if curve is None or finite(record["value"]) is None:
        return None
    deciding, record = record, of_whole(record)
    metric = metric_of(record)
    rate = None if metric is None else metric.fpr
    members, nonmembers = curve.sizes
    if finite(record["value"]) is None:
        told = ""
    elif rate is not None:
        told = words(
            "figure.roc.at_rate",
            rate=written(rate, "percent"),
            measured=measured(record, words),
            members=words.count("size.members", members),
        )
    else:
        told = words("figure.roc.whole", metric=record["metric"], measured=measured(record, words))
    return Panel(
        "roc",
        title_of("roc", record, words),
        sentences(
            told,
            _slice_said(deciding, words),
            limit_said(record, words),
            words(
                "figure.roc.sizes",
                members=words.number(members),
                nonmembers=words.number(nonmembers),
            ),
            words("figure.roc.band", share=written(1 - record["alpha"], "percent")),
        ),
        lambda chart: draw_roc(chart, record, words),
        height=316,
    )


def _slice_said(record: Mapping[str, Any], words: Words) -> str:
    """Say that the verdict rests on a slice, which the curve is not of; empty where it is."""
    if of_whole(record) is record:
        return ""
    return words(
        "figure.roc.slice", slice=printable(record["slice"], 60), measured=measured(record, words)
    )


def _curve(record: Mapping[str, Any]) -> _Curve | None:
    import numpy as np

    evidence = record["evidence"] or {}
    curve = evidence.get("curve") or {}
    if curve.get("kind") != "roc":
        return None
    x, y = (np.array(numbers(curve[side])) for side in ("x", "y"))
    if len(x) != len(y) or len(x) < 2 or x[-1] < 1 or y[-1] < 1 or x[0] != 0:
        return None
    if (np.diff(x) < 0).any() or (np.diff(y) < 0).any() or y[0] < 0:
        return None
    return _Curve(x.astype(int), y.astype(int))


def draw_roc(chart: Chart, record: Mapping[str, Any], words: Words) -> None:
    """Draw the ROC curve of a record that has one."""
    import numpy as np

    from pytest_leakpro.stats.roc_band import roc_band

    curve = _curve(record)
    assert curve is not None
    record = of_whole(record)
    metric = metric_of(record)
    rate = None if metric is None else metric.fpr
    m, n = curve.sizes
    floor = _floor(record, rate, m, n)
    palette = chart.palette
    chart.scales((floor, 1), (floor, 1), log_x=True, log_y=True)
    ticks = [(power, written(power, "percent")) for power in powers((floor, 1))]
    chart.ticks_x(ticks)
    chart.ticks_y(ticks)
    chart.name_x(words("figure.roc.x"))
    chart.name_y(words("figure.roc.y"))

    rates = np.geomspace(floor, 1, _PLACES)
    inner = rates[:-1]
    low, high = roc_band(curve.x, curve.y, inner, record["alpha"])
    low, high = np.append(low, 1.0), np.append(high, 1.0)
    chart.area(
        np.concatenate([rates, rates[::-1]]),
        np.maximum(np.concatenate([high, low[::-1]]), floor),
        palette.band,
    )
    chart.line([floor, 1], [floor, 1], palette.muted, width=1, dashes=(1, 3))
    chart.line(*_drawn(curve, floor), palette.accent, order=3)
    _draw_budget(chart, record, words, floor, rate)
    if rate is not None and finite(record["value"]) is not None:
        _draw_point(chart, record, curve, floor, rate)
    chart.text(
        *_on_diagonal(floor, 0.62), words("figure.roc.chance"), turned=45, level="top", by=(2, -4)
    )


def _floor(record: Mapping[str, Any], rate: float | None, m: int, n: int) -> float:
    """Give where both axes begin: below whatever is to be seen."""
    limit, value = finite(record["limit"]), finite(record["value"])
    shown = [0.7 / n, 0.7 / m]
    if rate is not None:
        shown += [rate / 9, *(mark / 2 for mark in (limit, value) if mark and mark > 0)]
    return min(max(min(shown), _LOWEST), 0.05)


def _on_diagonal(floor: float, share: float) -> tuple[float, float]:
    place = floor ** (1 - share)
    return place, place


def _drawn(curve: _Curve, floor: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give the curve's corners on logarithmic axes, where what is straight between them is bent."""
    import numpy as np

    m, n = curve.sizes
    fpr, tpr = curve.x / n, curve.y / m
    between = np.geomspace(floor, 1, _PLACES)
    # Of a vertical piece all corners are kept; between corners the curve is linear.
    x = np.concatenate([fpr, between])
    y = np.concatenate([tpr, np.interp(between, fpr, tpr)])
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    # From the lower or the left edge on.
    x, y = x[x >= floor * (1 - 1e-12)], y[x >= floor * (1 - 1e-12)]
    start = max(int(np.argmax(y >= floor)) - 1, 0)
    x, y = x[start:], np.maximum(y[start:], floor)
    return _thinned(np.log(x / floor), np.log(y / floor), x, y)


def _thinned(
    right: NDArray[Any], up: NDArray[Any], x: NDArray[Any], y: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Leave out corners that lie on the line between their neighbours, as far as can be seen."""
    import numpy as np

    scale = 300 / max(right.max(), 1e-9)
    kept = [0]
    for place in range(1, len(x) - 1):
        ahead = np.array([right[place + 1] - right[kept[-1]], up[place + 1] - up[kept[-1]]])
        here = np.array([right[place] - right[kept[-1]], up[place] - up[kept[-1]]])
        length = float(np.hypot(*ahead))
        away = abs(ahead[0] * here[1] - ahead[1] * here[0]) / length if length else 0.0
        if away * scale > 0.15:
            kept.append(place)
    kept.append(len(x) - 1)
    return x[kept], y[kept]


def _draw_budget(
    chart: Chart, record: Mapping[str, Any], words: Words, floor: float, rate: float | None
) -> None:
    import numpy as np

    palette, limit = chart.palette, finite(record["limit"])
    limit = None if limit is None or not 0 < limit < 1 else limit
    name = record["metric"].partition("@")[0]
    if limit is not None and rate is not None:
        # An attacker who stays silent at random turns TPR(u) at u > a into TPR(u) a / u at a.
        bend = max(rate, floor)
        x = [floor, bend, min(1.0, bend / limit), 1.0]
        y = [limit, limit, 1.0, 1.0]
    elif limit is not None and name == "advantage":
        along = np.geomspace(floor, max(1 - limit, 2 * floor), 40)
        x, y = [*along, 1.0], [*np.minimum(along + limit, 1.0), 1.0]
    else:
        x, y = [], []
    if x and max(y) >= floor:
        y = [max(level, floor) for level in y]
        chart.area([*x, 1.0, floor], [*y, floor, floor], palette.good, opacity=0.07, order=0.5)
        chart.line(x, y, palette.limit, width=1.3, dashes=(5, 2.5), order=3)
        chart.text(
            floor, y[0], budget_said(record, words),
            colour=palette.limit, level="bottom", by=(4, 3), haloed=True,
        )  # fmt: skip


def _draw_point(
    chart: Chart, record: Mapping[str, Any], curve: _Curve, floor: float, rate: float
) -> None:
    import numpy as np

    palette = chart.palette
    value, low, high = (finite(record[side]) for side in ("value", "low", "high"))
    assert value is not None
    value = min(max(value, 0.0), 1.0)
    chart.line([rate, rate], [floor, 1], palette.muted, width=0.8, dashes=(2, 2))
    # Who stays silent at random gets from a point of the curve straight down to the left.
    beyond = curve.x >= rate * curve.x[-1]
    fpr, tpr = curve.x[beyond] / curve.x[-1], curve.y[beyond] / curve.y[-1]
    best = int(np.argmax(tpr / fpr))
    if value >= floor and fpr[best] > rate and tpr[best] > value:
        chart.line(
            [rate, fpr[best]], [value, tpr[best]], palette.ink, width=0.8, dashes=(2, 2), order=3
        )
    chart.interval(rate, low, high, palette.ink)
    chart.dots([rate], [max(value, floor)], palette.ink)
    chart.text(
        rate, max(value, floor), figures_of(record)[0],
        colour=palette.ink, weight="bold", by=(9, -6 if value > 0.5 else 6),
        level="top" if value > 0.5 else "bottom", haloed=True,
    )  # fmt: skip
