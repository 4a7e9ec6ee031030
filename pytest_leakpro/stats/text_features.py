"""Texts as columns of numbers: how often their words occur, hashed.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from pytest_leakpro.stats.words import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["hashed_words"]


def hashed_words(texts: Sequence[str], n_features: int) -> NDArray[np.float64]:
    """Count the words of texts in columns that hashes of the words choose.

    Parameters
    ----------
    texts : sequence of str
        Read whole.
    n_features : int
        Number of columns, at least 1: words share one by chance.

    Returns
    -------
    ndarray of shape (n, n_features)
        Square roots of the shares that the words of a column have in a text; 0 for an empty text.
        The same for a text whatever the others are.

    References
    ----------
    Weinberger et al. (2009), Feature hashing for large scale multitask learning, ICML.
    """
    columns: dict[str, int] = {}
    shares = np.zeros((len(texts), n_features))
    for row, text in enumerate(texts):
        words = words_of(text)
        if not words:
            continue
        for word in words:
            if word not in columns:
                columns[word] = crc32(word.encode("utf-8", "surrogatepass")) % n_features
        counts = np.bincount([columns[word] for word in words], minlength=n_features)
        shares[row] = counts / len(words)
    return np.sqrt(shares)
