"""What attacks have in common that rebuild training records from a finished model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.content_attack import ContentAttack, Found, silent
from pytest_leakpro.attacks.reconstruction.nearness import Attempts, judge, side_by_side
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["DEFAULT_ATTEMPTS", "ReconstructionAttack"]

# So many without a success are within 1 %.
DEFAULT_ATTEMPTS = 400


@dataclass(frozen=True)
class ReconstructionAttack(ContentAttack):
    """An attack that rebuilds records, which are then compared with those of both sides.

    A subclass writes `rebuild`, which sees nothing of the truth but what it says it does.

    Parameters
    ----------
    attempts : int, optional
        How many records to rebuild, at least 10; by default 400, or as many as there are.
    """

    metrics: ClassVar[tuple[str, ...]] = ("reconstruction",)

    attempts: int | None = None

    def __post_init__(self) -> None:
        wrong = not isinstance(self.attempts, (int, np.integer)) or isinstance(self.attempts, bool)
        if self.attempts is not None and (wrong or self.attempts < 10):
            raise LeakproError(
                f"attempts of the attack {self.name!r}: give a whole number of at least 10"
            )

    def n_attempts(self, view: MembershipView) -> int:
        """Give how many records are rebuilt; see `sizes`."""
        del view
        return self.attempts or DEFAULT_ATTEMPTS

    def sizes(self, view: MembershipView, part: Hashable | None = None) -> tuple[int, int]:
        """Give the number of attempts, and 0; see `ContentAttack.sizes`."""
        del part
        return self.n_attempts(view), 0

    @abstractmethod
    def rebuild(
        self, view: MembershipView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Attempts:
        """Rebuild as many records as `n_attempts` says.

        Parameters
        ----------
        view : MembershipView
            What the attacker sees and knows.
        rng : numpy.random.Generator
            For whatever is drawn.
        say : callable
            ``say(text)``, for those who wait.

        Returns
        -------
        Attempts
        """

    def find(
        self,
        view: MembershipView,
        rng: np.random.Generator,
        part: Hashable | None = None,  # noqa: ARG002 - there is but the whole
        say: Callable[[str], None] = silent,
    ) -> Found:
        """Rebuild records and judge how near they are; see `ContentAttack.find`."""
        attempts = self.rebuild(view, rng, say)
        evidence = judge(view, attempts, rng, self.name)
        return Found(evidence, attempts.notes, pictures=side_by_side(view, attempts, evidence))
