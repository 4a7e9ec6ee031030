"""``inference[column]``: whether a release tells a secret of those whose other columns are known.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.metrics.guess_risk import GuessRisk

if TYPE_CHECKING:
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["Inference"]


class Inference(GuessRisk):
    """How many secrets are guessed right, beyond those of people who are not in the source.

    The argument is the secret column; without it every secret column is meant.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4: the inference attack.
    Article 29 Data Protection Working Party (2014), Opinion 05/2014 on anonymisation techniques,
    section 2.2.
    """

    name: ClassVar[str] = "inference"
    concern: ClassVar[Concern] = "inference"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    fault: ClassVar[str] = "lets secrets be inferred"
    meaning: ClassVar[str] = "people whose secret is inferred from their other columns"
