"""``singling_out``: whether a predicate that a release suggests is true of one person alone.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.metrics.guess_risk import GuessRisk

if TYPE_CHECKING:
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["SinglingOut"]


class SinglingOut(GuessRisk):
    """How many predicates hold for exactly one record of the source, beyond chance.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4: the singling-out attack.
    Article 29 Data Protection Working Party (2014), Opinion 05/2014 on anonymisation techniques,
    section 2.2.
    """

    name: ClassVar[str] = "singling_out"
    concern: ClassVar[Concern] = "singling_out"
    fault: ClassVar[str] = "lets people be singled out"
    meaning: ClassVar[str] = "predicates made from the release that single out one of the source"
