"""The words of the page: complete in every language."""

import string

import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.report.texts.catalogue import Words, languages, words_of


def texts(language):
    return words_of(language)._texts


def places(text):
    """Names of the values that a text takes."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_there_is_english_and_swedish():
    assert {"en", "sv"} <= set(languages())


@pytest.mark.parametrize("language", languages())
def test_no_text_is_missing_or_left_over(language):
    assert sorted(texts(language)) == sorted(texts("en"))


@pytest.mark.parametrize("language", languages())
def test_texts_take_the_same_values_in_every_language(language):
    wrong = [
        key for key, text in texts("en").items() if places(text) != places(texts(language)[key])
    ]
    assert wrong == []


@pytest.mark.parametrize("language", languages())
def test_texts_say_something_in_plain_characters(language):
    for key, text in texts(language).items():
        assert text, key
        assert "<" not in text, f"{key}: texts are no HTML"


@pytest.mark.parametrize("language", [entry for entry in languages() if entry != "en"])
def test_hardly_any_text_is_left_in_english(language):
    """Names and abbreviations may be the same; a sentence of four words or more may not."""
    same = [
        key
        for key, text in texts("en").items()
        if texts(language)[key] == text and len(text.split()) > 3
    ]
    assert same == []


@pytest.mark.parametrize("language", languages())
def test_numbers_have_both_forms(language):
    keys = texts(language)
    for key in keys:
        stem, _, form = key.rpartition(".")
        if form in ("one", "other"):
            assert {f"{stem}.one", f"{stem}.other"} <= keys.keys()


def test_numbers_choose_their_form():
    words = Words("xx", {"number.thousands": " ", "dog.one": "{n} dog", "dog.other": "{n} dogs"})
    assert words.count("dog", 1) == "1 dog"
    assert words.count("dog", 0) == "0 dogs"
    assert words.count("dog", 12_345) == "12 345 dogs"


def test_values_are_not_read_for_braces():
    assert Words("xx", {"hello": "hello {name}"})("hello", name="{0.__class__}") == (
        "hello {0.__class__}"
    )


def test_an_unknown_language_is_refused_with_those_that_there_are():
    with pytest.raises(LeakproError, match="en, sv"):
        words_of("de")
