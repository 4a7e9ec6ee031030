"""The name of a metric, with what stands in its brackets and behind its at sign.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_leakpro.gate.wording import plain_number

__all__ = ["MetricName"]


@dataclass(frozen=True)
class MetricName:
    """Which number is meant: a metric with its argument or its false-positive rate.

    Attributes
    ----------
    name : str
        As in the table of metrics, for example ``"tpr"`` or ``"inference"``.
    argument : str or None
        What stands in brackets, for example the column of ``inference[lab]``.
    fpr : float or None
        The false-positive rate at which a TPR is read, in (0, 1/2).
    """

    name: str
    argument: str | None = None
    fpr: float | None = None

    def __str__(self) -> str:
        text = self.name
        if self.argument is not None:
            text += f"[{self.argument}]"
        if self.fpr is not None:
            text += f"@{plain_number(self.fpr, 'percent')}fpr"
        return text
