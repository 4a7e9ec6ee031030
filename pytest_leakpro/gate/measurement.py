"""The measurement of one budget: what was found, how sure it is, and what it means.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.plain import plain
from pytest_leakpro.gate.wording import plain_number, shown_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.gate.change import Change
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.slice_figures import SliceFigures
    from pytest_leakpro.gate.verdict import Verdict

__all__ = ["AttackFigures", "Interval", "Measurement"]


@dataclass(frozen=True)
class AttackFigures:
    """What one attack of the suite found for one metric.

    Attributes
    ----------
    attack : str
        Its name.
    weight : float
        Its share of the error allowed for a FAIL.
    value, low, high : float
        Estimate, lower bound at error ``weight * alpha / 2`` (where there are slices, at what
        Holm's procedure leaves of it), upper bound at error ``alpha / 2``.
    p_value : float or None
        Of the test "at most the limit".
    queries : int or None
        How many records the model was asked about for this attack, all sides together; None where
        no model was asked.
    """

    attack: str
    weight: float
    value: float
    low: float
    high: float
    p_value: float | None
    queries: int | None = None


@dataclass(frozen=True)
class Interval:
    """The strongest attack's leakage by bounds that depend on no limit: what runs are compared by.

    Attributes
    ----------
    value : float
        The largest estimate of the suite.
    low, high : float
        Bounds of the largest leakage of the suite, each at error ``alpha / 2``.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Measurement:
    """One metric of one target, measured by the strongest attack of the suite.

    Where there are slices, the budget is decided on the whole and on each of them.

    Attributes
    ----------
    target : str
        Name of the target.
    metric : MetricName
        What was measured; ``str(metric)`` is for example ``"tpr@0.1%fpr"``.
    value, low, high : float
        Estimate and bounds of the deciding attack, in the metric's unit (shares between 0 and 1).
        NaN where nothing was scored.
    limit : float or None
        The budget's limit, None where there was no budget.
    verdict : Verdict or None
        None where there was no budget.
    attack : str
        The deciding attack.
    n_members, n_nonmembers : int
        Units (records, or persons with groups) that were scored, or would have been.
    seconds : float
        Time that the attacks took.
    alpha : float
        Error of both sides together.
    access : str
        What the attacker sees: ``"label"``, ``"scores"``, ``"white-box"``; ``"as given"`` for
        evidence from elsewhere.
    strength : str
        How strong the attacker was, in words.
    weak_suite : bool
        Whether membership attacks ran, and none was calibrated per record.
    pass_chance : float or None
        The chance that a model without leakage passes at these sizes.
    control_rate : float or None
        How often the deciding attack succeeds where nothing leaks, in [0, 1], which `pass_chance`
        depends on; None for membership metrics, and where there is no control.
    seed : int
        What every random choice followed from.
    source : str
        Where the budget was declared.
    figures : tuple of AttackFigures
        One per attack, in the order of their weights; of the whole, whatever slices say.
    notes : tuple of str
        What keeps the verdict from being what the bounds alone would say, or from being given.
    remarks : tuple of str
        What else must be known to read the figures, such as an attack no better than guessing; the
        verdict rests on the bounds all the same.
    size_names : tuple of str
        What `n_members` and `n_nonmembers` count, where it is not members.
    evidence : mapping or None
        What the record holds of the deciding attack's evidence, such as its ROC curve.
    comparable : Interval or None
        What is compared with a baseline; None where nothing was scored.
    change : Change or None
        What changed since the baseline; None where nothing was compared.
    occurrence : int
        Counts what is otherwise the same within a test, from 0.
    slice : str or None
        The slice that value, low, high and attack are of, as ``"sex=F"``; None for the whole.
    slices : tuple of SliceFigures
        One per slice that was measured.
    exposed_share : float or None
        Share of the records that the deciding attack finds, at the metric's false-positive rate,
        in more than half of the shadow models that saw them, each playing the target of the
        others. An estimate without bounds; None where that cannot be told.
    census : bool
        Whether nothing was drawn, so that value and bounds are one number.
    comparison : mapping or None
        Which of several defences this is of, and how it compares with the first, as plain data;
        None where nothing else was compared.
    """

    target: str
    metric: MetricName
    value: float
    low: float
    high: float
    limit: float | None
    verdict: Verdict | None
    attack: str
    n_members: int
    n_nonmembers: int
    seconds: float
    alpha: float = 0.05
    access: str = "scores"
    strength: str = ""
    weak_suite: bool = False
    pass_chance: float | None = None
    control_rate: float | None = None
    seed: int = 0
    source: str = "call"
    figures: tuple[AttackFigures, ...] = ()
    notes: tuple[str, ...] = field(default=())
    remarks: tuple[str, ...] = ()
    size_names: tuple[str, str] = ("members", "nonmembers")
    evidence: Mapping[str, Any] | None = field(default=None, repr=False)
    comparable: Interval | None = None
    change: Change | None = None
    occurrence: int = 0
    slice: str | None = None
    slices: tuple[SliceFigures, ...] = ()
    exposed_share: float | None = None
    census: bool = False
    comparison: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def budget(self) -> str | None:
        """The budget as text, for example ``"tpr@0.1%fpr <= 1%"``; None where there was none."""
        if self.limit is None:
            return None
        return f"{self.metric} <= {self.shown_limit}"

    @property
    def shown_limit(self) -> str:
        """The limit as text, ``"-"`` where there was none."""
        if self.limit is None:
            return "-"
        return plain_number(self.limit, definition_of(self.metric).unit)

    def shown(self) -> tuple[str, str, str]:
        """Write estimate, lower and upper bound, the same in every output."""
        unit = definition_of(self.metric).unit
        return shown_bounds(self.value, self.low, self.high, self.limit, unit)

    @property
    def shown_verdict(self) -> str:
        """The verdict as text, ``"PASS (weak suite)"`` where no attack was calibrated."""
        if self.verdict is None:
            return "-"
        weak = self.weak_suite and self.verdict.value == "PASS"
        return f"{self.verdict.value} (weak suite)" if weak else self.verdict.value

    @property
    def regressed(self) -> bool:
        """Whether it is significantly above its baseline, by more than is allowed."""
        return self.change is not None and self.change.outcome == "regression"

    def to_plain(self) -> dict[str, Any]:
        """Give the measurement as nothing but dict, list, str, int, float, bool and None."""
        value, low, high = self.shown()
        as_shown = {
            "shown_value": value,
            "shown_low": low,
            "shown_high": high,
            "shown_limit": self.shown_limit,
            "shown_verdict": self.shown_verdict,
        }
        record: dict[str, Any] = {**plain(self), "metric": str(self.metric), **as_shown}
        unit = definition_of(self.metric).unit
        record["slices"] = [entry.to_plain(self.limit, unit) for entry in self.slices]
        record["suite"] = [entry.attack for entry in self.figures]
        sizes = (record.pop("n_members"), record.pop("n_nonmembers"))
        record["sizes"] = dict(zip(record.pop("size_names"), sizes, strict=True))
        return record
