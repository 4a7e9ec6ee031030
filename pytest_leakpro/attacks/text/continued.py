"""What attacks have in common that let a language model finish texts of both sides.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.attempts import check_attempts, number_of_attempts
from pytest_leakpro.attacks.content_attack import ContentAttack, Found
from pytest_leakpro.attacks.text.writing import cannot_write
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import SMALLEST_SIDE
from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.text_view import TextView

__all__ = ["SIDES", "ContinuedAttack"]

SIDES = ("members", "nonmembers")


@dataclass(frozen=True)
class ContinuedAttack(ContentAttack):
    """An attack that gives a model the beginnings of texts, and looks at what comes.

    Parameters
    ----------
    attempts : int, optional
        How many texts of each side to try, at least 10; by default all that can be tried, at most
        5,000.
    """

    targets: ClassVar[tuple[type, ...]] = (LanguageModel,)
    access: ClassVar[Access] = Access.SCORES
    needs_also: ClassVar[str] = "a model that continues texts"

    attempts: int | None = None

    def __post_init__(self) -> None:
        check_attempts(self.attempts, self.name)

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        return super().mismatch(target) or cannot_write(target.adapter)

    @abstractmethod
    def fitting(
        self, view: TextView, part: Hashable | None
    ) -> tuple[dict[str, NDArray[np.intp]], str]:
        """Say which texts can be tried.

        Parameters
        ----------
        view : TextView
            The texts.
        part : hashable or None
            One of `parts_of`.

        Returns
        -------
        places : dict
            Of each side the positions of the texts.
        why : str
            What is true of these, for the error where they are too few.
        """

    def sizes(self, view: Any, part: Hashable | None = None) -> tuple[int, int]:
        """Count the units (texts, or persons with groups) that are tried, of both sides.

        Raises
        ------
        LeakproError
            Where fewer than 10 of a side can be.
        """
        fits, why = self.fitting(view, part)
        main, control = (self._n_tried(view, side, fits[side], why) for side in SIDES)
        return main, control

    def _n_tried(self, view: TextView, side: str, fit: NDArray[np.intp], why: str) -> int:
        codes = view.unit_codes(side)
        n_units = len(np.unique(codes[fit]))
        if n_units < SMALLEST_SIDE:
            raise LeakproError(
                f"{side}: {len(fit):,} of {len(codes):,} texts {why}, and it takes "
                f"{SMALLEST_SIDE} to say anything"
            )
        return number_of_attempts(self.attempts, n_units, self.name, side, "texts")

    def drawn(
        self, view: TextView, part: Hashable | None, rng: np.random.Generator
    ) -> dict[str, NDArray[np.intp]]:
        """Draw units that can be tried; parameters as for `fitting`, raises as `sizes`.

        Returns
        -------
        dict
            Of each side the positions of all texts that fit, of the units that were drawn.
        """
        fits, why = self.fitting(view, part)
        tried = {}
        for side in SIDES:
            codes = view.unit_codes(side)[fits[side]]
            size = self._n_tried(view, side, fits[side], why)
            chosen = rng.choice(np.unique(codes), size=size, replace=False)
            tried[side] = fits[side][np.isin(codes, chosen)]
        return tried

    def judged(
        self,
        view: TextView,
        tried: dict[str, NDArray[np.intp]],
        score: Callable[[str, NDArray[np.intp]], NDArray[np.float64]],
        notes: tuple[str, ...],
    ) -> Found:
        """Count the units of each side of which a text came out.

        Parameters
        ----------
        view : TextView
            The texts.
        tried : dict
            Of each side the positions of the texts that are tried.
        score : callable
            ``score(side, positions)`` gives 1 for a text that came out, 0 else.
        notes : tuple of str
            For the user.
        """
        counts: dict[str, tuple[int, int]] = {}
        for side in SIDES:
            values = score(side, tried[side])
            codes = view.unit_codes(side)[tried[side]]
            units, places = np.unique(codes, return_inverse=True)
            best = np.zeros(len(units))
            np.maximum.at(best, places, values)
            counts[side] = int((best >= 1).sum()), len(units)
            if side == SIDES[0]:
                exposed = view.member_ids()[units], best
        evidence = Guesses(counts["members"], counts["nonmembers"], name=self.name)
        return Found(evidence, notes, exposed=exposed)
