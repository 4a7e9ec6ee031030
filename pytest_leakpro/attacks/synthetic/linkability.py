"""Linkability: two sets of columns of one person, joined through the release.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pytest_leakpro.attacks.synthetic.base_attack import GuessingAttack, UnattackableError
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.stats.gower import MixedRows, nearest_rows

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["Linkability"]


@dataclass(frozen=True)
class Linkability(GuessingAttack):
    """Link what is known of a person here to what is known of the same person there.

    The attacker knows two sets of columns, and finds for each the nearest rows of the release. The
    two are linked where they have a neighbour in common.

    Parameters
    ----------
    attempts : int, optional
        How many records of the source, and of the control, to attack; see `GuessingAttack`.
    neighbours : int
        How many nearest rows to look at, at least 1. Of rows at the same distance the first in the
        release is taken.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4.2.
    """

    name: ClassVar[str] = "linkability"
    metrics: ClassVar[tuple[str, ...]] = ("linkability",)
    rank: ClassVar[int] = 210
    neighbours: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = not isinstance(self.neighbours, int) or isinstance(self.neighbours, bool)
        if wrong or self.neighbours < 1:
            raise LeakproError("neighbours of the attack 'linkability': give at least 1")

    def run(
        self,
        view: ReleaseView,
        rng: np.random.Generator,
        column: Hashable | None = None,  # noqa: ARG002 - all columns of both sets at once
    ) -> Guesses:
        """Link records of the source, and of the control; see `ReleaseAttack.run`."""
        linked = view.roles.linked
        if linked is None:
            raise UnattackableError(
                "it takes two columns whose values differ to link one to the other"
            )
        original, control = self.attacked(view, rng)
        n = len(view.synthetic)
        k = min(self.neighbours, n)
        naive = int((rng.hypergeometric(k, n - k, k, size=len(original)) > 0).sum())
        known = [
            MixedRows.joined(
                [
                    view.rows("original", columns).take(original),
                    view.rows("control", columns).take(control),
                ]
            )
            for columns in linked
        ]
        first, second = (
            nearest_rows(
                rows, view.rows("synthetic", columns), self.neighbours, threads=view.threads
            )[1]
            for rows, columns in zip(known, linked, strict=True)
        )
        common = (first[:, :, None] == second[:, None, :]).any(axis=(1, 2))
        main, outside = (int(part.sum()) for part in np.split(common, [len(original)]))
        return Guesses(
            main=(main, len(original)),
            control=(outside, len(control)),
            naive=(naive, len(original)),
            name=self.name,
        )
