"""Member and non-member texts as attacks on a language model see them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.membership_view import MembershipView, Sight
from pytest_leakpro.targets.text_signals import TextSignals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.targets.model_reader import ModelReader
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
    """

    reference: Any = None
    reference_reader: TextReader | None = None


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

    def _read(self, side: str) -> Any:
        self._charges[side] = len(self._records[side])
        if side not in self._signals:
            reader = replace(self._sight.model_reader, meter=self._meter)
            self._signals[side] = reader.signals(self._sight.model, self._records[side])
        return self._signals[side]
