"""Texts are rebuilt from updates: which tokens, how many, and in what order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.attacks.federated.tag import Tag
from pytest_leakpro.attacks.federated.token_polish import polished
from pytest_leakpro.attacks.federated.token_recovery import EmbeddingRows, laid_out
from pytest_leakpro.attacks.federated.token_rows import (
    Bag,
    bag_of,
    predicted_tokens,
)
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.end_layers import embedding_of
from pytest_leakpro.targets.federated_update import FederatedUpdate
from tests.attacks.federated.tables_and_texts import (
    LENGTH,
    TOKENS,
    Attention,
    Averaged,
    Bigrams,
    attacked,
    made,
    noise,
    prepared,
    shifted,
    texts,
    view_of,
)

QUICK = Tag(restarts=1, steps=60)


def classes(n, seed=0):
    return torch.tensor(np.random.default_rng(seed).integers(3, size=n))


@given(st.integers(0, 2**31), st.integers(1, 4), st.sampled_from([Averaged, Attention]))
@settings(max_examples=20, deadline=None)
def test_the_tokens_of_a_batch_are_those_whose_rows_move(seed, n, model):
    model, batch = made(model), texts(seed, n)
    layer = embedding_of(model, (LENGTH,))
    assert layer is model.embedding
    view = view_of(model, (batch, classes(n)))
    bag = bag_of(view, embedding_of(view.model, view.shape))
    assert bag.exact
    assert set(bag.tokens) == set(batch.unique().tolist())
    assert bag.counts.sum() == batch.numel()
    if n == 1 and isinstance(model, Averaged):
        np.testing.assert_array_equal(bag.counts, np.bincount(batch[0])[bag.tokens])


def test_a_padding_token_is_not_seen_and_a_tied_layer_is_told():
    padded = texts(0, 1, least=1)
    padded[0, 5:] = 0
    view = view_of(made(lambda: Averaged(0)), (padded, classes(1)))
    bag = bag_of(view, embedding_of(view.model, view.shape))
    assert set(bag.tokens) == set(padded[0, :5].tolist())
    tied, batch = made(lambda: Bigrams(tied=True)), texts(1, 1)
    view = view_of(tied, (batch, batch), loss=shifted)
    bag = bag_of(view, embedding_of(view.model, view.shape))
    assert not bag.exact
    assert set(bag.tokens) <= set(batch.unique().tolist())
    assert set(batch.unique().tolist()) <= {*bag.tokens, *bag.others}
    assert set(predicted_tokens(view)) <= set(batch[0, 1:].tolist())


def test_tokens_are_laid_out_where_they_usually_stand():
    known = torch.arange(LENGTH).repeat(10, 1)
    view = view_of(made(Averaged), (texts(0, 2), classes(2)), population=(known, classes(10)))
    bag = Bag(np.array([2, 5, 9]), np.array([4, 6, 6]), exact=True, others=np.array([]))
    laid = laid_out(bag, view)
    np.testing.assert_array_equal(laid, [[2, 2, 5, 5, 5, 9, 9, 9]] * 2)
    attack = EmbeddingRows()
    target = FederatedUpdate.from_gradient(
        made(Averaged), (known[:1], classes(1)), population=(known, classes(10))
    )
    assert attacked(attack, target).quality["tokens"][0] == 1


def test_a_text_is_rebuilt_in_its_order():
    target = FederatedUpdate.from_gradient(made(Attention), (texts(2, 1), classes(1)))
    assert attacked(QUICK, target).quality["tokens"][0] == 1


@pytest.mark.parametrize("tied", [False, True])
def test_a_text_is_rebuilt_from_a_language_model(tied):
    batch = torch.tensor([[7, 3, 21, 3, 9, 30, 11, 2]])
    model = made(lambda: Bigrams(tied=tied))
    model.embedding.weight.data *= 0.2  # trained from small weights, as language models are
    target = FederatedUpdate.from_gradient(model, (batch, batch), loss=shifted)
    assert attacked(QUICK, target).quality["rouge"][0] >= 0.75


def test_noise_gives_nothing():
    """Sign test over 50 texts, of which ties count half: false alarm below 1 in 1,000.

    The baseline is the better of two guesses, so one as good as either is better in at most half
    of the texts; 36 of 50 or more have probability 0.0013 / 2 at one half.
    """
    inputs, labels = texts(3, 50), classes(50)
    target = FederatedUpdate.from_gradient(
        made(Averaged),
        client=noise,
        batches=[(inputs[place : place + 1], labels[place : place + 1]) for place in range(50)],
        population=(texts(4, 100), classes(100)),
    )
    for attack in (EmbeddingRows(), Tag(restarts=1, steps=2, changes=16)):
        found = attacked(attack, target)
        for measure in ("tokens", "rouge"):
            main, blind = found.quality[measure], found.baseline[measure]
            assert np.sum(main > blind) + np.sum(main == blind) / 2 < 36, (attack.name, measure)


def test_what_is_not_supported_is_said():
    inputs = texts(0, 2)
    model = made(Averaged)

    def loss(outputs, labels):
        return (outputs.sum(1) - labels).square().mean()

    target = FederatedUpdate.from_gradient(model, (inputs, torch.rand(2)), loss=loss)
    assert "labels_known" in Tag().mismatch(target)
    model.embedding.weight.requires_grad_(False)
    frozen = FederatedUpdate.from_gradient(model, (inputs, classes(2)))
    assert "not trained" in EmbeddingRows().mismatch(frozen)
    assert Tag().mismatch(frozen) is None
    with pytest.raises(LeakproError, match="alpha"):
        Tag(alpha=-1)
    with pytest.raises(LeakproError, match="seconds"):
        Tag(seconds=0)


@pytest.mark.slow
def test_a_frozen_embedding_does_not_hide_a_text():
    model = made(Attention)
    model.embedding.weight.requires_grad_(False)
    target = FederatedUpdate.from_gradient(model, (texts(5, 1), classes(1)))
    # Of 40 tokens at each of 8 places four or more are right by chance once in 40,000 texts.
    assert attacked(Tag(), target).quality["tokens"][0] >= 0.5


def test_a_time_budget_is_marked_and_zeros_give_nothing():
    model, batch = made(Attention), (texts(0, 1), classes(1))
    target = FederatedUpdate.from_gradient(model, batch)
    rebuilt = list(Tag(seconds=1e-6).rebuild_all(prepared(target), np.random.default_rng(0)))
    assert rebuilt[0].cut
    assert rebuilt[0].inputs.shape == (1, LENGTH)
    zeros = FederatedUpdate(model, [torch.zeros_like(value) for value in model.parameters()], batch)
    for attack in (Tag(), EmbeddingRows()):
        rebuilt = list(attack.rebuild_all(prepared(zeros), np.random.default_rng(0)))
        assert rebuilt[0].inputs is None


@given(st.integers(0, 2**31), st.integers(1, 3), st.integers(1, 6), st.integers(1, 300))
@settings(max_examples=25, deadline=None)
def test_changes_never_make_it_worse_and_all_of_them_find_the_nearest(seed, n, length, most):
    rng = np.random.default_rng(seed)
    truth, start = rng.integers(TOKENS, size=(2, n, length))

    def distance(many):
        assert many.shape[1:] == truth.shape
        return (many != truth).mean((1, 2))

    best, lowest = polished(start, np.unique(truth), distance, rng, most=most, over=lambda: False)
    assert lowest == distance(best[None])[0] <= distance(start[None])[0]
    if most == 300:
        assert lowest == 0
