"""How exposed the canaries are, in bits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.figures.bars import Bars, Mean
from pytest_leakpro.report.figures.panel import Panel
from pytest_leakpro.report.figures.telling import (
    budget_said,
    figures_of,
    finite,
    limit_said,
    measured,
    numbers,
    sentences,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["ranks_panel"]

_MOST_BINS = 64
_TICKS = 7


def ranks_panel(record: Mapping[str, Any], words: Words) -> Panel | None:
    """Draw the exposure of the canaries in whole bits; None where that is not kept.

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
    evidence = record["evidence"] or {}
    curve = evidence.get("curve") or {}
    if curve.get("kind") != "ranks" or finite(record["value"]) is None:
        return None
    bits, counts = numbers(curve["x"]), [int(count) for count in numbers(curve["y"])]
    if not bits or len(bits) != len(counts) or sum(counts) < 1 or min(bits) < 0:
        return None
    limit = finite(record["limit"])
    bins = int(max(*bits, limit or 0, evidence.get("most_bits") or 0)) + 1
    if bins > _MOST_BINS:
        bins = min(bins, int(max(*bits, limit or 0)) + 2)
    by_bit = [0] * bins
    for bit, count in zip(bits, counts, strict=True):
        by_bit[int(bit)] += count
    step = max(1, -(-bins // _TICKS))
    low, high = finite(record["low"]), finite(record["high"])
    bars = Bars(
        by_bit,
        [(place, str(place)) for place in range(0, bins, step)],
        [True] * bins,
        None if limit is None or limit > bins else limit,
        budget_said(record, words),
        words("figure.ranks.x"),
        words("figure.ranks.y"),
        "accent",
        Mean(
            float(record["value"]),
            low,
            high,
            words("figure.ranks.named", value=figures_of(record)[0]),
        ),
    )
    highest = max(place for place, count in enumerate(by_bit) if count)
    return Panel(
        "ranks",
        title_of("ranks", record, words),
        sentences(
            words("figure.ranks.mean", measured=measured(record, words)),
            words(
                "figure.ranks.highest",
                bits=str(highest),
                count=words.number(by_bit[highest]),
                of=words.number(sum(by_bit)),
            ),
            limit_said(record, words),
        ),
        bars.draw,
        height=230,
    )
