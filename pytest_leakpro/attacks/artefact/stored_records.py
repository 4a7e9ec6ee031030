"""Training records that stand in the fitted object itself.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.artefact.identifiers import read_identifiers, search_identifiers
from pytest_leakpro.attacks.artefact.record_forms import record_forms
from pytest_leakpro.attacks.artefact.record_search import search_records
from pytest_leakpro.attacks.content_attack import ContentAttack, Found, silent
from pytest_leakpro.gate.counts import Counts
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.artefact_walk import read_artefact

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.artefact.record_search import Hit
    from pytest_leakpro.targets.artefact_walk import Artefact
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["StoredRecords"]

_MOST_PLACES = 5


@dataclass(frozen=True)
class StoredRecords(ContentAttack):
    """A census of the members whose record, or a name or id of theirs, the model holds.

    Every array of the fitted object is looked through, wherever it stands: attributes, closures,
    trees, boosters, weights and buffers. A record is looked for as it is, as each step of a
    pipeline and each fitted transformer makes it, and on the scales that are usual. It counts where
    it is too distinctive to stand there by chance, or in a table of which every row is such a
    record. Names and ids are looked for in vocabularies and lists. Nothing is unpickled, and
    nothing of a record is shown but where it stands.

    References
    ----------
    European Data Protection Board (2024), Opinion 28/2024, section 3.2.2: personal data that can be
    obtained from a model directly. Song, Ristenpart and Shmatikov (2017), Machine learning models
    that remember too much, CCS, section 4: records in the bits of a model's parameters.
    """

    name: ClassVar[str] = "stored_records"
    metrics: ClassVar[tuple[str, ...]] = ("stored_records",)
    access: ClassVar[None] = None
    rank: ClassVar[int] = 400

    def sizes(self, view: MembershipView, part: Hashable | None = None) -> tuple[int, int]:
        """Give both sides before sampling, all of which is searched for."""
        del part
        members, others = view.pool
        return len(members.units), len(others.units)

    def find(
        self,
        view: MembershipView,
        rng: np.random.Generator,
        part: Hashable | None = None,  # noqa: ARG002 - there is but the whole
        say: Callable[[str], None] = silent,
    ) -> Found:
        """Look for the records of both sides; see `ContentAttack.find`."""
        artefact = read_artefact(view.artefact)
        if not artefact.leaves:
            closed = ", ".join(sorted(artefact.closed)[:3])
            raise LeakproError(
                "stored_records: the model holds nothing that can be looked at"
                + (f" ({closed} cannot be looked into)" if closed else "")
                + ": give the fitted object itself, not a function that asks it elsewhere"
            )
        sides = view.pool
        inputs = [records.inputs for records in sides]
        known = read_identifiers(*sides)
        numbers = [leaf for leaf in artefact.leaves if not leaf.is_text]
        # Arrays may hold anything, and memory that is read as numbers does.
        with np.errstate(all="ignore"):
            forms = record_forms(inputs, artefact, known.words)
            hits = search_records(forms, numbers, rng, say)
            hits += search_identifiers(known, artefact.leaves)
        return self._told(sides, hits, artefact, known.words)

    def _told(
        self,
        sides: Sequence[Records],
        hits: Sequence[Hit],
        artefact: Artefact,
        hidden: Container[str],
    ) -> Found:
        members, others = sides
        n = len(members) + len(others)
        everywhere = np.zeros(n, dtype=bool)
        at: dict[tuple[str, str], NDArray[np.bool_]] = defaultdict(lambda: np.zeros(n, dtype=bool))
        for hit in hits:
            everywhere |= hit.found
            at[hit.place.text(hidden), hit.form] |= hit.found
        people = [
            np.unique(records.units.codes[part])
            for records, part in (
                (members, everywhere[: len(members)]),
                (others, everywhere[len(members) :]),
            )
        ]
        counts = {
            key: len(np.unique(members.units.codes[found[: len(members)]]))
            for key, found in at.items()
        }
        places = sorted((key for key in counts if counts[key]), key=lambda key: -counts[key])
        notes = [
            f"{counts[key]:,} of {len(members.units):,} members ({members.units.noun}) stand in "
            f"{key[0]}{f' ({key[1]})' if key[1] else ''}"
            for key in places[:_MOST_PLACES]
        ]
        if len(places) > _MOST_PLACES:
            notes.append(f"{len(places) - _MOST_PLACES:,} more places stand in the record")
        notes += _unseen(artefact)
        return Found(
            Counts(len(people[0]), len(members.units), len(people[1]), len(others.units)),
            tuple(notes),
            {
                "places": [
                    {"place": key[0], "form": key[1], "members": counts[key]} for key in places
                ],
                "arrays": len(artefact.leaves),
            },
            (members.units.ids[people[0]], np.ones(len(people[0]))),
        )


def _unseen(artefact: Artefact) -> list[str]:
    """Say what could not be looked into: a census speaks of what was seen."""
    notes = []
    if artefact.closed:
        kinds = ", ".join(sorted(artefact.closed)[:3])
        notes.append(f"not looked into, since compiled code keeps it: {kinds}")
    if artefact.functions:
        notes.append("global variables that functions of the model refer to were not looked at")
    if artefact.cut:
        notes.append("the model holds too many objects to look at all of them")
    return notes
