"""The answer: the verdict on each target in a few sentences, and what they mean.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.html.attackers import column_of, described
from pytest_leakpro.report.html.frequency import PEOPLE, Frequency, people
from pytest_leakpro.report.html.rows import Row, row_of
from pytest_leakpro.report.html.sentences import metric_name, said_of
from pytest_leakpro.report.html.standing import ORDER, Standing, standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_leakpro.report.html.grouping import Group
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["Answer", "Card", "Said", "answer_of", "card_of"]

_MOST_CARDS = 24
_MOST_SAID = 5
_MOST_ATTACKERS = 6


@dataclass(frozen=True)
class Said:
    """One measurement in a sentence.

    Attributes
    ----------
    row : Row
        Its figures.
    text : str
        The sentence.
    """

    row: Row
    text: str


@dataclass(frozen=True)
class Card:
    """The answer for one target.

    Attributes
    ----------
    anchor : str
        Where its audit stands on the page.
    target, name : str
        Of the target, and of the audit.
    standing : Standing
        The worst that was found.
    verdict : str
        What that is, in a sentence.
    said : tuple of Said
        The worst measurement of each metric.
    more : int
        Measurements that are not among them.
    attackers : tuple of str
        Who would make such attacks, each in a sentence.
    attacks : str
        The names of all attacks that ran.
    people : Frequency or None
        Of 1,000 people, for a drawing; None where the metric does not count people.
    """

    anchor: str
    target: str
    name: str
    standing: Standing
    verdict: str
    said: tuple[Said, ...]
    more: int
    attackers: tuple[str, ...]
    attacks: str
    people: Frequency | None


@dataclass(frozen=True)
class Answer:
    """The first section of the page.

    Attributes
    ----------
    headline : str
        What was decided of everything, in a sentence or two.
    standing : Standing or None
        The worst of all; None where nothing was measured.
    tally : tuple of (Standing, int)
        How many measurements amount to what, the worst first.
    cards : tuple of Card
        The worst targets.
    others : tuple of Group
        Those that there is no room for; in short.
    meanings : tuple of (Standing, str)
        What the marks on this page mean.
    """

    headline: str
    standing: Standing | None
    tally: tuple[tuple[Standing, int], ...]
    cards: tuple[Card, ...]
    others: tuple[Group, ...]
    meanings: tuple[tuple[Standing, str], ...]


def answer_of(groups: Sequence[Group], words: Words) -> Answer:
    """Say what was found, the worst first.

    Parameters
    ----------
    groups : sequence of Group
        Sorted by what they amount to.
    words : Words
        Of the page's language.
    """
    records = [record for group in groups for record in group.records]
    counts = Counter(map(standing, records))
    tally = tuple(sorted(counts.items(), key=lambda pair: pair[0].rank))
    return Answer(
        headline=_headline(records, words),
        standing=tally[0][0] if tally else None,
        tally=tally,
        cards=tuple(card_of(group, words) for group in groups[:_MOST_CARDS]),
        others=tuple(groups[_MOST_CARDS:]),
        meanings=tuple((mark, words(f"meaning.{mark.key}")) for mark, _ in tally),
    )


def _headline(records: Sequence[Mapping[str, Any]], words: Words) -> str:
    """Say in a sentence or two what was decided."""
    if not records:
        return words("headline.nothing")
    keys = Counter(standing(record).key for record in records)
    budgets = sum(record["limit"] is not None for record in records)
    failed = sum(record["verdict"] == "FAIL" for record in records)
    sentences = []
    if failed:
        sentences.append(words.count("headline.fail", failed, of=words.number(budgets)))
    sentences += _counted(keys, ("regression", "error", "undecided"), words)
    if not sentences and budgets:
        sentences.append(words("headline.pass"))
    elif not budgets:
        sentences.append(words("headline.no_budget"))
    sentences += _counted(keys, ("weak", "rerun"), words)
    if budgets:
        sentences += _counted(keys, ("measured",), words)
    return " ".join(sentences)


def _counted(keys: Counter[str], wanted: Sequence[str], words: Words) -> list[str]:
    return [words.count(f"headline.{key}", keys[key]) for key in wanted if keys[key]]


def card_of(group: Group, words: Words) -> Card:
    """Give the answer for one target."""
    chosen: dict[str, Mapping[str, Any]] = {}
    for record in group.records:
        known = chosen.get(record["metric"])
        if known is None or _severity(record) > _severity(known):
            chosen[record["metric"]] = record
    ordered = sorted(
        chosen.values(), key=lambda record: (standing(record).rank, not _of_people(record))
    )
    said = tuple(
        Said(row_of(record, words), said_of(record, words)) for record in ordered[:_MOST_SAID]
    )
    attackers = dict.fromkeys(
        described(record, words) for record in group.records if record["verdict"] != "ERROR"
    )
    attacks = dict.fromkeys(
        name
        for record in group.records
        if column_of(record) != "given"  # there the attack is the name of what was brought
        for name in (record["suite"] or [record["attack"]])
        if name
    )
    return Card(
        anchor=group.anchor,
        target=group.target,
        name=group.name,
        standing=group.standing,
        verdict=words(f"verdict.{group.standing.key}"),
        said=said,
        more=len(group.records) - len(said),
        attackers=tuple(attackers)[:_MOST_ATTACKERS],
        attacks=", ".join(attacks),
        people=_people(ordered),
    )


def _severity(record: Mapping[str, Any]) -> tuple[int, float]:
    """Order the measurements of one metric: by what they amount to, then by the upper bound."""
    figures = [record[key] for key in ("high", "value") if record[key] is not None]
    key = standing(record).key
    # Weak attackers find less: what the others find says more, if all are within the budget.
    rank = ORDER.index("pass" if key == "weak" else key)
    return (len(ORDER) - rank, figures[0] if figures else -1.0)


def _of_people(record: Mapping[str, Any]) -> bool:
    return metric_name(record).name == "tpr"


def _people(records: Sequence[Mapping[str, Any]]) -> Frequency | None:
    """Give what is drawn as a field of people: the worst rate at which members are exposed."""
    for record in records:
        if not _of_people(record) or record["value"] is None:
            continue
        figures = (record["value"], record["low"], record["high"], record["limit"])
        if all(figure is None or 0 <= figure <= 1 for figure in figures):
            return people(*figures, PEOPLE)
    return None
