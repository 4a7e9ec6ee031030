"""What attacks have in common that let a language model finish texts of both sides.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

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
    from collections.abc import Callable

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

    def n_tried(self, view: TextView, side: str, fit: NDArray[np.intp], why: str) -> int:
        """Give how many units (texts, or persons with groups) of a side are tried.

        Parameters
        ----------
        view : TextView
            The texts.
        side : {"members", "nonmembers"}
            Which side.
        fit : ndarray of int
            Positions of the texts that can be tried.
        why : str
            What is true of these, for the error.

        Raises
        ------
        LeakproError
            Where they are fewer than 10.
        """
        codes = view.unit_codes(side)
        n_units = len(np.unique(codes[fit]))
        if n_units < SMALLEST_SIDE:
            raise LeakproError(
                f"{side}: {len(fit):,} of {len(codes):,} texts {why}, and it takes "
                f"{SMALLEST_SIDE} to say anything"
            )
        return number_of_attempts(self.attempts, n_units, self.name, side, "texts")

    def drawn(
        self, view: TextView, side: str, fit: NDArray[np.intp], rng: np.random.Generator, why: str
    ) -> NDArray[np.intp]:
        """Draw units that have texts which can be tried; parameters as for `n_tried`.

        Returns
        -------
        ndarray of int
            Positions of all texts, among `fit`, of the units that were drawn.
        """
        codes = view.unit_codes(side)
        size = self.n_tried(view, side, fit, why)
        chosen = rng.choice(np.unique(codes[fit]), size=size, replace=False)
        return fit[np.isin(codes[fit], chosen)]

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
