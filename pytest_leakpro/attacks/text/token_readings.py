"""What is read of the tokens of texts, of every shadow model alike, to be learned from.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.text.min_k_plus_plus import standardised_tokens
from pytest_leakpro.targets.readings import Reading
from pytest_leakpro.targets.text_signals import TextSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["TokenReading"]

_SHARE = 0.2
_FEW = 0.02


@dataclass(frozen=True)
class TokenReading(Reading):
    """The mean of a text's least likely tokens, of more and of few, and of standardised ones.

    Attributes
    ----------
    statistics : bool
        Whether tokens can be standardised.
    """

    name: ClassVar[str] = "text scores"

    statistics: bool = True

    @property
    def width(self) -> int:
        """See `Reading.width`."""
        return 3 if self.statistics else 2

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """See `Reading.read`."""
        signals: Any = reader.signals(model, records)
        assert isinstance(signals, TextSignals)
        rows = [signals.lowest(signals.log_probabilities, share) for share in (_SHARE, _FEW)]
        if self.statistics:
            rows.append(signals.lowest(standardised_tokens(signals), _SHARE))
        return np.stack(rows)
