"""The evidence of a suite cut into slices, and what was found in each.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_leakpro.auditing.brought import part_figures
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.metrics.base import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.auditing.brought import Brought
    from pytest_leakpro.gate.decision import Decision, WeighedReading
    from pytest_leakpro.gate.slice_figures import SliceFigures
    from pytest_leakpro.targets.slices import Slice

__all__ = ["BroughtOfSlice", "slice_evidence"]


@dataclass(frozen=True)
class BroughtOfSlice:
    """The evidence of the suite on one slice.

    Attributes
    ----------
    part : Slice
        Which.
    brought : tuple of Brought
        In the order of the suite's weights.
    """

    part: Slice
    brought: tuple[Brought, ...]

    @property
    def name(self) -> str:
        """What the slice is called, as ``"sex=F"``."""
        return self.part.name

    def figures(self, readings: Sequence[WeighedReading], decision: Decision) -> SliceFigures:
        """Give what was found here, for the record."""
        return part_figures(
            self.part.slicing, self.part.label, readings, decision, Sizes(*self.part.sizes)
        )


def slice_evidence(
    brought: Sequence[Brought], slices: Sequence[Slice]
) -> tuple[BroughtOfSlice, ...]:
    """Cut the suite's evidence into slices.

    Parameters
    ----------
    brought : sequence of Brought
        On all units.
    slices : sequence of Slice
        Which units belong together.

    Raises
    ------
    LeakproError
        Where an attack does not give one score per unit.
    """
    return tuple(
        BroughtOfSlice(
            part, tuple(replace(entry, evidence=_part_of(entry, part)) for entry in brought)
        )
        for part in slices
    )


def _part_of(entry: Brought, part: Slice) -> MembershipScores:
    if not isinstance(entry.evidence, MembershipScores):
        raise LeakproError(
            f"slices= goes with attacks that score every record, and {entry.attack!r} brings "
            f"{type(entry.evidence).__name__}"
        )
    return entry.evidence.part(part.members, part.nonmembers)
