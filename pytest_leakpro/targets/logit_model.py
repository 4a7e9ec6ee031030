"""Models of transformers, or like them: token ids in, logits out.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import inspect
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_tensor
from pytest_leakpro.targets.model_adapter import model_name
from pytest_leakpro.targets.torch_model import evaluating, is_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.tokenisers import Tokeniser

__all__ = ["LogitModel"]

_MOST_TOKENS = 1 << 13  # in a batch
# Logits of a batch at once: a quarter of a gigabyte on a processor, a whole one elsewhere.
_LOGITS_ON_CPU = 1 << 26
_LOGITS_ELSEWHERE = 1 << 28
_USUAL_VOCABULARY = 50_000  # where a model does not say how many tokens it knows
# Their position embeddings begin behind that of padding.
_PADDED_POSITIONS = ("roberta", "camembert", "mpnet", "longformer")


class LogitModel:
    """A model that takes ``input_ids`` and ``attention_mask`` and returns ``.logits``.

    Parameters
    ----------
    model : torch.nn.Module or callable
        The model, on any device.
    tokeniser : Tokeniser
        Its tokenizer.
    batch_size : int or None
        At most how many sequences to send at once; fewer where their logits would take too much
        memory.
    context : int or None
        At most how many tokens to send of one sequence; None for what model and tokenizer say.

    Raises
    ------
    LeakproError
        Where the model reads fewer tokens than `context`.
    """

    gives_statistics = True

    def __init__(
        self, model: Any, tokeniser: Tokeniser, batch_size: int | None, context: int | None
    ) -> None:
        self._model = model
        self.tokeniser = tokeniser
        self._batch_size = batch_size
        self.name = model_name(model)
        self.context = _settle_context(context, _positions(model), tokeniser.longest)
        self._options = {"use_cache": False} if _takes(model, "use_cache") else {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    @property
    def device(self) -> str:
        """Where it computes, such as ``"cpu"`` or ``"cuda:0"``."""
        weights = self._model.parameters() if is_module(self._model) else iter(())
        first = next(iter(weights), None)
        return "cpu" if first is None else str(first.device)

    @property
    def generate(self) -> Any:
        """The model's own method that continues sequences; None where it has none."""
        method = getattr(self._model, "generate", None)
        return method if callable(method) else None

    @property
    def most_tokens(self) -> int:
        """At most how many tokens to send at once, with padding, so that logits fit in memory."""
        size = getattr(getattr(self._model, "config", None), "vocab_size", None)
        known = size if isinstance(size, int) and size > 0 else _USUAL_VOCABULARY
        most = _LOGITS_ON_CPU if self.device == "cpu" else _LOGITS_ELSEWHERE
        return max(1, min(_MOST_TOKENS, most // known))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Hold the model in evaluation mode, without gradients, and put it back as it was."""
        with ExitStack() as stack:
            if is_module(self._model):
                stack.enter_context(evaluating(self._model))
            stack.enter_context(sys.modules["torch"].inference_mode())
            yield

    def logits(self, sequences: Sequence[NDArray[np.intp]]) -> Any:
        """Ask about a batch of sequences, padded behind; to be called within `asking`.

        Parameters
        ----------
        sequences : sequence of ndarray of int
            Token ids, none of them empty.

        Returns
        -------
        torch.Tensor, shape (n, longest, V)

        Raises
        ------
        LeakproError
            Where the model returns anything else.
        """
        torch = sys.modules["torch"]
        longest = max(map(len, sequences))
        # Every model knows token 0; a tokenizer may pad with one that was added and never learned.
        ids = np.zeros((len(sequences), longest), dtype=np.int64)
        there = np.zeros((len(sequences), longest), dtype=np.int64)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = sequence
            there[row, : len(sequence)] = 1
        device = self.device
        output = self._model(
            input_ids=torch.from_numpy(ids).to(device),
            attention_mask=torch.from_numpy(there).to(device),
            **self._options,
        )
        logits: Any = getattr(output, "logits", None)
        if logits is None and hasattr(output, "keys") and "logits" in output:
            logits = output["logits"]
        if not is_tensor(logits):
            raise LeakproError(
                f"{self.name} returned a {type(output).__name__} without logits: load it with "
                "AutoModelForCausalLM (or AutoModelForMaskedLM), since AutoModel has no head that "
                "predicts tokens"
            )
        if tuple(logits.shape[:2]) != ids.shape or logits.ndim != 3:
            raise LeakproError(
                f"{self.name} returned logits of shape {tuple(logits.shape)} for token ids of "
                f"shape {ids.shape}: they must be of shape (texts, tokens, vocabulary)"
            )
        return logits


def _positions(model: Any) -> int | None:
    """Give the most tokens that a model says it reads at once; None where it does not say."""
    config = getattr(model, "config", None)
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx"):
        most = getattr(config, name, None)
        if isinstance(most, int) and most > 1:
            kind = str(getattr(config, "model_type", ""))
            padding = getattr(config, "pad_token_id", None)
            if isinstance(padding, int) and any(word in kind for word in _PADDED_POSITIONS):
                return most - padding - 1
            return most
    return None


def _settle_context(
    given: int | None, of_model: int | None, of_tokeniser: int | None
) -> int | None:
    known = [most for most in (of_model, of_tokeniser) if most is not None]
    if given is None:
        return min(known, default=None)
    # The tokenizer's limit is a habit, the model's is how many positions it has.
    if of_model is not None and given > of_model:
        raise LeakproError(
            f"context is {given:,}, but the model reads at most {of_model:,} tokens at once: give "
            "fewer, or leave it out"
        )
    return given


def _takes(model: Any, name: str) -> bool:
    try:
        parameters = inspect.signature(getattr(model, "forward", model)).parameters
    except (TypeError, ValueError):
        return False
    return name in parameters
