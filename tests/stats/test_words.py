"""Words of texts: how they are split, numbered and found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.stats.text_features import hashed_words
from pytest_leakpro.stats.words import numbered_words, standing_in, words_of

TEXTS = st.lists(st.text(alphabet="ab1 .-", max_size=20), max_size=6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("... !", []),
        (
            "The patient's K+ was 4.1,\n\tnot 3",
            ["the", "patient", "s", "k", "was", "4", "1", "not", "3"],
        ),
        ("Ångström ﬁne STRASSE Straße", ["ångström", "fine", "strasse", "strasse"]),
        ("e\u0301te\u0301 = été", ["été", "été"]),
        ("東京に行く", ["東", "京", "に", "行", "く"]),
        ("abc東京12", ["abc", "東", "京", "12"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("서울 시청", ["서울", "시청"]),
    ],
)
def test_words_are_told_from_what_stands_between(text, words):
    assert words_of(text) == words


def test_the_same_word_has_the_same_number_in_every_group():
    first, second = numbered_words([["a b a", ""], ["b c"]])
    assert first.words.tolist() == [0, 1, 0]
    assert first.lengths.tolist() == [3, 0]
    assert second.words.tolist() == [1, 2]
    assert (len(second), repr(second)) == (1, "WordRows(1 texts, 2 words)")


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("call 070-123 45 67 today", True),
        ("0701234567", True),
        ("call 070-123 45 678", False),
        ("1070-123 45 67", False),
        ("070-123 45 and 67", False),
    ],
)
def test_what_stands_in_a_text_stands_there_as_whole_words(text, stands):
    assert standing_in([text], ["0701234567", ""]) == ({"0701234567"} if stands else set())


@given(TEXTS, TEXTS)
def test_strings_are_found_as_by_trying_all_runs_of_words(texts, others):
    wanted = {"".join(words_of(text)) for text in others}
    runs = set()
    for text in texts:
        words = words_of(text)
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                runs.add("".join(words[start:end]))
    assert standing_in(texts, wanted) == wanted & runs


def test_features_are_of_one_text_alone_and_sum_to_the_whole():
    texts = ["the same words again the same", "", "東京 été"]
    features = hashed_words(texts, 32)
    np.testing.assert_allclose((features**2).sum(axis=1), [1, 0, 1])
    np.testing.assert_array_equal(features[2], hashed_words(texts[2:], 32)[0])
    np.testing.assert_array_equal(
        features[0], hashed_words(["AGAIN same, the; same the words"], 32)[0]
    )
