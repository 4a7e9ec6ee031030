"""``linkability``: whether a release tells that two sets of columns belong to one person.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.metrics.guess_risk import GuessRisk

if TYPE_CHECKING:
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["Linkability"]


class Linkability(GuessRisk):
    """How many people can be recognised across two data sets by means of the release.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4: the linkability attack.
    Article 29 Data Protection Working Party (2014), Opinion 05/2014 on anonymisation techniques,
    section 2.2.
    """

    name: ClassVar[str] = "linkability"
    concern: ClassVar[Concern] = "linkability"
    fault: ClassVar[str] = "lets records be linked"
    meaning: ClassVar[str] = "people whose two sets of columns the release links to each other"
