"""What evidence shows beside its figures: attacks that are weak, or that show nothing at all.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.slice_figures import part_said

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_leakpro.auditing.brought import Brought
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["SuiteRemarks", "read_remarks", "remarks_on_all"]

_MOST_OF_OTHERS = 3


@dataclass(frozen=True)
class SuiteRemarks:
    """What is remarked on one hypothesis.

    Attributes
    ----------
    notes : tuple of str
        What must be known to read the figures.
    faulty : mapping of str to tuple of str
        By attack, why its figures show nothing.
    """

    notes: tuple[str, ...]
    faulty: Mapping[str, tuple[str, ...]]

    @property
    def texts(self) -> tuple[str, ...]:
        """All of it."""
        return (*self.notes, *(text for reasons in self.faulty.values() for text in reasons))


def read_remarks(metric: MetricName, brought: Sequence[Brought]) -> SuiteRemarks:
    """Gather what the evidence of each attack shows beside its figure.

    Parameters
    ----------
    metric : MetricName
        What is measured.
    brought : sequence of Brought
        The suite's evidence. Where it is of several attacks each remark names its own.
    """
    definition = definition_of(metric)
    notes: list[str] = []
    faulty: dict[str, tuple[str, ...]] = {}
    for entry in brought:
        said = definition.remarks(metric, entry.evidence)
        of = f"{entry.attack}: " if len(brought) > 1 else ""
        notes += [f"{of}{text}" for text in said.notes]
        if said.blocks:
            faulty[entry.attack] = tuple(f"{of}{text}" for text in said.blocks)
    return SuiteRemarks(tuple(notes), faulty)


def remarks_on_all(
    each: Sequence[SuiteRemarks], shown: int, names: Sequence[str], said: Collection[str]
) -> tuple[str, ...]:
    """Gather what a measurement remarks: on the hypothesis whose figures it shows, then on others.

    Parameters
    ----------
    each : sequence of SuiteRemarks
        Of every hypothesis.
    shown : int
        Which of them has its figures shown.
    names : sequence of str
        Of every hypothesis, as ``"column=income"``.
    said : collection of str
        What is said of the verdict already.
    """
    first = [text for text in each[shown].texts if text not in said]
    others = [
        f"{part_said(name)}: {text}"
        for place, (name, remarks) in enumerate(zip(names, each, strict=True))
        if place != shown
        for text in remarks.texts
    ]
    if len(others) > _MOST_OF_OTHERS:
        more = f"{len(others) - _MOST_OF_OTHERS} more such remarks"
        others = [*others[:_MOST_OF_OTHERS], more]
    return (*first, *others)
