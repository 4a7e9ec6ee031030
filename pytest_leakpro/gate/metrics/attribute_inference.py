"""``attribute_inference[column]``: whether a model tells a secret of those it was trained on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.gate.metrics.base import Nouns, Remarks
from pytest_leakpro.gate.metrics.guess_risk import GuessRisk
from pytest_leakpro.gate.wording import shown

if TYPE_CHECKING:
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["AttributeInference"]


class AttributeInference(GuessRisk):
    """How many secrets of members are guessed right, beyond those of non-members.

    What the model teaches about everybody is no leak of a member's secret: the same attack on
    non-members is the control. The argument is the secret column; without it every column in
    ``secret=`` is meant.

    References
    ----------
    Mehnaz et al. (2022), Are your sensitive attributes private? Novel model inversion attribute
    inference attacks on classification models, USENIX Security.
    Jayaraman and Evans (2022), Are attribute inference attacks just imputation?, CCS, section 3:
    what an imputation reaches without the model must be subtracted.
    """

    name: ClassVar[str] = "attribute_inference"
    concern: ClassVar[Concern] = "inference"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    nouns: ClassVar[Nouns] = Nouns(
        "model",
        "members",
        "non-members",
        "records",
        "between trainings",
        "column",
    )
    fault: ClassVar[str] = "lets secrets be inferred"
    remedy: ClassVar[str] = "leave the column out, regularise or train with DP"
    meaning: ClassVar[str] = "members whose secret is guessed from the model and all else of them"

    def remarks(self, metric: MetricName, evidence: Evidence) -> Remarks:  # noqa: ARG002
        """Compare with an imputation that never saw the model; see `Metric.remarks`.

        That an attack is worse than it takes nothing from what the model adds for members.
        """
        assert isinstance(evidence, Guesses)
        naive_rate = evidence.naive_rate
        if naive_rate is None:
            return Remarks()
        main, naive, control = (
            shown(rate, "percent")
            for rate in (evidence.main_rate, naive_rate, evidence.control_rate)
        )
        said = (
            f"guessed right {main} of the time of members, {control} of non-members, and {naive} "
            "of members by an imputation from their other columns that never saw the model"
        )
        return Remarks(notes=(said,))
