"""The appendix: what it takes to judge the figures, and to measure them again.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import inspect
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.html.attackers import column_of, described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.report.html.grouping import Group
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Appendix", "Attacked", "Measured", "Way", "appendix_of"]

_REFERENCES = re.compile(r"References\n-+\n(.*?)(?:\n\n\S|\Z)", re.DOTALL)
_SIZES = {
    "members",
    "nonmembers",
    "attempts",
    "control_attempts",
    "counted",
    "control_counted",
    "included",
    "excluded",
    "batches",
    "canaries",
}
_MOST_VERSIONS = 5


@dataclass(frozen=True)
class Attacked:
    """An attack that ran.

    Attributes
    ----------
    name : str
        How it is asked for.
    does : str
        What it does, in English; empty for attacks of other packages.
    papers : str
        Where it was published.
    """

    name: str
    does: str
    papers: str


@dataclass(frozen=True)
class Way:
    """How some metrics of one audit were measured alike.

    Attributes
    ----------
    metrics : str
        Which.
    strength, attack, others, sizes : str
        The attacker, the attack that decided, the others that ran, and on how many.
    """

    metrics: str
    strength: str
    attack: str
    others: str
    sizes: str


@dataclass(frozen=True)
class Measured:
    """How one audit was measured.

    Attributes
    ----------
    anchor, target, name : str
        Which.
    ways : tuple of Way
        By which attacks, on how many.
    lines : tuple of (str, str)
        What holds for all of it: labels and texts.
    command : str
        That measures it again.
    """

    anchor: str
    target: str
    name: str
    ways: tuple[Way, ...]
    lines: tuple[tuple[str, str], ...]
    command: str


@dataclass(frozen=True)
class Appendix:
    """The last section of the page.

    Attributes
    ----------
    attackers : tuple of str
        Who was taken for an attacker.
    assumptions : tuple of (str, str)
        Of which evidence which bounds rest on what.
    measured : tuple of Measured
        How each audit was measured.
    attacks : tuple of Attacked
        Which ran.
    versions : tuple of str
        Of the libraries; several where runs had different ones.
    commits : tuple of str
        Of the code that was audited.
    """

    attackers: tuple[str, ...]
    assumptions: tuple[tuple[str, str], ...]
    measured: tuple[Measured, ...]
    attacks: tuple[Attacked, ...]
    versions: tuple[str, ...]
    commits: tuple[str, ...]


def appendix_of(groups: Sequence[Group], words: Words) -> Appendix:
    """Gather what stands in the appendix."""
    records = [record for group in groups for record in group.records]
    attackers: dict[str, str] = {}
    for record in records:
        if record["verdict"] != "ERROR":
            attackers.setdefault(column_of(record), described(record, words))
    return Appendix(
        tuple(dict.fromkeys(attackers.values())),
        tuple(dict.fromkeys(_assumptions(records, words))),
        tuple(_measured(group, words) for group in groups),
        tuple(_attacks(records)),
        _distinct(_versions(record) for record in records)[:_MOST_VERSIONS],
        _distinct(_commit(record, words) for record in records)[:_MOST_VERSIONS],
    )


def _distinct(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _assumptions(records: Sequence[Mapping[str, Any]], words: Words) -> Iterator[tuple[str, str]]:
    for record in records:
        evidence = record["evidence"]
        if evidence is None:
            continue
        kind = evidence["kind"]
        census = kind == "reconstructions" and record["census"]
        key = f"assumes.{kind}_whole" if census else f"assumes.{kind}"
        if key in words:
            yield words(f"{key}.of"), words(key)


def _measured(group: Group, words: Words) -> Measured:
    ways: dict[tuple[str, str, str, str], list[str]] = {}
    for record in group.records:
        metrics = ways.setdefault(_way(record, words), [])
        if record["metric"] not in metrics:
            metrics.append(record["metric"])
    first = group.records[0]
    lines = [
        (words("measured.settings"), _settings(first["configuration"], words)),
        (words("measured.seed"), f"{first['seed']}, alpha {first['alpha']:g}"),
        (words("measured.took"), f"{first['seconds']:.1f} s"),
        (words("measured.device"), first.get("device") or ""),
        (words("measured.budget"), ", ".join(_sources(group))),
    ]
    command = f"pytest --leakpro --leakpro-seed={first['seed']} {shlex.quote(group.test)}"
    return Measured(
        group.anchor,
        group.target,
        group.name,
        tuple(Way(", ".join(metrics), *way) for way, metrics in ways.items()),
        tuple(line for line in lines if line[1]),
        printable(command),
    )


def _way(record: Mapping[str, Any], words: Words) -> tuple[str, str, str, str]:
    others = [name for name in record["suite"] if name != record["attack"]]
    return (record["strength"], record["attack"], ", ".join(others), _sizes(record, words))


def _sources(group: Group) -> list[str]:
    found = (record["source"] for record in group.records if record["limit"] is not None)
    return list(dict.fromkeys(filter(None, found)))


def _sizes(record: Mapping[str, Any], words: Words) -> str:
    said = [
        words.count(f"size.{name}", number)
        if name in _SIZES
        else f"{words.number(number)} {name.replace('_', ' ')}"
        for name, number in record["sizes"].items()
        if number
    ]
    return ", ".join(said)


def _settings(configuration: Mapping[str, Any], words: Words) -> str:
    asked = configuration.get("attacks")
    if isinstance(asked, list):
        attacks = ", ".join(_attack_said(entry) for entry in asked)
    else:
        attacks = words("measured.settings.all" if asked == "all" else "measured.settings.usual")
    number = configuration.get("shadow_models")
    trained = words(
        "measured.settings.none" if number is None else "measured.settings.shadow", n=number
    )
    return f"{attacks}; {trained}"


def _attack_said(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    options = [f"{name}={value}" for name, value in entry.items() if name != "name"]
    name = str(entry.get("name", ""))
    return f"{name}({', '.join(options)})" if options else name


def _versions(record: Mapping[str, Any]) -> str:
    libraries = record.get("libraries") or {}
    return ", ".join(f"{name} {version}" for name, version in libraries.items())


def _commit(record: Mapping[str, Any], words: Words) -> str:
    commit = record.get("commit")
    if not commit:
        return ""
    name = commit["id"][:12]
    return words("measured.commit.dirty", commit=name) if commit["dirty"] else name


def _attacks(records: Sequence[Mapping[str, Any]]) -> Iterator[Attacked]:
    from pytest_leakpro.attacks.registry import builtin_attacks

    known = builtin_attacks()
    names = dict.fromkeys(
        name for record in records for name in (*record["suite"], record["attack"]) if name
    )
    for name in names:
        attack = known.get(name)
        yield Attacked(name, "", "") if attack is None else _told(attack)


def _told(attack: Attack) -> Attacked:
    """Read off an attack's docstring what it does, and where it was published."""
    text = inspect.getdoc(type(attack)) or ""
    papers = _REFERENCES.search(text)
    said = "" if papers is None else " ".join(papers[1].split())
    does = " ".join(text.partition("\n\n")[0].split())
    return Attacked(attack.name, does.replace("``", ""), said.replace("``", ""))
