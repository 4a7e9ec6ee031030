"""``structural_risk[k=10]``: the members whom the structure of a model shows in a small group.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.counted_share import CountedShare
from pytest_leakpro.gate.metrics.stored_records import ARTEFACT

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern, Nouns

__all__ = ["SMALLEST_GROUP", "StructuralRisk", "smallest_group"]

SMALLEST_GROUP = 10
_ARGUMENT = re.compile(r"\s*k\s*=\s*(\d{1,6})\s*")


class StructuralRisk(CountedShare):
    """The share of the members of whom a part of the model tells that came of fewer than k people.

    A leaf of a tree, a rule, or a parameter that was estimated from a group. The argument is the
    size of the smallest group that is safe, 10 by default.

    References
    ----------
    Smith et al. (2024), Safe machine learning model release from trusted research environments:
    the SACRO-ML package, section on structural attacks: k-anonymity and class disclosure.
    Ritchie et al. (2023), Guidelines for the statistical disclosure control of machine learning
    models: the threshold rule.
    """

    name: ClassVar[str] = "structural_risk"
    concern: ClassVar[Concern] = "singling_out"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    nouns: ClassVar[Nouns] = ARTEFACT
    fault: ClassVar[str] = "tells of small groups"
    remedy: ClassVar[str] = (
        "let every leaf and every group hold more people (min_samples_leaf, min_child_weight, "
        "rare categories joined)"
    )
    meaning: ClassVar[str] = "members in a part of the model that fewer than k people made"

    @property
    def example(self) -> str:
        """With the size of a group; see `Metric.example`."""
        return f"{self.name}[k={SMALLEST_GROUP}]"

    def check_name(self, metric: MetricName) -> None:
        """Check the size of a group; see `Metric.check_name`."""
        super().check_name(metric)
        smallest_group(metric)

    def tidy_argument(self, argument: str) -> str:
        """Write the size without spaces; see `Metric.tidy_argument`."""
        return re.sub(r"\s+", "", argument)


def smallest_group(metric: MetricName) -> int:
    """Give the number of people from which on a group is safe, at least 2.

    Raises
    ------
    LeakproError
        Where the argument is no such number.
    """
    if metric.argument is None:
        return SMALLEST_GROUP
    match = _ARGUMENT.fullmatch(metric.argument)
    size = int(match.group(1)) if match else 0
    if size < 2:
        raise LeakproError(
            f"{metric}: give the number of people from which on a group is safe, at least 2, as "
            f"structural_risk[k={SMALLEST_GROUP}]"
        )
    return size
