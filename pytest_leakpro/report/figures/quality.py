"""How well records were rebuilt, and from where on that counts.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.criterion import MEASURES, Criterion
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.report.figures.bars import Bars
from pytest_leakpro.report.figures.panel import Panel
from pytest_leakpro.report.figures.telling import (
    measured,
    metric_of,
    numbers,
    sentences,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["quality_panel"]

_TICKS = 5


def quality_panel(record: Mapping[str, Any], words: Words) -> Panel | None:
    """Draw how well records were rebuilt, from where on it counts; None where that is not kept.

    Bins lie side by side in equal widths, whatever their edges are.

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
    curve = (record["evidence"] or {}).get("curve") or {}
    if curve.get("kind") != "quality":
        return None
    edges, counts = numbers(curve["x"]), [int(count) for count in numbers(curve["y"])]
    if not edges or len(edges) != len(counts) or sum(counts) < 1:
        return None
    criterion = _criterion(record)
    first, last = _seen(edges, counts, criterion)
    edges, counts = edges[first:last], counts[first:last]
    better_below = criterion is not None and MEASURES[criterion.measure].sign == "<="
    filled = [
        criterion is not None
        and (_end(edges, place) <= criterion.bound if better_below else edge >= criterion.bound)
        for place, edge in enumerate(edges)
    ]
    step = max(1, -(-len(edges) // _TICKS))
    bars = Bars(
        counts,
        [(place, f"{edges[place]:g}") for place in range(0, len(edges), step)],
        filled,
        None if criterion is None else _place(edges, criterion.bound),
        words("figure.quality.counts", criterion=str(criterion)),
        words("figure.quality.x", measure=criterion.measure if criterion else ""),
        words("figure.quality.y"),
    )
    most = max(range(len(counts)), key=counts.__getitem__)
    return Panel(
        "quality",
        title_of("quality", record, words),
        sentences(
            words(
                "figure.quality.most",
                low=f"{edges[most]:g}",
                count=words.number(counts[most]),
                of=words.number(sum(counts)),
            ),
            "" if criterion is None else words("figure.quality.line", criterion=str(criterion)),
            words("figure.quality.measured", measured=measured(record, words)),
        ),
        bars.draw,
        height=230,
    )


def _criterion(record: Mapping[str, Any]) -> Criterion | None:
    metric = metric_of(record)
    if metric is None or metric.argument is None:
        return None
    try:
        return Criterion.parse(metric.argument)
    except LeakproError:
        return None


def _seen(
    edges: Sequence[float], counts: Sequence[int], criterion: Criterion | None
) -> tuple[int, int]:
    """Give the first bin that is drawn and the one after the last."""
    held = [place for place, count in enumerate(counts) if count]
    if criterion is not None:
        held.append(min(int(_place(edges, criterion.bound)), len(edges) - 1))
    first, last = max(min(held) - 1, 0), min(max(held) + 2, len(edges))
    return max(min(first, last - 6), 0), last


def _end(edges: Sequence[float], place: int) -> float:
    return edges[place + 1] if place + 1 < len(edges) else float("inf")


def _place(edges: Sequence[float], value: float) -> float:
    """Give where a value lies, in bins."""
    if value < edges[0]:
        return 0.0
    place = max(at for at, edge in enumerate(edges) if edge <= value)
    if place + 1 == len(edges):
        return place + (0.0 if value == edges[place] else 0.5)
    return place + (value - edges[place]) / (edges[place + 1] - edges[place])
