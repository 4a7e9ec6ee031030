"""Neighbours of texts."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro.attacks.text.substitutions import Vocabulary

TEXT = 'He said: "NO, Anna!" twice.'
VOCABULARY = Vocabulary([TEXT, "she said no and twice more", "said and no"])


def test_words_stand_in_the_order_of_their_frequency():
    assert VOCABULARY.words[:3] == ["no", "said", "and"]
    assert VOCABULARY.words == Vocabulary(["said and no", "she said no and twice more", TEXT]).words
    assert repr(VOCABULARY) == "Vocabulary(8 words)"


@given(st.integers(0, 1000), st.floats(0.01, 1), st.integers(1, 9))
def test_words_are_replaced_and_all_else_stays(seed, share, reach):
    for made in VOCABULARY.neighbours(TEXT, 3, share, reach, seed):
        assert made != TEXT
        words, own = made.split(), TEXT.split()
        assert len(words) == len(own)
        changed = [one != other for one, other in zip(words, own, strict=True)]
        assert sum(changed) == max(1, round(share * 5))
        assert words[2].startswith('"')
        assert words[2].endswith(",")
        assert words[2].isupper()
        assert words[3][0].isupper()
        assert words[4].endswith(".")


@given(st.text(max_size=40), st.integers(0, 3))
def test_neighbours_follow_from_text_and_seed(text, seed):
    first = VOCABULARY.neighbours(text, 2, 0.3, 5, seed)
    assert first == VOCABULARY.neighbours(text, 2, 0.3, 5, seed)
    assert len(first) == 2


def test_words_of_similar_frequency_come_in():
    # The second most frequent word, within a reach of one: the first and the third alone.
    seen = {
        made for seed in range(30) for made in VOCABULARY.neighbours("said", 4, 1.0, 1, seed)
    }  # fmt: skip
    assert seen == {"no", "and"}


def test_where_there_is_nothing_to_replace_the_text_stays():
    assert VOCABULARY.neighbours("?!", 2, 0.5, 3, 0) == ["?!", "?!"]
    assert Vocabulary(["one one"]).neighbours("one", 1, 0.5, 3, 0) == ["one"]
