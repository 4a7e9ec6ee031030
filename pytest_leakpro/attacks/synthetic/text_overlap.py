"""Membership by overlap: texts of which more words in a row are released are likelier members.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.synthetic.base_attack import ReleaseMembershipAttack
from pytest_leakpro.attacks.synthetic.copied_runs import copied_runs
from pytest_leakpro.targets.text_tables import TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["TextOverlap"]


@dataclass(frozen=True)
class TextOverlap(ReleaseMembershipAttack):
    """Score a text by the number of its words in a row that stand in a text of the release.

    References
    ----------
    Meeus et al. (2025), The canary's echo: auditing privacy risks of LLM-generated synthetic text,
    ICML: texts are told from the release alone, by how near it comes to them. Here near is what it
    is for copies.
    """

    name: ClassVar[str] = "text_overlap"
    metrics: ClassVar[tuple[str, ...]] = ("tpr", "auc", "advantage", "epsilon")
    rank: ClassVar[int] = 255
    reads_texts: ClassVar[bool] = True

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        found = super().mismatch(target)
        if found is None and not target.is_text:
            found = "it attacks lists of texts, and this is a table"
        return found

    def score(
        self,
        view: ReleaseView,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is drawn
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score every text; see `ReleaseMembershipAttack.score`."""
        source, control = copied_runs(view, TEXT)
        return source.runs.astype(np.float64), control.runs.astype(np.float64)
