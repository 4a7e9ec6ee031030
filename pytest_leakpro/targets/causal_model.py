"""Language models that predict each token from those before it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.logit_model import LogitModel
from pytest_leakpro.targets.text_windows import batches, causal_windows
from pytest_leakpro.targets.token_laws import token_laws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ENDED", "CausalModel"]

ENDED = -1
"""Stands in the place of tokens behind the end that a model generated."""


class CausalModel(LogitModel):
    """A causal language model with its tokenizer.

    Where the tokenizer has a token that begins a text, it is put in front of every text, so that
    the first token is scored as well; else nothing is said of the first token.
    """

    def token_scores(
        self, texts: Sequence[str], *, statistics: bool = True
    ) -> list[tuple[NDArray[np.float64], ...]]:
        """Score the tokens of texts.

        Parameters
        ----------
        texts : sequence of str
        statistics : bool
            Whether means and deviations are wanted, too.

        Returns
        -------
        list of tuple of ndarray
            Per text the log-probabilities of its tokens, alone or with means and deviations; empty
            where there is no token to score.
        """
        sequences = self._begun(self.tokeniser.encode(texts))
        scores = self._scores(sequences, [1] * len(sequences), statistics=statistics)
        return [tuple(score) for score in scores]

    def continuation_scores(
        self, prefixes: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float64]]:
        """Score the tokens of given continuations of given prefixes.

        Parameters
        ----------
        prefixes, continuations : sequence of sequence of int
            Token ids, one continuation per prefix. A prefix may be empty only where the tokenizer
            has a token that begins a text, which is put in front of all.

        Returns
        -------
        list of ndarray
            Per pair the log-probability of each token of the continuation, natural logarithms. Of
            pairs that are longer than the context, at least half a context before it counts.
        """
        begun = self._begun([np.asarray(prefix, dtype=np.intp) for prefix in prefixes])
        if any(not len(prefix) for prefix in begun):
            raise LeakproError(
                "a prefix is empty and the tokenizer has no token that begins a text: give at "
                "least one token"
            )
        pairs = zip(begun, continuations, strict=True)
        sequences = [np.concatenate([prefix, np.asarray(rest, np.intp)]) for prefix, rest in pairs]
        firsts = [len(prefix) for prefix in begun]
        return [score[0] for score in self._scores(sequences, firsts, statistics=False)]

    def greedy(self, prefixes: Sequence[Sequence[int]], n_tokens: int) -> NDArray[np.intp]:
        """Continue prefixes with the likeliest token each time.

        Parameters
        ----------
        prefixes : sequence of sequence of int
            Token ids. The token that begins a text is put in front, where the tokenizer has one.
        n_tokens : int
            How many tokens to generate, at least 1.

        Returns
        -------
        ndarray of int, shape (n, n_tokens)
            Token ids; `ENDED` behind the token that ends a text.

        Notes
        -----
        By the model's own ``generate`` where it has one. Of prefixes that leave no room for the
        tokens in the context, the last part is read.
        """
        begun = self._begun([np.asarray(prefix, dtype=np.intp) for prefix in prefixes])
        if self.context is not None:
            if n_tokens >= self.context:
                raise LeakproError(
                    f"{n_tokens:,} tokens are to be generated, and the model reads {self.context:,}"
                )
            begun = [prefix[-(self.context - n_tokens) :] for prefix in begun]
        if any(not len(prefix) for prefix in begun):
            raise LeakproError("a prefix is empty: give at least one token")
        found = np.full((len(begun), n_tokens), ENDED, dtype=np.intp)
        # Prefixes of one length go together, so that nothing is padded.
        by_length: dict[int, list[int]] = {}
        for row, prefix in enumerate(begun):
            by_length.setdefault(len(prefix), []).append(row)
        with self.asking():
            for length, rows in by_length.items():
                full = [length + n_tokens] * len(rows)
                for places in batches(full, self._batch_size, self.most_tokens):
                    chosen = [rows[place] for place in places]
                    found[chosen] = self._continued(np.stack([begun[r] for r in chosen]), n_tokens)
        return found

    def _begun(self, sequences: Sequence[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
        first = self.tokeniser.special("bos")
        if first is None:
            return list(sequences)
        return [np.concatenate([[first], ids]).astype(np.intp) for ids in sequences]

    def _scores(
        self, sequences: Sequence[NDArray[np.intp]], firsts: Sequence[int], *, statistics: bool
    ) -> list[NDArray[np.float64]]:
        """Give arrays of shape (3 or 1, tokens) of the tokens from the first to be scored on."""
        lengths = [len(sequence) for sequence in sequences]
        found = [
            np.empty((3 if statistics else 1, max(0, length - first)))
            for length, first in zip(lengths, firsts, strict=True)
        ]
        windows = causal_windows(lengths, self.context, firsts)
        sizes = [window.length for window in windows]
        with self.asking():
            for places in batches(sizes, self._batch_size, self.most_tokens):
                chosen = [windows[place] for place in places]
                logits = self.logits([sequences[w.sequence][w.start : w.stop] for w in chosen])
                width = logits.shape[1]
                # What stands before a token predicts it.
                rows = [
                    np.arange(w.first, w.last) - 1 - w.start + row * width
                    for row, w in enumerate(chosen)
                ]
                tokens = [sequences[w.sequence][w.first : w.last] for w in chosen]
                laws = token_laws(
                    logits.flatten(0, 1),
                    np.concatenate(rows),
                    np.concatenate(tokens),
                    statistics=statistics,
                )
                ends = np.cumsum([len(part) for part in tokens])[:-1]
                for window, part in zip(chosen, np.split(laws, ends, axis=1), strict=True):
                    first = firsts[window.sequence]
                    found[window.sequence][:, window.first - first : window.last - first] = part
        return found

    def _continued(self, prefixes: NDArray[np.intp], n_tokens: int) -> NDArray[np.intp]:
        """Continue prefixes of one length; shape (n, n_tokens)."""
        found = np.full((len(prefixes), n_tokens), ENDED, dtype=np.intp)
        if self.generate is not None:
            rest = self._generated(prefixes, n_tokens)
            found[:, : rest.shape[1]] = rest
        else:
            sequences = prefixes
            for place in range(n_tokens):
                logits = self.logits(list(sequences))[:, -1]
                found[:, place] = logits.argmax(dim=-1).cpu().numpy()
                sequences = np.concatenate([sequences, found[:, place : place + 1]], axis=1)
        return _until_end(found, self._ends())

    def _generated(self, prefixes: NDArray[np.intp], n_tokens: int) -> NDArray[np.intp]:
        torch = sys.modules["torch"]
        ids = torch.as_tensor(prefixes, dtype=torch.int64, device=self.device)
        padding = self.tokeniser.special("pad")
        fallback = next(iter(self._ends()), 0)
        output = self.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=n_tokens,
            # Whatever the model's own settings say of sampling.
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            repetition_penalty=1.0,
            pad_token_id=fallback if padding is None else padding,
        )
        output = getattr(output, "sequences", output)
        rest: NDArray[np.intp] = output[:, prefixes.shape[1] :].cpu().numpy()
        return rest[:, :n_tokens]

    def _ends(self) -> set[int]:
        """Give the tokens that end a text."""
        config: Any = getattr(self._model, "generation_config", None)
        own = getattr(config, "eos_token_id", None)
        ends = {*own} if isinstance(own, (list, tuple)) else {own}
        ends.add(self.tokeniser.special("eos"))
        return {int(end) for end in ends if end is not None}


def _until_end(tokens: NDArray[np.intp], ends: set[int]) -> NDArray[np.intp]:
    """Put `ENDED` behind the first token that ends a text; it stays itself."""
    is_end = np.isin(tokens, list(ends))
    behind = np.cumsum(is_end, axis=1) - is_end > 0
    return np.where(behind, ENDED, tokens)
