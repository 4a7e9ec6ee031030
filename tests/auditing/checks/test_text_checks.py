"""Checks of texts: near copies by shared runs of words, and topics by bags of words."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.auditing.checks.bags_of_words import read_texts, word_scores
from pytest_leakpro.auditing.checks.near_texts import shared_with_one
from pytest_leakpro.stats.roc import auc
from pytest_leakpro.stats.words import words_of
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.units import record_units

words = st.lists(st.sampled_from("abcde"), max_size=30).map(" ".join)


def plain(text, others):
    """The share by sets of runs, one pair after the other."""

    def runs(words, n):
        return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}

    n = 3 if len(words_of(text)) < 16 else 8
    own = runs(words_of(text), n)
    return max((len(own & runs(words_of(o), n)) / max(1, len(own)) for o in others), default=0)


@given(st.lists(words, min_size=1, max_size=6), st.lists(words, min_size=1, max_size=6))
def test_shares_of_runs_are_those_of_sets(texts, others):
    found = shared_with_one(texts, others)
    assert np.allclose(found, [plain(text, others) for text in texts])


def test_half_a_text_is_found_and_forms_that_many_fill_in_are_not():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"x{n}" for n in rng.integers(10**6, size=40)) for _ in range(300)]
    half = [f"{' '.join(text.split()[:30])} {text[:3]} other words" for text in texts[:5]]
    shares = shared_with_one(texts, half)
    assert (shares[:5] > 0.5).all()
    assert (shares[5:] == 0).all()
    form = "Name of the patient, date of the visit, and what was found by the doctor: "
    filled = [form + text for text in texts]
    assert (shared_with_one(filled[:9], filled[9:]) == 0).all()


def records(inputs):
    n = len(inputs)
    return Records("members", inputs, np.zeros(n), record_units(n), np.zeros(n), np.arange(n))


def test_texts_are_read_in_any_container():
    texts = ["a b", "c", "d"]
    where = [np.array([2, 0])]
    series = pd.Series(texts, index=[3, 3, 3])
    for inputs in (texts, series, np.array(texts), np.array(texts, object)):
        assert read_texts([records(inputs)], where) == ("d", "a b")
    for inputs in (np.zeros(3), [1, 2, 3], pd.DataFrame({"a": texts}), ["a", "b", None]):
        assert read_texts([records(inputs)], where) is None


def test_words_tell_topics_apart_and_nothing_else():
    rng = np.random.default_rng(1)

    def texts(low, n=150):
        return [" ".join(f"word{i}" for i in rng.integers(low, low + 300, 30)) for _ in range(n)]

    side = np.repeat([True, False], 150)
    other = word_scores(texts(0) + texts(100), side, texts(0) + texts(100))
    alike = word_scores(texts(0) + texts(0), side, texts(0) + texts(0))
    assert auc(other[:150], other[150:]) > 0.95
    # The standard error of the area is 0.033.
    assert abs(auc(alike[:150], alike[150:]) - 0.5) < 0.13
