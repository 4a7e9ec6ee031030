"""Masked language models: each token is scored with itself masked, from all that stands around."""

from types import SimpleNamespace

import numpy as np
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.masked_model import MaskedModel
from pytest_leakpro.targets.text_models import adapt_text_model
from tests.targets.languages import Words, ids_of, random_texts

torch = pytest.importorskip("torch")

MASK, CLS, SEP = 12, 13, 14
TEXTS = random_texts(np.random.default_rng(4), 12, 12, (1, 20))
WEIGHTS = np.random.default_rng(5).normal(size=(15, 15))


class Neighbours(torch.nn.Module):
    """Predicts a token from the sum over its two neighbours, by a table of logits."""

    config = SimpleNamespace(architectures=["NeighboursForMaskedLM"], vocab_size=15)

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.as_tensor(WEIGHTS))
        self.asked = []

    def forward(self, input_ids, attention_mask):
        assert ((input_ids == MASK) & (attention_mask == 1)).sum(dim=1).tolist() == [1] * len(
            input_ids
        )
        self.asked.append(tuple(input_ids.shape))
        rows = self.table[input_ids] * attention_mask[:, :, None]
        logits = torch.zeros_like(rows)
        logits[:, 1:] += rows[:, :-1]
        logits[:, :-1] += rows[:, 1:]
        return SimpleNamespace(logits=logits)


def plain_scores(text):
    ids = [CLS, *ids_of(text), SEP]
    scores = []
    for place in range(1, len(ids) - 1):
        logits = WEIGHTS[ids[place - 1]] + WEIGHTS[ids[place + 1]]
        logs = logits - np.log(np.sum(np.exp(logits)))
        scores.append(logs[ids[place]])
    return np.array(scores)


def asked(batch_size=None, context=None):
    tokenizer = Words(mask=MASK, cls=CLS, sep=SEP)
    adapter = adapt_text_model(Neighbours(), tokenizer, batch_size=batch_size, context=context)
    assert isinstance(adapter, MaskedModel)
    return adapter


@pytest.mark.parametrize("batch_size", [None, 1, 5])
def test_pseudo_log_likelihoods_are_exact(batch_size):
    found = asked(batch_size).token_scores(TEXTS)
    for text, scores in zip(TEXTS, found, strict=True):
        assert np.allclose(scores[0], plain_scores(text), atol=1e-9)
        assert len(scores) == 3


def test_longer_texts_are_windowed():
    adapter = asked(context=10)
    (scores,) = adapter.token_scores([TEXTS[0] + " w3 w4" * 20], statistics=False)
    # A neighbour on either side is in every window of eight words, but the special ones are not
    # where they stand in the whole text: only at windows' ends, where no token is scored.
    assert np.allclose(scores[0], plain_scores(TEXTS[0] + " w3 w4" * 20), atol=1e-9)
    assert max(width for _, width in adapter._model.asked) <= 10


def test_a_mask_is_needed():
    with pytest.raises(LeakproError, match="the tokenizer has no mask_token"):
        adapt_text_model(Neighbours(), Words())


def test_a_masked_transformer_is_told_and_scored():
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=15, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=40, initializer_range=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.BertForMaskedLM(config)
    adapter = adapt_text_model(model, Words(mask=MASK, cls=CLS, sep=SEP), batch_size=4)
    assert isinstance(adapter, MaskedModel)
    assert adapter.context == 40
    (scores,) = adapter.token_scores(["w3 w1 w4"], statistics=False)
    model.eval()
    for place, token in enumerate([3, 1, 4]):
        ids = torch.tensor([[CLS, 3, 1, 4, SEP]])
        ids[0, place + 1] = MASK
        with torch.no_grad():
            logs = torch.log_softmax(model(input_ids=ids).logits[0, place + 1], dim=-1)
        assert scores[0][place] == pytest.approx(float(logs[token]), abs=1e-5)
