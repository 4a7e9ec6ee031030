"""Tokenizers are told apart, so that cached signals belong to one of them."""

import pytest

from pytest_leakpro.targets.tokenisers import Tokeniser, tokeniser_mark
from tests.targets.languages import Words


def test_marks_tell_tokenizers_apart():
    assert tokeniser_mark(None) == ""
    assert tokeniser_mark(Words()) == tokeniser_mark(Words())
    assert tokeniser_mark(Words()) != tokeniser_mark(Words(bos=3))


def test_a_tokenizer_that_cannot_be_told_is_another_each_time():
    words = Words()
    words.lock = (number for number in ())  # which nothing pickles
    assert tokeniser_mark(words) != tokeniser_mark(words)


def test_vocabularies_of_transformers_are_told_apart():
    pytest.importorskip("transformers")
    pytest.importorskip("torch")
    from tests.targets.languages import gpt2

    first, again, other = (gpt2(words)[1] for words in (["a", "b"], ["a", "b"], ["b", "a"]))
    assert tokeniser_mark(first) == tokeniser_mark(again) != tokeniser_mark(other)
    tokeniser = Tokeniser(first)
    assert [ids.tolist() for ids in tokeniser.encode(["a b", "", "b" * 3])] == [[2, 3], [], [1]]
    assert tokeniser.special("bos") == 0
    assert tokeniser.special("pad") is None
    assert tokeniser.longest is None
    assert tokeniser.decode([2, 3]) == "a b"
