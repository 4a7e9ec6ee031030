"""What attacks have in common that guess a secret column of records from a model's answers.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.attempts import MOST_ATTEMPTS, check_attempts, number_of_attempts
from pytest_leakpro.attacks.attribute.answers import Answers, ask, best, joined, picked
from pytest_leakpro.attacks.attribute.candidates import Candidates
from pytest_leakpro.attacks.attribute.imputation import (
    Imputation,
    imputation_of,
    taught_records,
)
from pytest_leakpro.attacks.attribute.secret_parts import secret_parts
from pytest_leakpro.attacks.content_attack import ContentAttack, Found, silent
from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.gate.metric_name import MetricName
from pytest_leakpro.gate.wording import quoted
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.secret_columns import column_place

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["AttributeAttack", "Secret"]

_SIDES = ("members", "nonmembers")
_TOLD = 0.95
_FAR = 1e9


@dataclass(frozen=True, repr=False, eq=False)
class Secret:
    """One column of some records that is to be guessed, and all that the attacker has for it.

    Attributes
    ----------
    view : MembershipView
        The model.
    candidates : Candidates
        The values to guess among.
    attacked : Records
        n records with their labels; their secret is blotted out.
    known : Records
        The population, as far as attacks learn from it.
    imputation : Imputation
        What the population teaches.
    say : callable
        ``say(text)``, for those who wait.
    """

    view: MembershipView
    candidates: Candidates
    attacked: Records
    known: Records
    imputation: Imputation
    say: Callable[[str], None]

    @cached_property
    def answers(self) -> Answers:
        """What the model says of the attacked records with each candidate; asked once."""
        return ask(self.view, self.candidates, self.attacked, self.say)

    @cached_property
    def imputed(self) -> NDArray[np.float64]:
        """Chances of the candidates by all else of the attacked records, shape (n, k), above 0.

        Kept for other attacks, which are on the same records.
        """
        key = f"imputed column {self.candidates.place} of {len(self.attacked)} records"
        if key not in self.view.kept:
            self.view.kept[key] = self.imputation.chances(self.attacked)
        found: NDArray[np.float64] = self.view.kept[key]
        return found


@dataclass(frozen=True)
class AttributeAttack(ContentAttack):
    """Guess a secret of members and of non-members, whose other columns and label are known.

    A subclass writes `score`. Of a person with several records one is attacked, drawn.

    Parameters
    ----------
    attempts : int, optional
        How many members, and as many non-members, to attack, at least 10; by default all, at most
        5,000 of each side.
    """

    metrics: ClassVar[tuple[str, ...]] = ("attribute_inference",)
    # Also where the attack has no need of it: values to try must not come from who is attacked,
    # and what an imputation reaches without the model is learned there.
    needs_population: ClassVar[bool] = True

    attempts: int | None = None

    def __post_init__(self) -> None:
        check_attempts(self.attempts, self.name)

    def parts_of(self, view: MembershipView, metric: MetricName) -> tuple[Hashable | None, ...]:
        """Give the secret columns; see `ContentAttack.parts_of`."""
        parts = secret_parts(view, metric)
        for part in parts:
            self._candidates(view, part)
        return parts

    def sizes(self, view: MembershipView, part: Hashable | None = None) -> tuple[int, int]:
        """Give the attempts on both sides; see `ContentAttack.sizes`."""
        del part
        most = self.attempts or MOST_ATTEMPTS
        return min(view.n_members, most), min(view.n_nonmembers, most)

    @abstractmethod
    def score(self, secret: Secret) -> NDArray[np.float64]:
        """Score the candidates for each of the attacked records.

        Parameters
        ----------
        secret : Secret
            What the attacker has.

        Returns
        -------
        ndarray of shape (n, k)
            The highest is guessed, of several one at random; minus infinity for what is ruled out,
            but never for all. Nothing may depend on who is a member.
        """

    def find(
        self,
        view: MembershipView,
        rng: np.random.Generator,
        part: Hashable | None = None,
        say: Callable[[str], None] = silent,
    ) -> Found:
        """Guess a column, the only secret one if none is given; see `ContentAttack.find`."""
        if part is None:
            part = self.parts_of(view, MetricName("attribute_inference"))[0]
            assert part is not None
        candidates = self._candidates(view, part)
        places = [self._attacked(view, side) for side in _SIDES]
        sides = [picked(view.records(side), at) for side, at in zip(_SIDES, places, strict=True)]
        attacked = joined(sides)
        truth = candidates.codes_of(attacked.inputs)
        known = taught_records(view)
        secret = Secret(
            view,
            candidates,
            replace(attacked, inputs=candidates.put(attacked.inputs, 0)),
            known,
            imputation_of(candidates, known),
            say,
        )
        scores = self.score(secret)
        right = best(scores, rng) == truth
        n = len(sides[0])
        imputed = best(secret.imputed[:n], rng) == truth[:n]
        evidence = Guesses(
            main=(int(right[:n].sum()), n),
            control=(int(right[n:].sum()), len(right) - n),
            naive=(int(imputed.sum()), n),
            name=self.name,
        )
        depends = float(secret.answers.differ.mean())
        return Found(
            evidence,
            _notes(secret, evidence, depends),
            {"values": len(candidates), "answers_depend": depends},
            (self._who(view, places[0]), _margins(scores[:n], truth[:n])),
        )

    def _candidates(self, view: MembershipView, part: Hashable) -> Candidates:
        known = view.records("population").inputs
        place = column_place(known, part, "attribute_inference")
        key = f"values of column {place}"
        if key not in view.kept:
            view.kept[key] = Candidates.of(known, place)
        found: Candidates = view.kept[key]
        return found

    def _attacked(self, view: MembershipView, side: str) -> NDArray[np.intp]:
        """Draw the records to attack, one of each unit; the same for all attacks on a view."""
        rng = derive_rng(view.seed, "records whose secrets are guessed", side)
        codes = view.unit_codes(side)
        shuffled = rng.permutation(len(codes))
        _, first = np.unique(codes[shuffled], return_index=True)
        noun = view.records(side).units.noun
        n = number_of_attempts(self.attempts, len(first), self.name, f"the {side} side", noun)
        return np.sort(shuffled[rng.permutation(first)[:n]])

    @staticmethod
    def _who(view: MembershipView, places: NDArray[np.intp]) -> NDArray[Any]:
        ids: NDArray[Any] = view.member_ids()[view.unit_codes("members")[places]]
        return ids


def _margins(scores: NDArray[np.float64], truth: NDArray[np.intp]) -> NDArray[np.float64]:
    """Tell how clearly the truth stands out, shape (n,); below 0 where it does not."""
    rows = np.arange(len(truth))
    others = scores.copy()
    others[rows, truth] = -np.inf
    margins = np.clip(scores[rows, truth] - others.max(axis=1), -_FAR, _FAR)
    return np.where(truth >= 0, margins, -_FAR)


def _notes(secret: Secret, evidence: Guesses, depends: float) -> tuple[str, ...]:
    """Give what is worth knowing of the column; once, however many attacks there are."""
    candidates, notes = secret.candidates, []
    column = quoted(candidates.column)
    if depends == 0:
        notes.append(f"the model's answers do not depend on {column}")
    if candidates.n_left_out:
        notes.append(
            f"{column} is guessed among its {len(candidates)} commonest values, "
            f"{candidates.n_left_out} rarer ones are never guessed"
        )
    most = float(secret.imputation.shares().max())
    naive = evidence.naive_rate or 0.0
    if most >= _TOLD:
        notes.append(
            f"one value of {column} is so common that to guess it always is right {most:.0%} of "
            "the time: what leaks is measured on the few others"
        )
    elif naive >= _TOLD:
        notes.append(
            f"{column} is guessed right {naive:.0%} of the time without the model: another column, "
            "or the label, says nearly the same, and little is left to leak"
        )
    said: set[str] = secret.view.kept.setdefault("said of secrets", set())
    fresh = tuple(note for note in notes if note not in said)
    said.update(fresh)
    return fresh
