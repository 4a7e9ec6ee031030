"""What a language model says about texts, token by token.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["TextSignals"]


@dataclass(frozen=True, repr=False, eq=False)
class TextSignals:
    """What a language model says about n texts of t tokens in all.

    Attributes
    ----------
    offsets : ndarray of int, shape (n + 1,)
        The tokens of text i stand from ``offsets[i]`` up to ``offsets[i + 1]``; each text has one
        at least.
    log_probabilities : ndarray of float64, shape (t,)
        Of each token given what stands before it (of a masked model: around it), natural
        logarithms, finite and at most 0.
    means, deviations : ndarray of float64, shape (t,), or None
        Mean and standard deviation of the log-probability of a token that the model draws itself
        in that place; None where the model does not give them away.
    """

    offsets: NDArray[np.intp]
    log_probabilities: NDArray[np.float64]
    means: NDArray[np.float64] | None = None
    deviations: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n_tokens = len(self.log_probabilities)
        if self.offsets[0] != 0 or self.offsets[-1] != n_tokens or (self.counts < 1).any():
            raise LeakproError(
                "text signals take offsets from 0 to the number of tokens, and a token of each text"
            )
        both = (self.means, self.deviations)
        if any(part is not None and part.shape != (n_tokens,) for part in both):
            raise LeakproError(
                f"text signals take a mean and a deviation for each of {n_tokens:,} tokens"
            )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"TextSignals({len(self)}, tokens={len(self.log_probabilities)})"

    @property
    def n_classes(self) -> int:
        """0: there are no classes."""
        return 0

    @property
    def labels(self) -> NDArray[np.intp]:
        """Zeros, shape (n,): texts bear no labels."""
        return np.zeros(len(self), dtype=np.intp)

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """Number of tokens of each text, shape (n,)."""
        return np.diff(self.offsets)

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """Log-probability of each whole text, shape (n,)."""
        return np.add.reduceat(self.log_probabilities, self.offsets[:-1])

    @cached_property
    def negative_loss(self) -> NDArray[np.float64]:
        """Mean log-probability per token, shape (n,): minus the logarithm of the perplexity."""
        return np.asarray(self.totals / self.counts, dtype=np.float64)

    @property
    def has_statistics(self) -> bool:
        """Whether there are means and deviations."""
        return self.means is not None and self.deviations is not None

    def lowest(self, values: NDArray[np.float64], share: float) -> NDArray[np.float64]:
        """Average the lowest values of each text.

        Parameters
        ----------
        values : ndarray of shape (t,)
            One per token.
        share : float
            Of the tokens, rounded down to a whole number of them, and one at least; in (0, 1].

        Returns
        -------
        ndarray of shape (n,)
        """
        codes = np.repeat(np.arange(len(self)), self.counts)
        ordered = values[np.lexsort((values, codes))]
        kept = np.maximum(1, (self.counts * share).astype(np.intp))
        place = np.arange(len(values)) - np.repeat(self.offsets[:-1], self.counts)
        ordered = np.where(place < np.repeat(kept, self.counts), ordered, 0.0)
        return np.asarray(np.add.reduceat(ordered, self.offsets[:-1]) / kept)

    def take(self, positions: NDArray[np.intp] | NDArray[np.bool_]) -> TextSignals:
        """Take some of the texts, by position or mask."""
        chosen = np.arange(len(self))[positions]
        counts = self.counts[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        tokens = np.repeat(self.offsets[chosen] - offsets[:-1], counts) + np.arange(offsets[-1])
        return TextSignals(
            offsets,
            self.log_probabilities[tokens],
            None if self.means is None else self.means[tokens],
            None if self.deviations is None else self.deviations[tokens],
        )

    @classmethod
    def from_lists(cls, parts: Sequence[tuple[NDArray[np.float64], ...]]) -> TextSignals:
        """Put the texts' arrays behind each other.

        Parameters
        ----------
        parts : sequence of tuple of ndarray
            Per text its log-probabilities, alone or with means and deviations.
        """
        counts = [len(part[0]) for part in parts]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        return cls(offsets, *(np.concatenate(column) for column in zip(*parts, strict=True)))
