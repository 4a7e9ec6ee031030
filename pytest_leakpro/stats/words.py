"""Texts as the words that they are made of, numbered alike in all of them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["WordRows", "numbered_words", "standing_in", "words_of"]

# Vowel signs and accents that Python does not count as parts of a word.
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0591-\u05bd\u0900-\u0dff"
# Scripts that put no spaces between words: every character is a word by itself.
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff])")
_WORD = re.compile(rf"[\w{_MARKS}]+")


@dataclass(frozen=True, repr=False, eq=False)
class WordRows:
    """Texts as numbers of words, one text behind the other.

    Attributes
    ----------
    words : ndarray of int32, shape (sum of lengths,)
        The same number for the same word, from 0.
    lengths : ndarray of int64, shape (n_texts,)
        How many words each text has.
    """

    words: NDArray[np.int32]
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    def __repr__(self) -> str:
        return f"WordRows({len(self.lengths)} texts, {len(self.words)} words)"


def words_of(text: str) -> list[str]:
    """Split a text into words, without punctuation, capitals and typographic variants.

    Parameters
    ----------
    text : str
        Any. Of scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) every
        character is a word.

    Returns
    -------
    list of str
    """
    if text.isascii():
        return _WORD.findall(text.lower())
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _WORD.findall(_UNSPACED.sub(r" \1 ", plain))


def numbered_words(groups: Sequence[Iterable[str]]) -> list[WordRows]:
    """Split groups of texts into words, and number the words alike in all groups.

    Parameters
    ----------
    groups : sequence of iterables of str
        Texts.

    Returns
    -------
    list of WordRows
        One per group.
    """
    numbers: dict[str, int] = {}
    found = []
    for texts in groups:
        rows = [
            [numbers.setdefault(word, len(numbers)) for word in words_of(text)] for text in texts
        ]
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        words = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(lengths.sum()))
        found.append(WordRows(words, lengths))
    return found


def standing_in(texts: Iterable[str], wanted: Iterable[str]) -> set[str]:
    """Tell which of some strings stand in texts as whole words, however these are set apart.

    Parameters
    ----------
    texts : iterable of str
        Where to look.
    wanted : iterable of str
        Words written together, as `words_of` gives them: ``"0701234567"`` stands in
        ``"call 070-123 45 67"``, and does not in ``"call 070-123 45 678"``.

    Returns
    -------
    set of str
        Those that stand in any of the texts.
    """
    left = {string for string in wanted if string}
    beginnings = {string[:end] for string in left for end in range(1, len(string) + 1)}
    found = set()
    for text in texts:
        words = words_of(text)
        for place, word in enumerate(words):
            run, end = word, place + 1
            while run in beginnings:
                if run in left:
                    found.add(run)
                if end == len(words):
                    break
                run, end = run + words[end], end + 1
    return found
