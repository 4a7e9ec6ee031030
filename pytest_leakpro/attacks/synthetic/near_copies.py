"""Near copies: texts of the source of which a long run of words stands in the release.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.synthetic.base_attack import GuessingAttack, UnattackableError
from pytest_leakpro.attacks.synthetic.copied_runs import copied_runs
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import SMALLEST_SIDE
from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.gate.metrics.near_copies import FEWEST_WORDS, USUAL_WORDS, copied_run
from pytest_leakpro.targets.text_tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["NearCopies"]


@dataclass(frozen=True)
class NearCopies(GuessingAttack):
    """Find texts of which the release holds a long run of words, word by word.

    Capitals, punctuation and line breaks do not count. The same is looked for of the control: so
    often do texts share as much by chance, such as a standard phrase.

    Parameters
    ----------
    attempts : int, optional
        How many texts of the source, and of the control, to look for; see `GuessingAttack`.
    words : int
        How many words in a row count as a copy, at least 8; of a text of less than twice as many
        words half of it does, but not fewer than 8 words, or the whole text. A budget that says
        how many goes before.

    References
    ----------
    Carlini et al. (2023), Quantifying memorization across neural language models, ICLR; Lee et al.
    (2022), Deduplicating training data makes language models better, ACL, section 4.1.
    """

    name: ClassVar[str] = "near_copies"
    metrics: ClassVar[tuple[str, ...]] = ("near_copies",)
    rank: ClassVar[int] = 241
    reads_texts: ClassVar[bool] = True
    words: int = USUAL_WORDS

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = not isinstance(self.words, int) or isinstance(self.words, bool)
        if wrong or self.words < FEWEST_WORDS:
            raise LeakproError(f"words of the attack 'near_copies': give at least {FEWEST_WORDS}")

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        return super().mismatch(target) or self.lacks_texts(target)

    def columns_of(self, view: ReleaseView) -> tuple[Hashable, ...]:
        """Give the columns of free text; see `ReleaseAttack.columns_of`."""
        return () if view.is_text else view.roles.texts

    def part_of(self, metric: MetricName) -> str | None:
        """Give the column that a metric names; see `ReleaseAttack.part_of`."""
        return copied_run(metric).column

    def set_for(self, metric: MetricName) -> NearCopies:
        """Take the number of words of a metric that states one; see `ReleaseAttack.set_for`."""
        words = copied_run(metric).words
        return self if words == USUAL_WORDS else replace(self, words=words)

    def run(
        self, view: ReleaseView, rng: np.random.Generator, column: Hashable | None = None
    ) -> Guesses:
        """Look for texts of the source, and of the control; see `ReleaseAttack.run`."""
        sides = copied_runs(view, TEXT if column is None else column)
        counts = []
        for side, rows in zip(sides, self.attacked(view, rng), strict=True):
            there = rows[side.lengths[rows] > 0]
            if len(there) < SMALLEST_SIDE:
                raise UnattackableError(
                    f"there are {len(there)} texts to look for, and it takes {SMALLEST_SIDE}"
                )
            counts.append((int(side.copied(self.words)[there].sum()), len(there)))
        # What copies a text saw it, so that no guess without the release is worth comparing with.
        return Guesses(main=counts[0], control=counts[1], name=self.name)
