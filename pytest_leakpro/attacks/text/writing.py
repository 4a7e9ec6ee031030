"""How a language model goes on with the beginnings of texts, whatever kind of model it is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.causal_model import CausalModel
from pytest_leakpro.targets.masked_model import MaskedModel
from pytest_leakpro.targets.token_scores import TokenScores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Writer", "cannot_write", "writer_of"]

_TOKENS_PER_WORD = 4  # of rare words; what comes beyond is not looked at


class Writer(ABC):
    """Continues texts, in the model's own units: tokens, or words where nobody knows its tokens."""

    unit: str

    @abstractmethod
    def split(self, texts: Sequence[str]) -> list[list[Any]]:
        """Take texts apart into units."""

    @abstractmethod
    def likeliest(self, prefixes: Sequence[Sequence[Any]], n_units: int) -> list[list[Any]]:
        """Give the likeliest continuation of each, of that many units or fewer."""

    @abstractmethod
    def log_chances(
        self, prefixes: Sequence[Sequence[Any]], suffixes: Sequence[Sequence[Any]]
    ) -> NDArray[np.float64]:
        """Give the log-probability of each suffix behind its prefix, shape (n,)."""

    @abstractmethod
    def text(self, units: Sequence[Any]) -> str:
        """Put units together."""


class _TokenWriter(Writer):
    """A causal model, by token ids."""

    unit = "tokens"

    def __init__(self, model: CausalModel) -> None:
        self._model = model

    def split(self, texts: Sequence[str]) -> list[list[Any]]:
        return [ids.tolist() for ids in self._model.tokeniser.encode(texts)]

    def likeliest(self, prefixes: Sequence[Sequence[Any]], n_units: int) -> list[list[Any]]:
        rows = self._model.greedy(prefixes, n_units).tolist()
        return [[token for token in row if token >= 0] for row in rows]

    def log_chances(
        self, prefixes: Sequence[Sequence[Any]], suffixes: Sequence[Sequence[Any]]
    ) -> NDArray[np.float64]:
        scores = self._model.continuation_scores(prefixes, suffixes)
        return np.array([score.sum() for score in scores])

    def text(self, units: Sequence[Any]) -> str:
        return self._model.tokeniser.decode(units)


class _WordWriter(Writer):
    """Something that takes texts, by words."""

    unit = "words"

    def __init__(self, model: TokenScores) -> None:
        self._model = model

    def split(self, texts: Sequence[str]) -> list[list[Any]]:
        return [text.split() for text in texts]

    def likeliest(self, prefixes: Sequence[Sequence[Any]], n_units: int) -> list[list[Any]]:
        generate = self._model.generate
        if generate is None:
            raise LeakproError(
                f"{self._model.name} has no generate(prefixes, n_tokens), which the likeliest "
                "continuation takes: add it, or ask for samples, as extraction[k=50, n=100]"
            )
        texts = [self.text(prefix) for prefix in prefixes]
        answers = list(generate(texts, _TOKENS_PER_WORD * n_units))
        if len(answers) != len(texts) or not all(isinstance(one, str) for one in answers):
            raise LeakproError(
                f"{self._model.name}: generate returned {len(answers):,} entries for "
                f"{len(texts):,} prefixes, or some that are no texts: it must return one text each"
            )
        # Some give the prefix back, too.
        pairs = zip(answers, texts, strict=True)
        return [answer.removeprefix(text).split()[:n_units] for answer, text in pairs]

    def log_chances(
        self, prefixes: Sequence[Sequence[Any]], suffixes: Sequence[Sequence[Any]]
    ) -> NDArray[np.float64]:
        whole = [self.text([*one, *other]) for one, other in zip(prefixes, suffixes, strict=True)]
        begun = [self.text(prefix) for prefix in prefixes]
        totals = [
            np.array([score[0].sum() for score in self._model.token_scores(part, statistics=False)])
            for part in (whole, begun)
        ]
        return np.asarray(np.minimum(totals[0] - totals[1], 0.0))

    def text(self, units: Sequence[Any]) -> str:
        return " ".join(units)


def cannot_write(adapter: Any) -> str | None:
    """Say why a model continues nothing; None where it does."""
    if isinstance(adapter, MaskedModel):
        return "a masked language model continues no texts"
    return None


def writer_of(adapter: Any) -> Writer:
    """Give what continues texts.

    Parameters
    ----------
    adapter : CausalModel or TokenScores
        Asks the model.

    Raises
    ------
    LeakproError
        Where it continues none.
    """
    if isinstance(adapter, CausalModel):
        return _TokenWriter(adapter)
    if isinstance(adapter, TokenScores):
        return _WordWriter(adapter)
    raise LeakproError(f"{cannot_write(adapter) or 'this model continues no texts'}")
