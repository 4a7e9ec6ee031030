"""Tokenisers of language models: what is asked of them, and how they are told apart.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Tokeniser", "tokeniser_mark"]

_LARGEST_SENSIBLE = 10**6  # without a limit of their own tokenizers say 1e30


class Tokeniser:
    """A user's tokenizer, asked for token ids and for its special tokens.

    Parameters
    ----------
    given : object
        Of transformers; or whatever maps a list of texts to ``{"input_ids": …}``, or has an
        ``encode(text)`` that gives token ids.

    Raises
    ------
    LeakproError
        If it is none.
    """

    def __init__(self, given: Any) -> None:
        if given is None or isinstance(given, (str, type)):
            kind = "missing" if given is None else f"a {type(given).__name__}"
            raise LeakproError(
                f"tokenizer is {kind}: give the tokenizer that the model was trained with, such as "
                "AutoTokenizer.from_pretrained(…); an object with token_logprobs(texts) needs none"
            )
        if not callable(given) and not callable(getattr(given, "encode", None)):
            raise LeakproError(
                f"tokenizer is a {type(given).__name__}, which turns no texts into token ids: give "
                "a tokenizer of transformers, or an object with encode(text)"
            )
        self._given = given

    def __repr__(self) -> str:
        return f"Tokeniser({type(self._given).__name__})"

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.intp]]:
        """Turn texts into token ids, without special tokens."""
        if callable(self._given):
            options = {"add_special_tokens": False}
            if _of_transformers(self._given):
                # It warns of texts beyond the context, which are read in windows here.
                options |= {
                    "verbose": False,
                    "truncation": False,
                    "padding": False,
                    "return_attention_mask": False,
                    "return_token_type_ids": False,
                }
            encoded = self._given(list(texts), **options)
            ids = encoded["input_ids"] if hasattr(encoded, "keys") else encoded
        else:
            ids = [self._given.encode(text) for text in texts]
            ids = [getattr(entry, "ids", entry) for entry in ids]
        if len(ids) != len(texts):
            raise LeakproError(
                f"the tokenizer gave {len(ids):,} sequences for {len(texts):,} texts: it must give "
                "one for each"
            )
        return [np.asarray(entry, dtype=np.intp).reshape(-1) for entry in ids]

    def decode(self, ids: Sequence[int]) -> str:
        """Turn token ids into a text."""
        return str(self._given.decode([int(number) for number in ids]))

    def special(self, name: str) -> int | None:
        """Give the id of a special token, such as "bos"; None where there is none."""
        number = getattr(self._given, f"{name}_token_id", None)
        return None if number is None else int(number)

    @property
    def longest(self) -> int | None:
        """The most tokens that it says a model reads, None where it says nothing sensible."""
        most = getattr(self._given, "model_max_length", None)
        sensible = isinstance(most, int) and 1 < most < _LARGEST_SENSIBLE
        return most if sensible else None


def tokeniser_mark(given: Any) -> str:
    """Tell a tokenizer from others, for the cache.

    Parameters
    ----------
    given : object or None

    Returns
    -------
    str
        Hexadecimal; another one at each call where nothing tells when the tokenizer changes.
    """
    if given is None:
        return ""
    backend = getattr(given, "backend_tokenizer", given)
    try:
        if hasattr(backend, "to_str"):
            told = [backend.to_str()]
        elif hasattr(given, "get_vocab"):
            told = [repr(sorted(given.get_vocab().items()))]
        else:
            import joblib

            told = [str(joblib.hash(given))]
    except Exception:  # whatever cannot be pickled has no digest
        return secrets.token_hex(16)
    names = ("bos", "cls", "sep", "mask")
    told += [repr(getattr(given, f"{name}_token_id", None)) for name in names]
    told.append(f"{type(given).__name__} {getattr(given, 'model_max_length', None)}")
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()


def _of_transformers(given: Any) -> bool:
    base = getattr(sys.modules.get("transformers"), "PreTrainedTokenizerBase", None)
    return base is not None and isinstance(given, base)
