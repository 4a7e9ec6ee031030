"""Personal data carried over: those of the source that stand in the release.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.synthetic.base_attack import GuessingAttack, UnattackableError
from pytest_leakpro.gate.evidence import SMALLEST_SIDE
from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.stats.words import standing_in
from pytest_leakpro.targets.personal_data import find_personal_data, normal_form
from pytest_leakpro.targets.personal_patterns import PersonalPatterns, patterns_installed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["PersonalDataCarriedOver"]

_COMMON = 10

Held = list[dict[str, set[str]]]
"""Of each record what it holds: of each kind the normal forms."""


@dataclass(frozen=True)
class PersonalDataCarriedOver(GuessingAttack):
    """Look in the release for the personal data that stand in texts of the source.

    A text is attacked if it holds any, and given away if one of them stands in the release,
    however it is punctuated. The same is looked for of the control. What ten or more texts of
    source and control together hold, such as the phone number of the hospital, is nobody's own and
    does not count. Of a table the texts are all columns of free text of a row.

    Parameters
    ----------
    attempts : int, optional
        How many texts with personal data of the source, and of the control, to look for; see
        `GuessingAttack`.

    References
    ----------
    Lukas et al. (2023), Analyzing leakage of personally identifiable information in language
    models, IEEE S&P, section 3.
    """

    name: ClassVar[str] = "personal_data"
    metrics: ClassVar[tuple[str, ...]] = ("pii",)
    rank: ClassVar[int] = 242
    reads_texts: ClassVar[bool] = True
    at_once: ClassVar[bool] = True  # all kinds

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        found = super().mismatch(target) or self.lacks_texts(target)
        if found is None and target.detector is None and not patterns_installed():
            found = "it takes pytest-leakpro[text], or a detector="
        return found

    def columns_of(self, view: ReleaseView) -> tuple[Hashable, ...]:
        """Give the kinds of personal data that there are; see `ReleaseAttack.columns_of`."""
        return tuple(sorted({kind for held in _held(view) for record in held for kind in record}))

    def sizes(self, view: ReleaseView, column: Hashable | None = None) -> tuple[int, int]:
        """Count the records that hold personal data; see `ReleaseAttack.sizes`."""
        source, control = (
            self.n_attempts(side, len(holders))
            for side, holders in zip(("original", "control"), _holders(view, column), strict=True)
        )
        return source, control

    def run(
        self, view: ReleaseView, rng: np.random.Generator, column: Hashable | None = None
    ) -> Guesses:
        """Look for what records of both sides hold, of one kind or any; see `ReleaseAttack.run`."""
        asked: list[list[set[str]]] = []
        for side, held, holders in zip(
            ("original", "control"), _held(view), _holders(view, column), strict=True
        ):
            if len(holders) < SMALLEST_SIDE:
                what = "personal data" if column is None else f"personal data of the kind {column}"
                raise UnattackableError(
                    f"{len(holders)} of {len(held):,} records of {side} hold {what}, and it takes "
                    f"{SMALLEST_SIDE} to say anything"
                )
            size = self.n_attempts(side, len(holders))
            drawn = rng.choice(holders, size=size, replace=False)
            asked.append([_of_kind(held[place], column) for place in drawn])
        found = standing_in(
            _released(view), set().union(*(forms for side in asked for forms in side))
        )
        main, control = (
            (sum(not found.isdisjoint(forms) for forms in side), len(side)) for side in asked
        )
        # Nobody guesses an address: there is no guess without the release to compare with.
        return Guesses(main=main, control=control, name=self.name)


def _holders(view: ReleaseView, kind: Hashable | None) -> list[NDArray[np.intp]]:
    """Give the places of the records of source and control that hold personal data."""
    return [
        np.array(
            [place for place, record in enumerate(held) if _of_kind(record, kind)], dtype=np.intp
        )
        for held in _held(view)
    ]


def _of_kind(record: dict[str, set[str]], kind: Hashable | None) -> set[str]:
    return set().union(*record.values()) if kind is None else record.get(str(kind), set())


def _held(view: ReleaseView) -> tuple[Held, Held]:
    """Find what records of source and control hold of their own, once."""
    if "personal data" not in view.kept:
        detector = view.detector or PersonalPatterns()
        sides = [
            [_of_record(texts, detector) for texts in _texts(view.whole(side), view)]
            for side in ("members", "nonmembers")
        ]
        # Counted over both sides, so that nothing depends on who is in the source.
        holders = Counter(
            form for held in sides for record in held for form in set().union(*record.values())
        )
        common = {form for form, n in holders.items() if n >= _COMMON}
        view.kept["personal data"] = tuple(
            [_without(record, common) for record in held] for held in sides
        )
    found: tuple[Held, Held] = view.kept["personal data"]
    return found


def _of_record(texts: list[str], detector: Callable[[str], Any]) -> dict[str, set[str]]:
    record: dict[str, set[str]] = {}
    for text, spans in zip(texts, find_personal_data(texts, detector), strict=True):
        for span in spans:
            form = normal_form(text, span)
            if form:
                record.setdefault(span.kind, set()).add(form)
    return record


def _without(record: dict[str, set[str]], common: set[str]) -> dict[str, set[str]]:
    return {kind: own for kind, forms in record.items() if (own := forms - common)}


def _texts(frame: Any, view: ReleaseView) -> Iterator[list[str]]:
    """Give the texts of each row."""
    for row in frame[list(view.roles.texts)].itertuples(index=False):
        yield [cell for cell in row if isinstance(cell, str)]


def _released(view: ReleaseView) -> Iterator[str]:
    for texts in _texts(view.released, view):
        yield from texts
