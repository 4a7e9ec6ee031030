"""The longest run of words that texts share, against the plain quadratic way."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_leakpro.stats import shared_runs
from pytest_leakpro.stats.shared_runs import longest_shared_runs
from pytest_leakpro.stats.words import WordRows, numbered_words

TEXTS = st.lists(st.lists(st.integers(0, 2), max_size=12), max_size=5)


def rows(texts):
    words = [word for text in texts for word in text]
    return WordRows(
        np.array(words, dtype=np.int32), np.array([len(t) for t in texts], dtype=np.int64)
    )


def plainly(text, others):
    """Fill the table of common endings, by dynamic programming."""
    longest = 0
    for other in others:
        before = [0] * (len(other) + 1)
        for word in text:
            row = [0] * (len(other) + 1)
            for place, its in enumerate(other):
                if its == word:
                    row[place + 1] = before[place] + 1
            longest = max(longest, *row)
            before = row
    return longest


@given(TEXTS, TEXTS)
@example([[0, 1, 2, 0, 1, 2, 0]], [[1, 2, 0, 1], [2, 0, 1, 2]])
@example([[], [0]], [[]])
def test_runs_are_as_long_as_by_the_plain_way(asked, known):
    found = longest_shared_runs(rows(asked), rows(known))
    assert found.tolist() == [plainly(text, known) for text in asked]


@given(TEXTS, TEXTS, st.integers(1, 8))
def test_blocks_change_nothing(asked, known, size):
    whole = longest_shared_runs(rows(asked), rows(known))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_runs, "_BLOCK_WORDS", size)
        np.testing.assert_array_equal(longest_shared_runs(rows(asked), rows(known)), whole)


def test_runs_do_not_go_on_in_the_next_text():
    asked, known = numbered_words([["a b c d"], ["a b", "c d", "x b c"]])
    assert longest_shared_runs(asked, known).tolist() == [2]


def test_texts_that_repeat_themselves_take_no_longer():
    """All of them equal: what compares places that share words would take 10^10 steps."""
    asked, known = numbered_words([["a b c d " * 25] * 1000, ["a b c d " * 25] * 1000])
    assert (longest_shared_runs(asked, known) == 100).all()
