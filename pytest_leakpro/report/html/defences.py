"""Defences side by side: how much each leaks, and what it is still good for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.html.rows import Row, row_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from pytest_leakpro.report.html.drawing import Drawer
    from pytest_leakpro.report.html.grouping import Entry
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Comparison", "Defence", "comparisons_of"]


@dataclass(frozen=True)
class Defence:
    """One defence in a comparison.

    Attributes
    ----------
    name : str
        Which.
    utility : str
        What it is still good for, as the user measures it; empty where nobody did.
    row : Row
        What leaks.
    outcome : str
        Against the first: a key of ``defence.<outcome>``; empty where it is not told.
    shown : str
        The same in numbers, as the record says it.
    hides : str
        How it hides scores; empty where it does not.
    labels_too : bool
        Whether an attacker who sees labels alone was audited.
    """

    name: str
    utility: str
    row: Row
    outcome: str
    shown: str
    hides: str
    labels_too: bool


@dataclass(frozen=True)
class Comparison:
    """Defences of one target by one metric.

    Attributes
    ----------
    name, metric, utility_name : str
        What is compared by what.
    defences : tuple of Defence
        In the order in which they were given.
    lower : tuple of str
        Those that leak significantly less than the first.
    figure : Markup or None
        Leakage against utility.
    """

    name: str
    metric: str
    utility_name: str
    defences: tuple[Defence, ...]
    lower: tuple[str, ...]
    figure: Markup | None


def comparisons_of(
    entries: Sequence[Entry], drawer: Drawer, words: Words
) -> tuple[Comparison, ...]:
    """Gather the comparisons; none where nothing was compared."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for identity, record in entries:
        compared = record.get("comparison")
        if compared:
            key = (identity.name, compared["name"], record["metric"])
            found.setdefault(key, []).append(record)
    return tuple(_comparison(records, drawer, words) for records in found.values())


def _comparison(records: list[Mapping[str, Any]], drawer: Drawer, words: Words) -> Comparison:
    ordered = sorted(records, key=lambda record: (record["comparison"]["order"], record["access"]))
    first = ordered[0]["comparison"]
    defences = tuple(_defence(record, words) for record in ordered)
    lower = [entry.name for entry in defences if entry.outcome == "lower"]
    return Comparison(
        first["name"],
        ordered[0]["metric"],
        next(filter(None, (one["comparison"].get("utility_name") for one in ordered)), ""),
        defences,
        tuple(dict.fromkeys(lower)),
        drawer.comparison(ordered),
    )


def _defence(record: Mapping[str, Any], words: Words) -> Defence:
    compared = record["comparison"]
    return Defence(
        compared["defence"],
        compared.get("shown_utility") or "",
        row_of(record, words),
        (compared.get("outcome") or "").replace(" ", "_"),
        compared.get("shown") or "",
        compared.get("hides_scores") or "",
        bool(compared.get("label_only_audited")),
    )
