"""Attacks on a language model whose score of a text follows from the model and that text alone.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.language_model import LanguageModel
from pytest_leakpro.targets.text_view import TextView

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["TextAttack", "check_share"]


@dataclass(frozen=True)
class TextAttack(MembershipAttack):
    """An attack that scores the texts of one side, and of the other alike."""

    targets: ClassVar[tuple[type, ...]] = (LanguageModel,)

    @abstractmethod
    def score_texts(self, view: TextView, side: str) -> NDArray[Any]:
        """Score the texts of a side.

        Parameters
        ----------
        view : TextView
            What the model says, and whom else to ask.
        side : {"members", "nonmembers"}
            Which side.

        Returns
        -------
        ndarray of shape (n,)
            Finite; the higher, the more likely a member.
        """

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score both sides alike; see `MembershipAttack.score`."""
        del rng
        assert isinstance(view, TextView)
        return self.score_texts(view, "members"), self.score_texts(view, "nonmembers")


def check_share(attack: str, name: str, value: Any) -> None:
    """Refuse what is no share above 0 and of at most 1.

    Raises
    ------
    LeakproError
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and 0 < value <= 1):
        raise LeakproError(f"{attack}: {name} is a share above 0 and at most 1, not {value!r}")
