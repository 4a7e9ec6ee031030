"""Texts and models, loaded and trained once a session and only when an audit needs them."""

import pytest

from pytest_leakpro import Canaries, LanguageModel


@pytest.fixture(scope="session")
def writing():
    module = pytest.importorskip("notes", reason="needs torch, transformers", exc_type=ImportError)
    # Threads of networks as small as these wait for each other.
    module.torch.set_num_threads(1)
    return module


@pytest.fixture(scope="session")
def notes(writing):
    return writing.load_notes()


@pytest.fixture(scope="session")
def tokenizer(writing, notes):
    return writing.train_tokenizer(notes.public)


@pytest.fixture(scope="session")
def canaries():
    return Canaries.generate(200, "The locker of the reading room opens with {digits:6}.")


@pytest.fixture(scope="session")
def audited(writing, notes, tokenizer, canaries):
    """Give a function that trains a model and gives it as a target."""

    def of(name, **options):
        model = writing.train_model(canaries.insert(notes.train), tokenizer, **options)
        return LanguageModel(
            model,
            tokenizer,
            members=notes.train,
            nonmembers=notes.holdout,
            canaries=canaries,
            name=name,
        )

    return of
