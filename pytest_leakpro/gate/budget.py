"""Budgets, and the grammar in which they are written: ``tpr@0.1%fpr <= 1%``.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from pytest_leakpro.gate.catalogue import definition_of, metric_named
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metric_name import MetricName
from pytest_leakpro.gate.wording import plain_number, printable

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

__all__ = ["Budget", "parse_metric"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_SPACE = re.compile(r"\s*")
_OTHER_SIGNS = ("<", "≤", "=<", "==", "=", ">=", ">", "≥", "is")


@dataclass(frozen=True)
class Budget:
    """A metric and the limit that it may not exceed.

    Attributes
    ----------
    metric : MetricName
        What is measured.
    limit : float
        The largest value allowed, in the metric's unit; shares as numbers between 0 and 1.
    source : str
        Where the budget was declared; does not count when budgets are compared.

    Raises
    ------
    LeakproError
        Where no model could meet the limit, or every model would.

    Examples
    --------
    >>> Budget.parse("tpr@fpr=0.001 <= 0.01")
    Budget('tpr@0.1%fpr <= 1%')
    """

    metric: MetricName
    limit: float
    source: str = field(default="call", compare=False)

    def __post_init__(self) -> None:
        metric = definition_of(self.metric)
        metric.check_name(self.metric)
        metric.check_limit(self.metric, self.limit)

    @classmethod
    def parse(cls, text: str, source: str = "call") -> Budget:
        """Read a budget from text.

        Parameters
        ----------
        text : str
            ``name[argument]@F%fpr <= limit``: the argument and the rate only where the metric
            takes them; numbers as ``1%``, ``0.01`` or ``1e-2``; the rate also as ``@fpr=0.001``.
        source : str
            Where the text stands, for messages.

        Returns
        -------
        Budget

        Raises
        ------
        LeakproError
            Pointing at the character that cannot be read, or naming what is impossible.
        """
        reader = _Reader(text)
        metric = reader.metric()
        reader.less_or_equal()
        limit = reader.number("the limit, as 1% or 0.01")
        reader.end()
        return _named(text, lambda: cls(metric, limit, source))

    def __str__(self) -> str:
        unit = definition_of(self.metric).unit
        return f"{self.metric} <= {plain_number(self.limit, unit)}"

    def __repr__(self) -> str:
        return f"Budget({str(self)!r})"


@lru_cache(maxsize=256)
def parse_metric(text: str) -> MetricName:
    """Read the name of a metric, such as ``tpr@0.1%fpr``, without a limit.

    Raises
    ------
    LeakproError
        As `Budget.parse`.
    """
    reader = _Reader(text)
    metric = reader.metric()
    reader.end()
    _named(text, lambda: definition_of(metric).check_name(metric))
    return metric


def _named(text: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except LeakproError as error:
        raise LeakproError(f"the budget {printable(text)!r} is impossible: {error}") from None


class _Reader:
    """Reads a budget from left to right; an error shows where it stopped."""

    def __init__(self, text: object) -> None:
        if not isinstance(text, str):
            raise LeakproError(
                f"a budget is text such as 'auc <= 0.55' or a Budget, not {type(text).__name__}"
            )
        self.text = text
        self.at = 0

    def fail(self, expected: str, at: int | None = None) -> LeakproError:
        line = printable(self.text)
        # Escapes before the place make the printed line longer than the text.
        place = len(printable(self.text[: self.at if at is None else at]))
        return LeakproError(f"cannot read the budget\n    {line}\n    {' ' * place}^ {expected}")

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def metric(self) -> MetricName:
        self.skip_space()
        start = self.at
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise self.fail("expected the name of a metric, such as tpr or auc")
        self.at = match.end()
        try:
            metric_named(match.group())
        except LeakproError as error:
            raise self.fail(str(error), start) from None
        argument = self.argument()
        if argument is not None:
            argument = metric_named(match.group()).tidy_argument(argument)
        fpr = self.rate()
        return MetricName(match.group(), argument, fpr)

    def argument(self) -> str | None:
        if not self.text.startswith("[", self.at):
            return None
        start, depth = self.at, 0
        for place in range(start, len(self.text)):
            depth += {"[": 1, "]": -1}.get(self.text[place], 0)
            if depth == 0:
                argument = self.text[start + 1 : place].strip()
                if not argument:
                    raise self.fail("expected an argument between the brackets", start + 1)
                self.at = place + 1
                return argument
        raise self.fail('this "[" is never closed', start)

    def rate(self) -> float | None:
        self.skip_space()
        if not self.text.startswith("@", self.at):
            return None
        self.at += 1
        self.skip_space()
        if self.text[self.at : self.at + 3].lower() == "fpr":
            self.at += 3
            self.skip_space()
            if not self.text.startswith("=", self.at):
                raise self.fail('expected "=" and a false-positive rate, as @fpr=0.001')
            self.at += 1
            return self.number("a false-positive rate, as @fpr=0.001")
        rate = self.number("a false-positive rate, as @0.1%fpr or @fpr=0.001")
        self.skip_space()
        if self.text[self.at : self.at + 3].lower() != "fpr":
            raise self.fail('expected "fpr", as in @0.1%fpr')
        self.at += 3
        return rate

    def less_or_equal(self) -> None:
        self.skip_space()
        if self.text.startswith("<=", self.at):
            self.at += 2
            return
        for sign in _OTHER_SIGNS:
            if self.text.startswith(sign, self.at):
                raise self.fail('expected "<=": a budget is the largest value allowed')
        raise self.fail('expected "<=" and a limit')

    def number(self, what: str) -> float:
        self.skip_space()
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self.fail(f"expected {what}")
        self.at = match.end()
        value = float(match.group())
        self.skip_space()
        if self.text.startswith("%", self.at):
            self.at += 1
            value = float(f"{value / 100:.15g}")  # 0.1% is 0.001, not 0.0010000000000000002
        return value

    def end(self) -> None:
        self.skip_space()
        if self.at < len(self.text):
            raise self.fail("did not expect anything here")
