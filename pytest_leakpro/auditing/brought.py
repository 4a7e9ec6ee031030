"""What attacks brought back, and what was found in a part of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.gate.decision import joint_p_value
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.slice_figures import COLUMN, SliceFigures, slice_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.gate.decision import Decision, WeighedReading
    from pytest_leakpro.gate.evidence import Evidence

__all__ = ["Brought", "BroughtOfColumn", "part_figures"]


@dataclass(frozen=True)
class Brought:
    """The evidence of one attack.

    Attributes
    ----------
    attack : str
        Its name.
    evidence : Evidence
        What it found.
    seconds : float
        Time it took.
    queries : int or None
        How many records the model was asked about for it; None where no model was asked.
    """

    attack: str
    evidence: Evidence
    seconds: float
    queries: int | None = None


@dataclass(frozen=True)
class BroughtOfColumn:
    """The evidence of the suite on one column.

    Attributes
    ----------
    column : str
        Its name.
    brought : tuple of Brought
        In the order of the suite's weights.
    """

    column: str
    brought: tuple[Brought, ...]

    @property
    def name(self) -> str:
        """What the part is called, as ``"column=income"``."""
        return slice_name(COLUMN, self.column)

    def figures(self, readings: Sequence[WeighedReading], decision: Decision) -> SliceFigures:
        """Give what was found here, for the record."""
        sizes = Sizes(*self.brought[0].evidence.sizes)
        return part_figures(COLUMN, self.column, readings, decision, sizes)


def part_figures(
    slicing: str,
    label: str,
    readings: Sequence[WeighedReading],
    decision: Decision,
    sizes: Sizes,
) -> SliceFigures:
    """Give what was found in a part, for the record.

    Parameters
    ----------
    slicing, label : str
        Which part.
    readings : sequence of WeighedReading
        Of the attacks of the suite.
    decision : Decision
        On this part.
    sizes : Sizes
        Of the part.
    """
    deciding = decision.deciding
    return SliceFigures(
        slicing,
        label,
        deciding.reading.value,
        deciding.reading.low,
        deciding.reading.high,
        None if decision.verdict is None else joint_p_value(readings),
        decision.verdict,
        deciding.attack,
        sizes.members,
        sizes.nonmembers,
    )
