"""``missing_values``: whether a release fills in what an attacker does not know of a person.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.metrics.guess_risk import GuessRisk

if TYPE_CHECKING:
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["MissingValues"]


class MissingValues(GuessRisk):
    """How many records with gaps are filled in right, beyond those that are not in the source.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4: the risk, with its control.
    Article 29 Data Protection Working Party (2014), Opinion 05/2014 on anonymisation techniques,
    section 2.2: inference.
    """

    name: ClassVar[str] = "missing_values"
    concern: ClassVar[Concern] = "inference"
    fault: ClassVar[str] = "lets missing values be filled in"
    meaning: ClassVar[str] = "records whose missing values are filled in from the release"
