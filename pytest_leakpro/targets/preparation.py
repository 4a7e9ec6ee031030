"""From the records as given to those that are scored: overlap, population, sampling.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.overlap import Identities
from pytest_leakpro.targets.records import MINIMUM, Records

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Preparation"]

_TOLERATED = 0.01


@dataclass(repr=False, eq=False)
class Preparation:
    """The three sides on their way to the attacks, and what happened to them.

    Attributes
    ----------
    members, nonmembers : Records
        The sides that are counted.
    population : Records or None
        Records that attacks may be fitted on.
    notes : list of str
        What was done, for the user.
    warnings : list of str
        Those of the notes that are worth a warning.
    blocks_pass : list of str
        Why no verdict may be a PASS.
    unsampled : tuple of Records or None
        The counted sides before they were sampled: what shadow models are trained on.
    names : tuple of str
        What the user knows the counted sides as.
    """

    members: Records
    nonmembers: Records
    population: Records | None
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    blocks_pass: list[str] = field(default_factory=list)
    unsampled: tuple[Records, Records] | None = None
    names: tuple[str, str] = ("members", "non-members")

    def __repr__(self) -> str:
        return f"Preparation({self.members}, {self.nonmembers}, {self.population})"

    def separate(self, *, allow_overlap: bool) -> None:
        """Take out the units that stand on more than one side.

        Raises
        ------
        LeakproError
            If members and non-members share more than 1 % of the smaller side and `allow_overlap`
            is False, or too little of the population is left.
        """
        sides = [self.members, self.nonmembers]
        identities = Identities([*sides, self.population] if self.population else sides)
        both = [
            identities.also_in("members", "nonmembers"),
            identities.also_in("nonmembers", "members"),
        ]
        if self.population is not None:
            # Against the sides as given: a unit dropped from both is no independent one either.
            known = identities.also_in("population", "members", "nonmembers")
            self.population = self._without(self.population, known)
        n_shared = max(int(mask.sum()) for mask in both)
        if not n_shared:
            return
        noun = self.members.units.noun
        smaller = min(map(len, both))
        text = (
            f"{int(both[0].sum()):,} of {len(both[0]):,} {self.names[0]} and "
            f"{int(both[1].sum()):,} of {len(both[1]):,} {self.names[1]} ({noun}) stand on both "
            "sides"
        )
        if n_shared <= _TOLERATED * smaller:
            self.members = self.members.keep(~both[0])
            self.nonmembers = self.nonmembers.keep(~both[1])
            note = f"{text}: dropped from both"
            self.notes.append(note)
            self.warnings.append(f"{note}; fix the split to be rid of this warning")
        elif allow_overlap:
            self.notes.append(f"{text}: kept (allow_overlap=True)")
            self.blocks_pass.append(f"{text} (allow_overlap=True), which weakens every attack")
        else:
            raise LeakproError(_too_much(text, both, noun, self.names))

    def _without(self, population: Records, known: NDArray[np.bool_]) -> Records:
        n_known, n_given, noun = int(known.sum()), len(known), population.units.noun
        if n_known:
            text = f"{n_known:,} of {n_given:,} {noun} of the population are members or non-members"
            if n_given - n_known < MINIMUM:
                raise LeakproError(
                    f"population: {text}, which leaves {n_given - n_known:,}: give at least "
                    f"{MINIMUM} that stand on neither side, or leave population= out"
                )
            self.notes.append(f"{text}: dropped from it")
        return population.keep(~known)

    def set_aside(self, share: float, seed: int) -> None:
        """Make a seeded share of the non-members the population, where there is none.

        Raises
        ------
        LeakproError
            If the share is not between 0 and 1, or leaves too few units on either side of the cut.
        """
        if not 0 < share < 1:
            raise LeakproError(
                f"population_share={share!r}: give a share above 0 and below 1, such as 0.3"
            )
        if self.population is not None:
            return
        n = len(self.nonmembers.units)
        n_aside = round(share * n)
        if min(n_aside, n - n_aside) < MINIMUM:
            raise LeakproError(
                f"{self.names[1]}: {100 * share:.3g} % of {n:,} cannot be set aside as "
                f"population: it takes at least {MINIMUM} {self.nonmembers.units.noun} on either "
                f"side; give more {self.names[1]}, or a population="
            )
        aside = _draw(n, n_aside, seed, "population-share")
        self.population = replace(self.nonmembers.keep(aside), side="population")
        self.nonmembers = self.nonmembers.keep(~aside)
        self.notes.append(
            f"{100 * share:.3g} % of the {self.names[1]} ({n_aside:,}) set aside as population "
            "for the attacks that need one, not counted"
        )

    def sample(self, audit_size: int, seed: int) -> None:
        """Draw at most `audit_size` units of each counted side."""
        self.unsampled = (self.members, self.nonmembers)
        for side in ("members", "nonmembers"):
            records: Records = getattr(self, side)
            n = len(records.units)
            if n > audit_size:
                drawn = _draw(n, audit_size, seed, "audit-size", side)
                setattr(self, side, records.keep(drawn))
                name = side.replace("nonm", "non-m")
                self.notes.append(
                    f"{audit_size:,} of {n:,} {name} ({records.units.noun}) drawn for scoring "
                    "(audit_size)"
                )


def _draw(n: int, size: int, seed: int, *names: str) -> NDArray[np.bool_]:
    mask = np.zeros(n, dtype=bool)
    mask[derive_rng(seed, *names).choice(n, size=size, replace=False)] = True
    return mask


def _too_much(text: str, both: list[NDArray[np.bool_]], noun: str, names: tuple[str, str]) -> str:
    if all(mask.all() for mask in both):
        start = f"{names[0]} and {names[1]} are the very same set of {noun}: "
        advice = f"pass records that were not trained on as {names[1]}"
    else:
        start = ""
        advice = f"fix the split so that no {noun.removesuffix('s')} stands on both sides"
    return (
        f"{start}{text}: who was a member cannot be told of them, which hides leakage; {advice}, "
        "or pass allow_overlap=True to measure all the same (no verdict will be a PASS)"
    )
