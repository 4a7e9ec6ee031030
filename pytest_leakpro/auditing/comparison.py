"""What the audits of several defences found, beside each other.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.comparison_table import html_comparison, text_comparison
from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.gate.contrast import Contrast
    from pytest_leakpro.gate.measurement import Measurement

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """What audits of several defences found, beside each other. ``str(comparison)`` is the table.

    Attributes
    ----------
    name : str
        What the comparison is called.
    audits : mapping of str to Audit
        By the label of the defence, in the order given; the first is what the others are compared
        with.
    utilities : mapping of str to float
        By label; empty where none was asked for.
    utility_name : str
        What the utility is called.
    alpha : float
        Error of the comparisons of one metric together.
    """

    name: str
    audits: Mapping[str, Audit]
    utilities: Mapping[str, float]
    utility_name: str
    alpha: float
    _contrast: Callable[[str, str, str], Contrast] = field(repr=False, compare=False)

    def __getitem__(self, label: str) -> Audit:
        """Give the audit of a defence."""
        try:
            return self.audits[label]
        except KeyError:
            raise self._unknown(label) from None

    def __len__(self) -> int:
        return len(self.audits)

    @property
    def labels(self) -> tuple[str, ...]:
        """The defences, in the order given."""
        return tuple(self.audits)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All that was measured, defence by defence."""
        return tuple(entry for audit in self.audits.values() for entry in audit.measurements)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What was measured, as it is written in budgets."""
        return tuple(dict.fromkeys(str(entry.metric) for entry in self.measurements))

    def lower(self, metric: str | None = None) -> tuple[str, ...]:
        """Give the defences that leak significantly less than the first.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; the first of them by default.

        Returns
        -------
        tuple of str
            Labels, in the order given. With a probability of at least about ``1 - alpha`` none of
            them leaks as much as the first or more.
        """
        return tuple(label for label in self.labels[1:] if self.outcome(label, metric) == "lower")

    def outcome(self, label: str, metric: str | None = None) -> str:
        """Tell how a defence compares with the first.

        Parameters
        ----------
        label : str
            Which.
        metric : str, optional
            One of `metrics`; the first of them by default.

        Returns
        -------
        str
            ``"lower"`` or ``"higher"`` where its leakage is significantly so, ``"not told apart"``,
            ``"incomparable"`` where nothing was scored, ``"first"`` of the first.
        """
        wanted = self._metric(metric)
        found = next(
            entry.comparison
            for entry in self[label].measurements
            if str(entry.metric) == wanted and entry.comparison is not None
        )
        return str(found["outcome"])

    def leaks_less(self, one: str, other: str, metric: str | None = None) -> bool:
        """Tell whether one defence leaks significantly less than another, whichever they are.

        Parameters
        ----------
        one, other : str
            Labels.
        metric : str, optional
            One of `metrics`; the first of them by default.

        Returns
        -------
        bool
            With a probability of at least about ``1 - alpha`` no answer of True is wrong, however
            many pairs are asked about.
        """
        return self._pair(one, other, metric).outcome == "lower"

    def ranking(self, metric: str | None = None) -> tuple[str, ...]:
        """Order the defences by what was measured, the least leakage first.

        Neighbours may differ by chance alone: `leaks_less` tells which do not.
        """
        wanted = self._metric(metric)
        values = {
            label: max(
                (
                    entry.comparable.value
                    for entry in audit.measurements
                    if str(entry.metric) == wanted and entry.comparable is not None
                ),
                default=math.inf,
            )
            for label, audit in self.audits.items()
        }
        return tuple(sorted(values, key=values.__getitem__))

    def _pair(self, one: str, other: str, metric: str | None) -> Contrast:
        for label in (one, other):
            self[label]
        if one == other:
            raise LeakproError(f"{one!r} is compared with itself: name two defences")
        return self._contrast(self._metric(metric), other, one)

    def _metric(self, metric: str | None) -> str:
        if metric is None:
            return self.metrics[0]
        if metric not in self.metrics:
            raise LeakproError(
                f"{printable(str(metric), 60)!r} was not measured here: "
                f"{', '.join(self.metrics)} were"
            )
        return metric

    def _unknown(self, label: object) -> LeakproError:
        hint = nearest_match(str(label), self.labels)
        return LeakproError(
            f"no defence is called {printable(str(label), 60)!r}{hint}: there are "
            f"{', '.join(printable(entry, 40) for entry in self.labels)}"
        )

    def to_plain(self) -> list[dict[str, Any]]:
        """Give all measurements as plain records; see `Measurement.to_plain`."""
        return [record for audit in self.audits.values() for record in audit.to_plain()]

    def __str__(self) -> str:
        return "\n".join(text_comparison(self.to_plain()))

    def _repr_html_(self) -> str:
        return html_comparison(self.to_plain())
