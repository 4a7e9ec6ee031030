"""Measures of how well a record was rebuilt, and criteria written in them: ``ssim>=0.5``.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import plain_number, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LABEL", "MEASURES", "NEAR", "Criterion", "Measure", "tidy_criterion"]

LABEL = "label"
NEAR = "near"
_TEXT = re.compile(
    r"\s*([A-Za-z_]\w*)\s*(<=|>=|≤|≥|=<|=>|==|=|<|>)?\s*"
    r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)?\s*(%)?\s*"
)
_SIGNS = ("<=", ">=")


@dataclass(frozen=True)
class Measure:
    """How well one record was rebuilt, as a number.

    Attributes
    ----------
    least, most : float
        The range that it cannot leave; ends that are infinite are never reached, but for a PSNR.
    sign : {"<=", ">="}
        Which side of a number the better ones lie on.
    example : str
        A criterion.
    cuts : tuple of float
        Where the bins of its histogram begin, the same whatever was found: 20 at most.
    usual : float or None
        The bound that is meant where a criterion gives none; None where it must give one.
    chance : float
        The bound from which on a reconstruction meets a criterion by chance, where better ones are
        smaller.
    """

    least: float
    most: float
    sign: str
    example: str
    cuts: tuple[float, ...]
    usual: float | None = None
    chance: float = math.inf

    @property
    def is_share(self) -> bool:
        """Whether it may be written in percent."""
        return (self.least, self.most) == (0, 1)


_TWENTIETHS = tuple(place / 20 for place in range(20))
MEASURES = {
    "mse": Measure(
        0, math.inf, "<=", "mse<=0.01", (0, *(float(f"1e{power}") for power in range(-12, 7)))
    ),
    "psnr": Measure(
        -math.inf, math.inf, ">=", "psnr>=20", tuple(float(5 * place) for place in range(20))
    ),
    "ssim": Measure(-1, 1, ">=", "ssim>=0.5", tuple((place - 10) / 10 for place in range(20))),
    "columns": Measure(0, 1, ">=", "columns>=0.9", _TWENTIETHS),
    "tokens": Measure(0, 1, ">=", "tokens>=0.9", _TWENTIETHS),
    "rouge": Measure(0, 1, ">=", "rouge>=0.5", _TWENTIETHS),
    LABEL: Measure(0, 1, ">=", "", _TWENTIETHS),
    NEAR: Measure(
        0,
        math.inf,
        "<=",
        "near",
        (
            *(0, 1e-9, 1e-6, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4),
            *(0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 2, 5),
        ),
        usual=0.5,
        chance=1.0,
    ),
}


@dataclass(frozen=True)
class Criterion:
    """From which quality on a record counts as rebuilt.

    Attributes
    ----------
    measure : str
        One of `MEASURES`, but for the label.
    bound : float
        The worst quality that counts.
    """

    measure: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Criterion:
        """Read ``measure>=number``, or ``mse<=number``.

        Raises
        ------
        LeakproError
            For an unknown measure, the wrong direction, a number that is missing, or one that no
            reconstruction, or every one, would meet.
        """
        match = _TEXT.match(text)
        name = match.group(1) if match else ""
        if match is None:
            raise _unreadable(text)
        if name == LABEL:
            raise LeakproError("whether labels are recovered is the metric label_recovery")
        criteria = [known for known in MEASURES if known != LABEL]
        if name not in criteria:
            near = nearest_match(name, criteria)
            raise LeakproError(f"there is no measure of quality {printable(name, 40)!r}{near}")
        measure = MEASURES[name]
        sign, number = match.group(2), match.group(3)
        if sign is None and number is None and measure.usual is not None:
            if match.group(4) or match.end() < len(text):
                raise _unreadable(text, measure)
            return cls(name, measure.usual)
        if sign is None or number is None or match.end() < len(text):
            raise _unreadable(text, measure)
        better = "smaller" if measure.sign == "<=" else "larger"
        if sign != measure.sign:
            wrong = (
                f"the {better} the {name}, the better the reconstruction"
                if sign in _SIGNS
                else f"{sign!r} is no part of a criterion"
            )
            raise LeakproError(f"{wrong}: write {name}{measure.sign}{number}")
        if match.group(4) and not measure.is_share:
            raise LeakproError(f"{name} is no share: write {name}{sign}{number} without %")
        bound = float(number)
        if match.group(4):
            bound = float(f"{bound / 100:.15g}")
        _check_bound(name, measure, bound)
        return cls(name, bound)

    def __str__(self) -> str:
        if self.bound == MEASURES[self.measure].usual:
            return self.measure
        return f"{self.measure}{MEASURES[self.measure].sign}{plain_number(self.bound)}"

    def met(self, quality: NDArray[Any]) -> NDArray[Any]:
        """Tell of each record whether its quality counts."""
        if MEASURES[self.measure].sign == "<=":
            return quality <= self.bound
        return quality >= self.bound

    @property
    def miss(self) -> float:
        """The best quality that does not count."""
        worse = math.inf if MEASURES[self.measure].sign == "<=" else -math.inf
        return math.nextafter(self.bound, worse)


def tidy_criterion(text: str) -> str:
    """Write a criterion without spaces or percent signs; as it is where it cannot be read."""
    try:
        return str(Criterion.parse(text))
    except LeakproError:
        return text


def _unreadable(text: str, measure: Measure = MEASURES["ssim"]) -> LeakproError:
    shown = printable(text, 60)
    return LeakproError(
        f"cannot read the criterion {shown!r}: give a measure and the quality from which on a "
        f"record counts as rebuilt, as {measure.example}"
    )


def _check_bound(name: str, measure: Measure, bound: float) -> None:
    if not math.isfinite(bound):
        raise LeakproError(f"the quality in a criterion is a finite number, as {measure.example}")
    reach = bound if measure.sign == ">=" else -bound
    easiest, hardest = (
        (measure.least, measure.most) if measure.sign == ">=" else (-measure.most, -measure.least)
    )
    if reach > hardest:
        edge = (
            f"at most {measure.most:g}" if measure.sign == ">=" else f"at least {measure.least:g}"
        )
        raise LeakproError(
            f"no reconstruction meets {name}{measure.sign}{bound:.12g}: {name} is {edge}"
        )
    if bound >= measure.chance:
        raise LeakproError(
            f"what knows nothing meets {name}{measure.sign}{bound:.12g} by chance: "
            f"give less than {measure.chance:g}"
        )
    if reach <= easiest:
        raise LeakproError(
            f"every reconstruction meets {name}{measure.sign}{bound:.12g}: "
            f"{name} is at least {measure.least:g}"
        )
