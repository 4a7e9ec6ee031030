"""``pii[kind]``: personal data of the source that are given away.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.metrics.guess_risk import GuessRisk

if TYPE_CHECKING:
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["Pii"]


class Pii(GuessRisk):
    """How many texts have personal data given away, beyond those that had no part in it.

    The argument is a kind of personal data, such as ``email``; without it any kind is meant.

    References
    ----------
    Lukas et al. (2023), Analyzing leakage of personally identifiable information in language
    models, IEEE S&P, section 3: extraction of personal data.
    """

    name: ClassVar[str] = "pii"
    concern: ClassVar[Concern] = "memorisation"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    fault: ClassVar[str] = "gives personal data away"
    remedy: ClassVar[str] = "take personal data out of the source, or train with DP"
    meaning: ClassVar[str] = "texts whose personal data are given away"
