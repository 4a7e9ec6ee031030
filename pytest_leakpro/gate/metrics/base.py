"""What a metric is: a number read off evidence, with bounds, and what its sizes can decide.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import Unit, plain_number

if TYPE_CHECKING:
    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["MEMBERSHIP", "Concern", "Metric", "Nouns", "Reading", "Remarks", "Sizes"]

Concern = Literal[
    "membership",
    "singling_out",
    "linkability",
    "inference",
    "reconstruction",
    "memorisation",
    "epsilon",
]
"""What may be told of a person: membership, the three criteria of the Article 29 Working Party
(opinion 05/2014 on anonymisation techniques), whole records, remembered text; and the guarantee."""


class Sizes(NamedTuple):
    """How many independent units stand on each side."""

    members: int
    nonmembers: int


@dataclass(frozen=True)
class Nouns:
    """The words for what a metric speaks of.

    Attributes
    ----------
    audited : str
        What leaks or does not, such as ``"model"``.
    main, control : str
        What the two sizes count; `control` is empty where there is but one.
    unit : str
        What more of would help, in the plural.
    between_runs : str
        What a comparison of two of them says nothing about.
    part : {"slice", "column"}
        On what each budget may be decided one by one.
    counted : str
        What was looked at where nothing was drawn.
    """

    audited: str
    main: str
    control: str
    unit: str
    between_runs: str
    part: Literal["slice", "column"] = "slice"
    counted: str = "all counted"

    def sizes(self, main: int, control: int, joint: str = " and ") -> str:
        """Write both sizes, as ``"200 members and 200 non-members"``."""
        said = [f"{main:,} {self.main}", f"{control:,} {self.control}" if self.control else ""]
        return joint.join(filter(None, said))

    @property
    def one(self) -> str:
        """One of what is audited, as ``"a model"``."""
        return f"{'an' if self.audited[0] in 'aeiou' else 'a'} {self.audited}"

    @property
    def as_many(self) -> str:
        """Say that there are as many on both sides: ``"members, and as many non-members,"``."""
        return f"{self.main}, and as many {self.control}," if self.control else self.main


MEMBERSHIP = Nouns(
    "model",
    "members",
    "non-members",
    "records",
    "between trainings, which a Recipe with several targets measures",
)


class Remarks(NamedTuple):
    """What evidence shows beside the figure that is read off it.

    Attributes
    ----------
    notes : tuple of str
        What must be known to read the figure; the bounds decide all the same.
    blocks : tuple of str
        What keeps any verdict from being given.
    """

    notes: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """One metric read off one attack's evidence.

    Attributes
    ----------
    value : float
        The estimate, within the bounds.
    low, high : float
        One-sided confidence bounds, each at the error it was asked for.
    p_value : float or None
        Of the test "at most the limit"; None where there was no limit.
    passes : bool or None
        Where there is no upper bound: whether what is not refuted passes, since it would have been
        refuted if it were far off. None where the upper bound decides.
    """

    value: float
    low: float
    high: float
    p_value: float | None
    passes: bool | None = None

    def within(self, limit: float) -> bool:
        """Tell whether a limit is kept, as far as this reading tells."""
        return self.high <= limit if self.passes is None else self.passes

    @classmethod
    def consistent(
        cls, value: float, low: float, high: float, p_value: float | None = None
    ) -> Reading:
        """Make a reading whose upper bound is at least the lower, with the value between them."""
        high = max(low, high)
        return cls(min(max(value, low), high), low, high, p_value)


class Metric(ABC):
    """A number read off evidence, with a finite-sample confidence bound.

    A subclass in this folder that has a `name` is a row of the table of metrics.

    Attributes
    ----------
    controlled : bool
        Whether it depends on how often the attack succeeds where nothing leaks.
    census : bool
        Whether everything is counted, so that its figure is exact.
    two_sided : bool
        Whether members are compared with non-members, so that sides which differ anyhow mislead it.
    nouns : Nouns
        What it speaks of.
    concern : Concern
        What of a person is at risk.
    fault : str
        What is done by a model, or a release, that exceeds its budget.
    remedy : str
        What may help.
    """

    name: ClassVar[str]
    evidence: ClassVar[type[Evidence]]
    unit: ClassVar[Unit] = "percent"
    argument: ClassVar[Literal["none", "optional", "required"]] = "none"
    at_fpr: ClassVar[bool] = False
    controlled: ClassVar[bool] = False
    census: ClassVar[bool] = False
    two_sided: ClassVar[bool] = False
    nouns: ClassVar[Nouns] = MEMBERSHIP
    concern: ClassVar[Concern] = "membership"
    fault: ClassVar[str] = "leaks membership"
    remedy: ClassVar[str] = "regularise or train with DP"
    meaning: ClassVar[str]

    def check_name(self, metric: MetricName) -> None:
        """Check that argument and rate stand where this metric takes them.

        Raises
        ------
        LeakproError
        """
        if metric.argument is None and self.argument == "required":
            raise LeakproError(f"{self.name} needs an argument, as {self.name}[…]")
        if metric.argument is not None and self.argument == "none":
            raise LeakproError(f"{self.name} takes no argument in brackets")
        if metric.fpr is None and self.at_fpr:
            raise LeakproError(
                f"{self.name} needs the false-positive rate at which it is read, "
                f"as {self.name}@0.1%fpr"
            )
        if metric.fpr is None:
            return
        if not self.at_fpr:
            raise LeakproError(f"{self.name} is not read at a false-positive rate")
        if not 0 < metric.fpr < 0.5:
            raise LeakproError("a false-positive rate lies above 0% and below 50%")

    def variant(self, metric: MetricName) -> Metric:  # noqa: ARG002 - few depend on the argument
        """Give what the metric is with this argument: itself, by default."""
        return self

    @property
    def example(self) -> str:
        """How it may be written, without a limit."""
        return self.name

    def tidy_argument(self, argument: str) -> str:
        """Write an argument as it is compared and shown: as it was given, by default."""
        return argument

    def check_limit(self, metric: MetricName, limit: float) -> None:
        """Check that a model could meet the limit, and another miss it.

        Raises
        ------
        LeakproError
        """
        if not math.isfinite(limit):
            raise LeakproError("a limit is a finite number")
        if limit < 0:
            raise LeakproError("a limit cannot be negative")
        floor = self.chance_level(metric)
        if limit < floor:
            raise LeakproError(
                f"guessing alone reaches {plain_number(floor, self.unit)}, "
                f"so no {self.nouns.audited} can stay at {plain_number(limit, self.unit)}"
            )
        ceiling = self.ceiling(metric)
        if limit >= ceiling:
            hint = f"; did you mean {limit:.12g}%?" if self.unit == "percent" and limit > 1 else ""
            raise LeakproError(
                f"every {self.nouns.audited} stays within {plain_number(limit, self.unit)}: "
                f"{self.name} is at most {plain_number(ceiling, self.unit)}{hint}"
            )

    def chance_level(self, metric: MetricName) -> float:  # noqa: ARG002 - some depend on the rate
        """Give the value of a model without leakage."""
        return 0.0

    def ceiling(self, metric: MetricName) -> float:  # noqa: ARG002
        """Give the value that no model can exceed."""
        return 1.0

    def check_evidence(self, metric: MetricName, evidence: Evidence) -> None:
        """Check that this evidence can answer for the metric.

        Raises
        ------
        LeakproError
        """
        if not isinstance(evidence, self.evidence):
            raise LeakproError(
                f"{metric} is read off {self.evidence.__name__}, "
                f"and this audit has {type(evidence).__name__}"
            )

    def part(self, metric: MetricName, evidence: Evidence) -> Evidence:  # noqa: ARG002
        """Give the part of evidence that this argument speaks of: all, by default.

        Raises
        ------
        LeakproError
            Where there is too little of it.
        """
        return evidence

    @abstractmethod
    def read(
        self,
        metric: MetricName,
        evidence: Evidence,
        limit: float | None,
        error_low: float,
        error_high: float,
        planned: float | None = None,
    ) -> Reading:
        """Read the metric off evidence.

        Parameters
        ----------
        metric : MetricName
            With the argument or rate.
        evidence : Evidence
            Of the class that the metric is read off.
        limit : float or None
            The budget's limit, if there is one.
        error_low, error_high : float
            One-sided error of the lower and of the upper bound, in (0, 1).
        planned : float, optional
            The error by which whatever must be fixed before the scores are seen is chosen, where
            `error_low` follows from them; `error_low` by default.
        """

    @abstractmethod
    def estimate(self, metric: MetricName, evidence: Evidence) -> float:
        """Give the estimate alone, without bounds: what resampling repeats."""

    def remarks(self, metric: MetricName, evidence: Evidence) -> Remarks:  # noqa: ARG002
        """Say what evidence shows beside the figure; nothing by default."""
        return Remarks()

    def summary(self, metric: MetricName, evidence: Evidence) -> dict[str, Any]:  # noqa: ARG002
        """Give what a record holds of evidence; see `Evidence.summary`."""
        return evidence.summary()

    @abstractmethod
    def typical_evidence(
        self,
        metric: MetricName,
        sizes: Sizes,
        true: float,
        luck: float = 0.5,
        control_rate: float = 0.0,
    ) -> Evidence:
        """Give evidence as it is to be expected of a model with this true leakage, for planning.

        Parameters
        ----------
        metric : MetricName
            With the argument or rate.
        sizes : Sizes
            Units on each side.
        true : float
            The true leakage, from the level of chance up to the ceiling.
        luck : float
            The quantile, in (0, 1), of what each side may give: 0.5 is typical.
        control_rate : float
            How often the attack succeeds where nothing leaks, in [0, 1]; nothing to metrics that
            are not `controlled`.
        """

    @abstractmethod
    def pass_chance(
        self,
        metric: MetricName,
        limit: float,
        sizes: Sizes,
        error: float,
        true: float | None,
        control_rate: float = 0.0,
    ) -> float:
        """Chance that the upper bound comes out within the limit.

        Parameters
        ----------
        metric, limit
            The budget.
        sizes : Sizes
            Units on each side.
        error : float
            One-sided error of the bound.
        true : float or None
            The true leakage; None for a model without leakage.
        control_rate : float
            As for `typical_evidence`.
        """

    @abstractmethod
    def fail_chance(
        self,
        metric: MetricName,
        limit: float,
        sizes: Sizes,
        error: float,
        true: float,
        control_rate: float = 0.0,
    ) -> float:
        """Chance that the limit is refuted where the true leakage is `true`; as `pass_chance`."""

    def can_pass(self, metric: MetricName, limit: float, sizes: Sizes, error: float) -> bool:
        """Tell whether a model without leakage has any hope of a PASS at these sizes."""
        return self.pass_chance(metric, limit, sizes, error, None) >= 1e-3

    def can_fail(self, metric: MetricName, limit: float, sizes: Sizes, error: float) -> bool:
        """Tell whether any outcome at these sizes is a FAIL."""
        return self.fail_chance(metric, limit, sizes, error, self.ceiling(metric)) > 0
