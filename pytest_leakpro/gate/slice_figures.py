"""What was found in one slice of the records: a subgroup with bounds of its own.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.plain import plain
from pytest_leakpro.gate.wording import shown_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.gate.verdict import Verdict
    from pytest_leakpro.gate.wording import Unit

__all__ = ["COLUMN", "SliceFigures", "in_slice", "part_said", "slice_name"]

COLUMN = "column"
"""The slicing of metrics that are measured on one column after another."""


@dataclass(frozen=True)
class SliceFigures:
    """What the strongest attack of the suite found in one slice.

    Attributes
    ----------
    slicing : str
        What the records are sliced by, such as ``"sex"``.
    label : str
        The value that they share.
    value, low, high : float
        Estimate and bounds of the attack, in the metric's unit; the lower bound at the error at
        which Holm's procedure tests the slice, shared among the attacks by their weights.
    p_value : float or None
        Of the test "no attack exceeds the limit", before Holm's procedure; None without a limit.
    verdict : Verdict or None
        On this slice alone; None without a limit.
    attack : str
        The attack that decides here.
    n_members, n_nonmembers : int
        Units of the slice, at least ten of each.
    """

    slicing: str
    label: str
    value: float
    low: float
    high: float
    p_value: float | None
    verdict: Verdict | None
    attack: str
    n_members: int
    n_nonmembers: int

    @property
    def name(self) -> str:
        """Slicing and value, as ``"sex=F"``."""
        return slice_name(self.slicing, self.label)

    @property
    def is_column(self) -> bool:
        """Whether this is one of the columns that make up the audit, rather than a subgroup."""
        return self.slicing == COLUMN

    def to_plain(self, limit: float | None, unit: Unit) -> dict[str, Any]:
        """Give the figures as plain data, with the texts that outputs share."""
        value, low, high = shown_bounds(self.value, self.low, self.high, limit, unit)
        shown = {"shown_value": value, "shown_low": low, "shown_high": high}
        return {**plain(self), **shown}


def slice_name(slicing: str, label: str) -> str:
    """Name a slice, as ``"sex=F"``."""
    return f"{slicing}={label}"


def in_slice(record: Mapping[str, Any]) -> str:
    """Say of which slice a record's figures are; empty where they are of the whole."""
    name = record.get("slice")
    return part_said(name) if name else ""


def part_said(name: str) -> str:
    """Say of which part figures are, as ``"in the slice sex=F"``, ``"of the column income"``."""
    slicing, _, label = name.partition("=")
    return f"of the column {label}" if slicing == COLUMN else f"in the slice {name}"
