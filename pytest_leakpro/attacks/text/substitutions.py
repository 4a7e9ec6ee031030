"""Neighbours of texts: a few words replaced by others that are about as frequent.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Vocabulary"]

_WORD = re.compile(r"[^\W_]+")


class Vocabulary:
    """Words in the order of how frequent they are.

    Parameters
    ----------
    texts : iterable of str
        Where the words are taken from. Their order plays no part.

    Attributes
    ----------
    words : list of str
        In lower case, the most frequent first, ties in alphabetical order.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(word.lower() for text in texts for word in _WORD.findall(text))
        self.words = sorted(counts, key=lambda word: (-counts[word], word))
        self._places = {word: place for place, word in enumerate(self.words)}

    def __repr__(self) -> str:
        return f"Vocabulary({len(self.words):,} words)"

    def neighbours(self, text: str, n: int, share: float, reach: int, seed: int) -> list[str]:
        """Replace some words of a text by others.

        Parameters
        ----------
        text : str
            A text.
        n : int
            How many neighbours to make.
        share : float
            Of its words that are replaced in each, in (0, 1]; one at least.
        reach : int
            How far away in the order of frequency the other word may stand.
        seed : int
            What is drawn follows from it and the text, whatever other texts there are.

        Returns
        -------
        list of str
            Spaces, punctuation and capitals stay. The text itself where it has no word, or there is
            but one in all.
        """
        found = list(_WORD.finditer(text))
        if not found or len(self.words) < 2:
            return [text] * n
        rng = np.random.default_rng([seed, crc32(text.encode("utf-8", "surrogatepass"))])
        n_replaced = max(1, round(share * len(found)))
        made = []
        for _ in range(n):
            parts, end = [], 0
            for place in np.sort(rng.choice(len(found), size=n_replaced, replace=False)):
                word = found[place]
                parts += [text[end : word.start()], self._other(word.group(), reach, rng)]
                end = word.end()
            made.append("".join([*parts, text[end:]]))
        return made

    def _other(self, word: str, reach: int, rng: np.random.Generator) -> str:
        # A word that is not known is rarer than all that are.
        own = self._places.get(word.lower(), len(self.words))
        low, high = max(0, own - reach), min(len(self.words) - 1, own + reach)
        place = int(rng.integers(low, high + 1 - (own <= high)))
        other: str = self.words[place + (own <= place)]
        if word.isupper() and len(word) > 1:
            return other.upper()
        return other.capitalize() if word[0].isupper() else other
