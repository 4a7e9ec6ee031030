"""Exposure: how far ahead of other texts of their kind a model has put canaries.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.content_attack import ContentAttack, Found, silent
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.exposure import times_of
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["ExposureOfCanaries"]


@dataclass(frozen=True)
class ExposureOfCanaries(ContentAttack):
    """Rank canaries that were inserted among other texts of their kind, by their loss.

    Parameters
    ----------
    candidates : int
        Among how many others to rank them, at least 100; all that there are, where these are fewer.
        A budget of b bits takes about 2^b of them to FAIL, unless `assume` stands for them.
    assume : {"skew-normal"}, optional
        The law of the losses of other texts, by which ranks beyond the candidates are reckoned.

    References
    ----------
    Carlini et al. (2019), The Secret Sharer: evaluating and testing unintended memorization in
    neural networks, USENIX Security, section 4.
    """

    name: ClassVar[str] = "canary_exposure"
    metrics: ClassVar[tuple[str, ...]] = ("exposure",)
    targets: ClassVar[tuple[type, ...]] = (LanguageModel,)
    access: ClassVar[Access] = Access.SCORES
    needs_also: ClassVar[str] = "canaries= of Canaries.generate"
    rank: ClassVar[int] = 542

    candidates: int = 5000
    assume: str | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.candidates, (int, np.integer))
        if isinstance(self.candidates, bool) or not whole or self.candidates < 100:
            raise LeakproError(
                f"candidates of the attack {self.name!r}: give a whole number of at least 100"
            )

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        found = super().mismatch(target)
        if found is None and target.canaries is None:
            found = (
                "it ranks canaries: make them with Canaries.generate, train on "
                "canaries.insert(texts) and give canaries="
            )
        return found

    def parts_of(self, view: MembershipView, metric: MetricName) -> tuple[Hashable | None, ...]:
        """Give how often the canaries were inserted; see `ContentAttack.parts_of`."""
        del view
        return (times_of(metric),)

    def sizes(self, view: Any, part: Hashable | None = None) -> tuple[int, int]:
        """Give how many canaries were inserted so often, and 0; see `ContentAttack.sizes`."""
        canaries = view.canaries
        return int((canaries.included & (canaries.multiplicities == (part or 1))).sum()), 0

    def find(
        self,
        view: Any,
        rng: np.random.Generator,
        part: Hashable | None = None,  # noqa: ARG002 - all are ranked at once
        say: Callable[[str], None] = silent,
    ) -> Found:
        """Ask about canaries and others; see `ContentAttack.find`."""
        key = f"exposures among {self.candidates}"
        if key not in view.kept:
            view.kept[key] = self._losses(view, rng, say)
        losses = view.kept[key]
        return Found(view.canaries.exposures(*losses, assume=self.assume, name=self.name))

    def _losses(
        self, view: Any, rng: np.random.Generator, say: Callable[[str], None]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ask about the canaries, and about others of their kind; kept for all multiplicities."""
        canaries, size = view.canaries, self.candidates
        if canaries.space is not None:
            size = min(size, canaries.space - len(canaries))
        say(f"{len(canaries):,} canaries among {size:,} candidates")
        others = canaries.candidates(size, int(rng.integers(2**31)))
        return -view.totals_of(canaries.texts, "canaries"), -view.totals_of(others, "candidates")
