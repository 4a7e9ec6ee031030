"""The outcome of an audit: one target against its budgets.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.table import html_table, text_table
from pytest_leakpro.gate.verdict import Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.store.scores import SavedScores

__all__ = ["Audit", "MemberScores"]


@dataclass(frozen=True, repr=False, eq=False)
class MemberScores:
    """One attack's scores of the members, with the identity that the user knows them by."""

    ids: NDArray[Any]
    scores: NDArray[Any]

    def __repr__(self) -> str:
        return f"MemberScores({len(self.scores)})"


@dataclass(frozen=True)
class Audit:
    """What an audit found. ``str(audit)`` is the summary table.

    Attributes
    ----------
    target : str
        Name of the target.
    measurements : tuple of Measurement
        One per budget in the order given, or per usual metric where there was no budget; of several
        attackers each budget has one per attacker, in their order.
    seed : int
        What every random choice followed from.
    alpha : float
        Error of both sides of the bounds together.
    notes : tuple of str
        What was dropped, set aside or sampled, and what keeps verdicts from being more.
    details : mapping
        What records hold of how the figures came about, as plain data.
    """

    target: str
    measurements: tuple[Measurement, ...]
    seed: int
    alpha: float
    notes: tuple[str, ...] = ()
    exposed: Mapping[tuple[str, str], MemberScores] = field(
        default_factory=dict, repr=False, compare=False
    )
    details: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    scores: SavedScores | None = field(default=None, repr=False, compare=False)

    @property
    def verdict(self) -> Verdict | None:
        """FAIL where a budget is violated, else INCONCLUSIVE where one is undecided, else PASS.

        None where there were no budgets.
        """
        return worst(measurement.verdict for measurement in self.measurements)

    @property
    def regressed(self) -> bool:
        """Whether some measurement is significantly above its baseline, by more than allowed."""
        return any(entry.regressed for entry in self.measurements)

    def vulnerable(self, k: int) -> NDArray[Any]:
        """Give the members that the strongest attack exposes most.

        Parameters
        ----------
        k : int
            How many, at least 1; fewer are given where there are fewer members.

        Returns
        -------
        ndarray of shape (k,)
            Positions in the members as they were given, or ids where the target has `groups`;
            the most exposed first. They are personal data: never printed, and written only where
            that is asked for (``--leakpro-save-vulnerable``).

        Raises
        ------
        LeakproError
            Where `k` is no positive number, or no member was scored.
        """
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise LeakproError(f"k is a whole number of at least 1, not {k!r}")
        failed = [entry for entry in self.measurements if entry.verdict is Verdict.FAIL]
        for measurement in (*failed, *self.measurements):
            member_scores = self.exposed.get((measurement.access, measurement.attack))
            if member_scores is not None:
                order = (-member_scores.scores).argsort(kind="stable")[:k]
                most: NDArray[Any] = member_scores.ids[order]
                return most
        raise LeakproError("this audit scored no members, so it cannot tell which are exposed")

    def to_plain(self) -> list[dict[str, Any]]:
        """Give the measurements as plain records; see `Measurement.to_plain`."""
        return [measurement.to_plain() for measurement in self.measurements]

    def __str__(self) -> str:
        lines = [text_table(self.to_plain())]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html_table(self.to_plain(), self.notes)
