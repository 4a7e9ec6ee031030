"""Language models that predict a masked token from those around it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.logit_model import LogitModel
from pytest_leakpro.targets.text_windows import Window, batches, masked_windows
from pytest_leakpro.targets.token_laws import token_laws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.tokenisers import Tokeniser

__all__ = ["MaskedModel"]


class MaskedModel(LogitModel):
    """A masked language model, which scores texts by their pseudo-log-likelihood.

    Each token is masked in turn, so a text of t tokens is asked about t times.

    Parameters
    ----------
    model, tokeniser, batch_size, context
        As for `LogitModel`; the context with special tokens.

    Raises
    ------
    LeakproError
        Where the tokenizer has no mask.

    References
    ----------
    Salazar, Liang, Nguyen and Kirchhoff (2020), Masked language model scoring, ACL, section 2.
    """

    def __init__(
        self, model: Any, tokeniser: Tokeniser, batch_size: int | None, context: int | None
    ) -> None:
        super().__init__(model, tokeniser, batch_size, context)
        mask = tokeniser.special("mask")
        if mask is None:
            raise LeakproError(
                "the tokenizer has no mask_token, which a masked language model is asked with: "
                "give the tokenizer that the model was trained with, or masked=False for a model "
                "that predicts the next token"
            )
        self._mask = mask
        first, last = tokeniser.special("cls"), tokeniser.special("sep")
        self._before = [] if first is None else [first]
        self._behind = [] if last is None else [last]

    def token_scores(
        self, texts: Sequence[str], *, statistics: bool = True
    ) -> list[tuple[NDArray[np.float64], ...]]:
        """Score the tokens of texts, each from all others; see `CausalModel.token_scores`."""
        sequences = self.tokeniser.encode(texts)
        lengths = [len(sequence) for sequence in sequences]
        found = [np.empty((3 if statistics else 1, length)) for length in lengths]
        extra = len(self._before) + len(self._behind)
        room = None if self.context is None else max(2, self.context - extra)
        windows = masked_windows(lengths, room)
        # One entry per token: the window that it is scored in, and where it stands in its sequence.
        asked = [
            (window, place) for window in windows for place in range(window.first, window.last)
        ]
        sizes = [window.length + extra for window, _ in asked]
        with self.asking():
            for places in batches(sizes, self._batch_size, self.most_tokens):
                chosen = [asked[place] for place in places]
                logits = self.logits([self._masked(sequences, *entry) for entry in chosen])
                width = logits.shape[1]
                rows = [
                    row * width + len(self._before) + place - window.start
                    for row, (window, place) in enumerate(chosen)
                ]
                tokens = [sequences[window.sequence][place] for window, place in chosen]
                laws = token_laws(
                    logits.flatten(0, 1), np.array(rows), np.array(tokens), statistics=statistics
                )
                for column, (window, place) in enumerate(chosen):
                    found[window.sequence][:, place] = laws[:, column]
        return [tuple(scores) for scores in found]

    def _masked(
        self, sequences: Sequence[NDArray[np.intp]], window: Window, place: int
    ) -> NDArray[np.intp]:
        ids = sequences[window.sequence][window.start : window.stop].copy()
        ids[place - window.start] = self._mask
        return np.concatenate([self._before, ids, self._behind]).astype(np.intp)
