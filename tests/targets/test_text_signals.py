"""Signals of texts of unequal length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.text_signals import TextSignals

texts = st.lists(st.lists(st.floats(-20, 0), min_size=1, max_size=12), min_size=1, max_size=8)


def signals(lists):
    parts = [np.array(values) for values in lists]
    return TextSignals.from_lists([(part, part - 1, part**2) for part in parts])


@given(texts, st.floats(0.01, 1))
def test_figures_of_texts_are_those_of_each_alone(lists, share):
    found = signals(lists)
    assert len(found) == len(lists)
    assert found.counts.tolist() == [len(values) for values in lists]
    assert np.allclose(found.negative_loss, [np.mean(values) for values in lists])
    assert np.allclose(found.totals, [np.sum(values) for values in lists])
    lowest = [np.mean(sorted(values)[: max(1, int(len(values) * share))]) for values in lists]
    assert np.allclose(found.lowest(found.log_probabilities, share), lowest)


@given(texts, st.data())
def test_some_texts_can_be_taken(lists, data):
    chosen = data.draw(st.lists(st.integers(0, len(lists) - 1), min_size=1))
    taken, alone = signals(lists).take(np.array(chosen)), signals([lists[i] for i in chosen])
    for name in ("offsets", "log_probabilities", "means", "deviations"):
        assert np.array_equal(getattr(taken, name), getattr(alone, name))


def test_a_mask_takes_texts_too_and_statistics_may_lack():
    found = TextSignals.from_lists([(np.array([-1.0, -2.0]),), (np.array([-3.0]),)])
    assert not found.has_statistics
    taken = found.take(np.array([False, True]))
    assert taken.log_probabilities.tolist() == [-3.0]
    assert taken.means is None
    assert repr(found) == "TextSignals(2, tokens=3)"
    assert found.labels.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("offsets", "means"), [([0, 2, 2], None), ([0, 1], None), ([0, 1, 2], np.zeros(3))]
)
def test_what_does_not_fit_together_is_refused(offsets, means):
    with pytest.raises(LeakproError, match="text signals take"):
        TextSignals(np.array(offsets), np.array([-1.0, -2.0]), means, means)
