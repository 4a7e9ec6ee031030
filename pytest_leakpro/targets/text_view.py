"""Member and non-member texts as attacks on a language model see them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.membership_view import MembershipView, Sight
from pytest_leakpro.targets.text_signals import TextSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.text_canaries import TextCanaries
    from pytest_leakpro.targets.text_reader import TextReader

__all__ = ["TextSight", "TextView"]


@dataclass(frozen=True, repr=False, eq=False)
class TextSight(Sight):
    """What an attacker can ask of a language model, and knows.

    Attributes
    ----------
    reference : object
        Another language model of the attacker's; None where there is none.
    reference_reader : TextReader or None
        Reads it.
    canaries : TextCanaries or None
        Texts that the auditor inserted in the training data.
    detector : callable or None
        What finds personal data in texts, where the user gave it.
    """

    reference: Any = None
    reference_reader: TextReader | None = None
    canaries: TextCanaries | None = None
    detector: Callable[[str], Any] | None = None


class TextView(MembershipView):
    """Members and non-members of a language model; see `MembershipView`.

    All that is said of the tokens of a side's texts is read in one pass over the model, and kept.
    """

    def __repr__(self) -> str:
        return (
            f"TextView(members={self.n_members}, nonmembers={self.n_nonmembers}, "
            f"queries={self.queries})"
        )

    @property
    def output(self) -> str | None:
        """Always log-probabilities of tokens."""
        return "log-probabilities"

    @property
    def asking(self) -> ModelReader:
        """Reads this model and others of its recipe as the sides are read."""
        return self._sight.model_reader

    @property
    def gives_statistics(self) -> bool:
        """Whether the model gives away its whole law in the place of each token."""
        return bool(getattr(self._sight.adapter, "gives_statistics", False))

    @property
    def has_reference(self) -> bool:
        """Whether the attacker has another language model."""
        return isinstance(self._sight, TextSight) and self._sight.reference is not None

    def texts(self, side: str) -> list[str]:
        """Give the texts of a side.

        Parameters
        ----------
        side : {"members", "nonmembers", "population"}
            Which side.
        """
        texts: list[str] = self._records[side].inputs
        return texts

    def tokens(self, side: str) -> TextSignals:
        """Give what the model says of the tokens of a side's texts."""
        signals: TextSignals = self._read(side)
        return signals

    def ask_about(self, side: str, texts: Sequence[str]) -> TextSignals:
        """Ask the model about other texts in place of a side's; every text is a query.

        Parameters
        ----------
        side : str
            Whose texts they were made of, for errors.
        texts : sequence of str
            As many as the side has, in its order.
        """
        signals: Any = self.ask(replace(self._records[side], inputs=list(texts)))
        assert isinstance(signals, TextSignals)
        return signals

    def reference(self, side: str) -> TextSignals:
        """Give what the attacker's other model says of a side's texts; kept, and no query.

        Raises
        ------
        LeakproError
            Where there is none.
        """
        sight = self._sight
        if not isinstance(sight, TextSight) or sight.reference_reader is None:
            raise LeakproError("an attack wants another language model: give one as reference=")
        key = f"reference {side}"
        if key not in self.kept:
            try:
                self.kept[key] = sight.reference_reader.signals(
                    sight.reference, self._records[side]
                )
            except LeakproError as error:
                raise LeakproError(f"reference: {error}") from error
        signals: TextSignals = self.kept[key]
        return signals

    @property
    def adapter(self) -> Any:
        """Asks the model: for continuations, and whatever texts; say so to `charge`."""
        return self._sight.adapter

    @property
    def canaries(self) -> TextCanaries | None:
        """Texts that the auditor inserted in the training data; None where there are none."""
        return self._sight.canaries if isinstance(self._sight, TextSight) else None

    @property
    def detector(self) -> Callable[[str], Any] | None:
        """What finds personal data in texts; None where the user gave nothing."""
        return self._sight.detector if isinstance(self._sight, TextSight) else None

    def charge(self, who: str, n_texts: int) -> None:
        """Count texts that the model was asked about through `adapter`."""
        self._charges[who] = self._charges.get(who, 0) + n_texts
        self._meter.queries += n_texts

    def totals_of(self, texts: Sequence[str], what: str) -> NDArray[np.float64]:
        """Ask for the log-probability of each of any texts, shape (n,); every text is a query.

        Raises
        ------
        LeakproError
            Where a text has no token to score.
        """
        scores = self.adapter.token_scores(texts, statistics=False)
        self.charge(what, len(texts))
        empty = sum(not len(score[0]) for score in scores)
        if empty:
            raise LeakproError(
                f"{what}: {empty:,} of {len(texts):,} have no token to score: give longer texts"
            )
        return np.array([score[0].sum() for score in scores])

    def _read(self, side: str) -> Any:
        self._charges[side] = len(self._records[side])
        if side not in self._signals:
            reader = replace(self._sight.model_reader, meter=self._meter)
            self._signals[side] = reader.signals(self._sight.model, self._records[side])
        return self._signals[side]
