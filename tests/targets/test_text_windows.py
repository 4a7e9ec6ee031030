"""Windows: each token is scored once, with enough of the text around it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.targets.text_windows import batches, causal_windows, masked_windows

lengths = st.lists(st.integers(0, 60), min_size=1, max_size=4)


@given(lengths, st.integers(2, 20))
def test_each_token_but_the_first_is_scored_once_with_half_a_context_before_it(sizes, context):
    counts = [np.zeros(size, dtype=int) for size in sizes]
    for window in causal_windows(sizes, context):
        assert 0 <= window.start < window.first < window.last == window.stop
        assert window.length <= context
        counts[window.sequence][window.first : window.last] += 1
        assert window.first - window.start >= min(window.first, context / 2)
    for size, count in zip(sizes, counts, strict=True):
        assert count.tolist() == [0] * min(1, size) + [1] * max(0, size - 1)


@given(st.integers(2, 60), st.data())
def test_scoring_may_begin_later(size, data):
    first = data.draw(st.integers(1, size))
    scored = [
        place
        for window in causal_windows([size], 8, [first])
        for place in range(window.first, window.last)
    ]
    assert scored == list(range(first, size))


@given(lengths, st.integers(2, 20))
def test_masked_tokens_stand_in_the_middle(sizes, context):
    counts = [np.zeros(size, dtype=int) for size in sizes]
    for window in masked_windows(sizes, context):
        size = sizes[window.sequence]
        assert 0 <= window.start <= window.first < window.last <= window.stop <= size
        assert window.length <= context
        counts[window.sequence][window.first : window.last] += 1
        for place in (window.first, window.last - 1):
            before, behind = place - window.start, window.stop - 1 - place
            assert before >= min(place, context // 4 - 1)
            assert behind >= min(size - 1 - place, context // 4 - 1)
    assert all((count == 1).all() for count in counts)


def test_without_a_limit_there_is_one_window_each():
    assert [tuple(window) for window in causal_windows([5, 1, 3], None)] == [
        (0, 0, 5, 1, 5),
        (2, 0, 3, 1, 3),
    ]
    assert [tuple(window) for window in masked_windows([5, 0], None)] == [(0, 0, 5, 0, 5)]


@given(st.lists(st.integers(1, 30), max_size=20), st.none() | st.integers(1, 6))
def test_batches_hold_each_sequence_once_and_no_more_than_fits(sizes, most):
    seen = []
    for batch in batches(sizes, most, 40):
        seen += batch
        assert sizes[batch[0]] == max(sizes[place] for place in batch)
        assert len(batch) == 1 or len(batch) * sizes[batch[0]] <= 40
        assert most is None or len(batch) <= most
    assert sorted(seen) == list(range(len(sizes)))
