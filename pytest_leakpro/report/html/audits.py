"""Each audit: its figures, pictures and notes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.rates import shown_rates
from pytest_leakpro.gate.wording import shown
from pytest_leakpro.report.html.discreet import shown_notes
from pytest_leakpro.report.html.rows import Row, row_of, slice_said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.report.html.drawing import Drawer, Figure
    from pytest_leakpro.report.html.grouping import Group
    from pytest_leakpro.report.html.standing import Standing
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Audit", "Part", "audits_of"]

_MOST_OPEN = 8
_MOST_NOTES = 20
_MOST_PARTS = 60
_WELL = ("pass", "measured")


@dataclass(frozen=True)
class Part:
    """What was found in a slice, or of a column.

    Attributes
    ----------
    metric, name, value, low, high, verdict, attack : str
        As they are shown everywhere.
    sizes : str
        How many were scored.
    """

    metric: str
    name: str
    value: str
    low: str
    high: str
    verdict: str
    attack: str
    sizes: str


@dataclass(frozen=True)
class Audit:
    """One target in one test.

    Attributes
    ----------
    anchor, target, name : str
        Where it stands, and of what it is.
    standing : Standing
        The worst that was found.
    rows : tuple of Row
        Its measurements, the worst first.
    figures : tuple of Figure
        Its pictures.
    left_out : bool
        Whether pictures were left out for want of room.
    parts : tuple of Part
        Of slices and columns.
    facts : tuple of (str, str)
        Rates and shares behind the figures, each with its label.
    notes : tuple of str
        Sentences of the record, in English.
    withheld : int
        Notes that name columns, and are not shown.
    unfolded : bool
        Whether it is shown open from the beginning.
    """

    anchor: str
    target: str
    name: str
    standing: Standing
    rows: tuple[Row, ...]
    figures: tuple[Figure, ...]
    left_out: bool
    parts: tuple[Part, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    withheld: int
    unfolded: bool


def audits_of(groups: Sequence[Group], drawer: Drawer, words: Words) -> tuple[Audit, ...]:
    """Give every audit, with pictures as long as there is room.

    Parameters
    ----------
    groups : sequence of Group
        The worst first: these are drawn first.
    drawer : Drawer
        Draws.
    words : Words
        Of the page's language.
    """
    return tuple(_audit(group, drawer, words, few=len(groups) <= _MOST_OPEN) for group in groups)


def _audit(group: Group, drawer: Drawer, words: Words, *, few: bool) -> Audit:
    figures, left_out = drawer.of_group(group)
    told = [
        note
        for record in group.records
        for note in (*record["remarks"], *record["notes"], *_change_notes(record))
    ]
    notes, withheld = shown_notes(told)
    return Audit(
        anchor=group.anchor,
        target=group.target,
        name=group.name,
        standing=group.standing,
        rows=tuple(row_of(record, words) for record in group.records),
        figures=figures,
        left_out=left_out,
        parts=tuple(_parts(group, words))[:_MOST_PARTS],
        facts=tuple(_facts(group, words)),
        notes=tuple(notes[:_MOST_NOTES]),
        withheld=withheld,
        unfolded=few or (group.standing.key not in _WELL and group.number <= _MOST_OPEN),
    )


def _change_notes(record: Mapping[str, Any]) -> Sequence[str]:
    change = record["change"]
    return [] if change is None else change.get("notes", ())


def _parts(group: Group, words: Words) -> list[Part]:
    return [
        Part(
            record["metric"],
            slice_said(f"{part['slicing']}={part['label']}", words),
            part.get("shown_value", "-"),
            part.get("shown_low", "-"),
            part.get("shown_high", "-"),
            part["verdict"] or "-",
            part["attack"],
            f"{words.number(part['n_members'])} + {words.number(part['n_nonmembers'])}",
        )
        for record in group.records
        for part in record["slices"]
    ]


def _facts(group: Group, words: Words) -> list[tuple[str, str]]:
    facts = []
    for record in group.records:
        rates = shown_rates(record["evidence"])
        if rates:
            facts.append((words("fact.rates", metric=record["metric"]), rates))
        share = record.get("exposed_share")
        if share is not None:
            said = words("fact.exposed.text", share=shown(share, "percent"))
            facts.append((words("fact.exposed", metric=record["metric"]), said))
        chance = record["pass_chance"]
        if chance is not None and not record["census"] and record["verdict"] != "FAIL":
            said = words("fact.chance.text", chance=shown(chance, "percent", toward=-1))
            facts.append((words("fact.chance", metric=record["metric"]), said))
    return list(dict.fromkeys(facts))
