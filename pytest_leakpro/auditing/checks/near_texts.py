"""Near-duplicates among texts: members of which half stands in one non-member text.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.stats.words import numbered_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.auditing.checks.sample import Sample
    from pytest_leakpro.stats.words import WordRows

__all__ = ["HALF", "near_texts", "shared_with_one"]

HALF = 0.5
"""The share of a text's runs of words that stand in one other text, for it to be a near copy."""

_LONG = 8  # words of a run
_SHORT = 3  # of texts that hold few long ones
_FEW_WORDS = 16
_COMMON = 50  # texts that hold a run: it is a form that many fill in, and no copy


def near_texts(sample: Sample) -> NDArray[np.bool_]:
    """Mark the member units of which a text is half the same as one text of a non-member.

    Parameters
    ----------
    sample : Sample
        Of texts.

    Returns
    -------
    ndarray of bool, shape (n_members,)
    """
    assert sample.texts is not None
    n_members = sample.sizes[0]
    rows = sample.units < n_members
    sides = [
        [text for text, chosen in zip(sample.texts, wanted, strict=True) if chosen]
        for wanted in (rows, ~rows)
    ]
    found = np.zeros(n_members, dtype=bool)
    found[sample.units[rows][shared_with_one(*sides) >= HALF]] = True
    return found


def shared_with_one(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Give which share of the runs of words of each text stands in the other text with most.

    Runs have 8 words, of texts with fewer than 16 words 3; runs that stand in more than 50 of the
    others count for nothing.

    Parameters
    ----------
    texts, others : sequence of str

    Returns
    -------
    ndarray of shape (n_texts,)
        In [0, 1]; 0 where a text has no such run.

    References
    ----------
    Broder (1997), On the resemblance and containment of documents, SEQUENCES: containment of the
    shingles of one text in another's.
    """
    ours, theirs = numbered_words([texts, others])
    short = ours.lengths < _FEW_WORDS
    shares = np.zeros(len(texts))
    for n_words, chosen in ((_LONG, ~short), (_SHORT, short)):
        if chosen.any():
            shares[chosen] = _shares(ours, theirs, n_words)[chosen]
    return shares


def _shares(ours: WordRows, theirs: WordRows, n_words: int) -> NDArray[np.float64]:
    own_runs, own_texts = _runs(ours, n_words)
    runs, texts = _runs(theirs, n_words)
    counts = np.bincount(own_texts, minlength=len(ours))
    first = np.searchsorted(runs, own_runs, side="left")
    n_with = np.searchsorted(runs, own_runs, side="right") - first
    n_with = np.where(n_with <= _COMMON, n_with, 0)
    # One entry per run of ours and text of theirs that holds it.
    which = np.repeat(np.arange(len(own_runs)), n_with)
    place = np.arange(len(which)) - np.repeat(np.cumsum(n_with) - n_with, n_with)
    pairs = own_texts[which] * np.int64(len(theirs)) + texts[first[which] + place]
    pair, shared = np.unique(pairs, return_counts=True)
    most = np.zeros(len(ours), dtype=np.int64)
    np.maximum.at(most, pair // max(1, len(theirs)), shared)
    return np.asarray(most / np.maximum(counts, 1))


def _runs(rows: WordRows, n_words: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hash the runs of n words of each text, each distinct one once, ordered by hash and text."""
    owners = np.repeat(np.arange(len(rows), dtype=np.int64), rows.lengths)
    words = rows.words.astype(np.uint64) + np.uint64(1)
    n_runs = max(0, len(words) - n_words + 1)
    hashes = np.zeros(n_runs, dtype=np.uint64)
    for step in range(n_words):
        hashes = _mixed(hashes * np.uint64(31) + words[step : step + n_runs])
    inside = owners[:n_runs] == owners[n_words - 1 :][:n_runs]
    hashes, owners = hashes[inside], owners[:n_runs][inside]
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    fresh = np.ones(len(hashes), dtype=bool)
    fresh[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return hashes[fresh], owners[fresh]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of 64-bit numbers: equal ones stay equal, others differ all but surely."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
