"""The panel: what of a person may be at risk, by whom, and whether that was audited.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from pytest_leakpro.gate.catalogue import metrics
from pytest_leakpro.gate.metrics.base import Concern
from pytest_leakpro.report.html.attackers import COLUMNS, column_of, kind_of, short_name
from pytest_leakpro.report.html.sentences import metric_name
from pytest_leakpro.report.html.standing import Standing, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.report.html.grouping import Group
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Cell", "Covered", "Panel", "attackable", "panel_of"]

CONCERNS: tuple[str, ...] = get_args(Concern)
_UNKNOWN = "unnamed"
_MOST_NAMED = 40


@dataclass(frozen=True)
class Cell:
    """One risk by one attacker.

    Attributes
    ----------
    column : str
        The attacker in a few words.
    marks : tuple of (Standing, int)
        What was found, the worst first; empty where nothing was audited.
    attackable : bool
        Whether there is an attack of the kind.
    """

    column: str
    marks: tuple[tuple[Standing, int], ...]
    attackable: bool


@dataclass(frozen=True)
class Covered:
    """What was audited of one target.

    Attributes
    ----------
    name : str
        Of the target.
    audited, missing : tuple of str
        Risks that some attacker tried, and those that there are attacks for and nobody ran.
    weak : bool
        Whether something passed by a weak suite only.
    """

    name: str
    audited: tuple[str, ...]
    missing: tuple[str, ...]
    weak: bool


@dataclass(frozen=True)
class Panel:
    """The second section of the page.

    Attributes
    ----------
    columns : tuple of str
        The attackers in a few words.
    lines : tuple of (str, str, tuple of Cell)
        Per risk its name, what it is, and its cells.
    missing : tuple of str
        Risks that no attacker tried at all.
    weak : tuple of str
        Targets with a PASS by a weak suite only.
    targets : tuple of Covered
        The same target by target.
    """

    columns: tuple[str, ...]
    lines: tuple[tuple[str, str, tuple[Cell, ...]], ...]
    missing: tuple[str, ...]
    weak: tuple[str, ...]
    targets: tuple[Covered, ...]


def panel_of(groups: Sequence[Group], words: Words) -> Panel:
    """Tell what was covered.

    Parameters
    ----------
    groups : sequence of Group
        All of them.
    words : Words
        Of the page's language.
    """
    found: dict[tuple[str, str], Counter[Standing]] = {}
    for group in groups:
        for record in group.records:
            place = (_concern(record), column_of(record))
            found.setdefault(place, Counter())[standing(record)] += 1
    present = {column for _, column in found}
    kinds = {kind_of(column) for column in present}
    columns = [column for kind in COLUMNS if kind in kinds for column in COLUMNS[kind]]
    concerns = [*CONCERNS, *({concern for concern, _ in found} - set(CONCERNS))]
    possible = attackable()
    lines = []
    for concern in concerns:
        cells = tuple(
            Cell(
                short_name(column, words),
                _sorted(found.get((concern, column), Counter())),
                (concern, column) in possible,
            )
            for column in columns
        )
        lines.append((words(f"concern.{concern}"), words(f"concern.{concern}.means"), cells))
    audited = {concern for concern, _ in found}
    targets = _targets(groups, words)
    return Panel(
        tuple(short_name(column, words) for column in columns),
        tuple(lines),
        tuple(words(f"concern.{concern}") for concern in CONCERNS if concern not in audited),
        tuple(entry.name for entry in targets if entry.weak)[:_MOST_NAMED],
        targets,
    )


def _sorted(counts: Counter[Standing]) -> tuple[tuple[Standing, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: pair[0].rank))


def _targets(groups: Sequence[Group], words: Words) -> tuple[Covered, ...]:
    records: dict[str, list[Mapping[str, Any]]] = {}
    for group in groups:
        records.setdefault(group.target, []).extend(group.records)
    return tuple(_covered(target, own, words) for target, own in records.items())


def _covered(target: str, records: Sequence[Mapping[str, Any]], words: Words) -> Covered:
    audited = {_concern(record) for record in records}
    kinds = {kind_of(column_of(record)) for record in records} - {"given", "unknown"}
    possible = {concern for concern, column in attackable() if kind_of(column) in kinds}
    return Covered(
        target,
        tuple(
            words(f"concern.{concern}") for concern in (*CONCERNS, _UNKNOWN) if concern in audited
        ),
        tuple(words(f"concern.{concern}") for concern in CONCERNS if concern in possible - audited),
        any(standing(record).key == "weak" for record in records),
    )


def _concern(record: Mapping[str, Any]) -> str:
    known = metrics().get(metric_name(record).name)
    return _UNKNOWN if known is None else known.concern


@cache
def attackable() -> frozenset[tuple[str, str]]:
    """Give the risks and attackers that this package has an attack for.

    Returns
    -------
    frozenset of (str, str)
        Of a concern and a column of the panel.
    """
    from pytest_leakpro.attacks.registry import builtin_attacks

    defined = metrics()
    places = {
        (defined[metric].concern, column)
        for attack in builtin_attacks().values()
        for metric in attack.metrics
        if metric in defined
        for column in _columns(attack)
    }
    # What another tool found can be anything.
    return frozenset(places | {(concern, "given") for concern in CONCERNS})


def _columns(attack: Attack) -> Iterator[str]:
    kinds = {kind.__name__ for kind in attack.targets}
    if "SyntheticData" in kinds:
        yield "release"
    if "FederatedUpdate" in kinds:
        yield "server"
    if "FederatedRounds" in kinds:
        yield from COLUMNS["federated"]
    if not kinds & {"Classifier", "Regressor", "LanguageModel"}:
        return
    if attack.access is None:
        yield "artefact"
        return
    seen = [name for name in type(attack.access) if name.covers(attack.access)]
    knows = ("+recipe",) if attack.needs_shadow or attack.needs_recipe else ("", "+recipe")
    yield from (f"{name}{ending}" for name in seen for ending in knows)
