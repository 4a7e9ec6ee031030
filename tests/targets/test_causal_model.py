"""Causal language models: probabilities that are known, whatever the batches and windows."""

import numpy as np
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.targets import logit_model
from pytest_leakpro.targets.causal_model import ENDED, CausalModel
from pytest_leakpro.targets.text_models import adapt_text_model
from pytest_leakpro.targets.tokenisers import Tokeniser
from tests.targets.languages import Words, bigram, gpt2, ids_of, law, plain, random_texts

torch = pytest.importorskip("torch")

TABLE = law(12)
TEXTS = random_texts(np.random.default_rng(1), 30, 12)


def asked(bos=None, batch_size=None, context=None, model=None, **special):
    model = bigram(TABLE) if model is None else model
    return adapt_text_model(
        model, Words(bos, **special), batch_size=batch_size, context=context, masked=False
    )


@pytest.mark.parametrize("context", [None, 2, 3, 7, 64])
@pytest.mark.parametrize("batch_size", [None, 1, 7])
@pytest.mark.parametrize("bos", [None, 0])
def test_a_bigram_model_is_read_exactly(bos, batch_size, context):
    found = asked(bos, batch_size, context).token_scores(TEXTS)
    for text, scores in zip(TEXTS, found, strict=True):
        assert np.allclose(scores, plain(TABLE, text, bos), rtol=0, atol=1e-9)


@pytest.mark.parametrize("pad", [None, 99])  # of 12 that the model knows
def test_single_precision_is_exact_to_a_millionth(pad):
    found = asked(model=bigram(TABLE, double=False), pad=pad).token_scores(TEXTS)
    for text, scores in zip(TEXTS, found, strict=True):
        expected = plain(TABLE, text)
        assert np.allclose(scores[0], expected[0], rtol=0, atol=1e-6)
        assert np.allclose(scores, expected, rtol=0, atol=1e-5)


def test_a_unigram_model_is_read_exactly_and_in_slices(monkeypatch):
    from pytest_leakpro.targets import token_laws

    monkeypatch.setattr(token_laws, "_VALUES_ON_CPU", 30)  # two rows of twelve
    table = np.tile(law(12)[3], (12, 1))
    found = asked(model=bigram(table)).token_scores(TEXTS, statistics=False)
    for text, scores in zip(TEXTS, found, strict=True):
        assert len(scores) == 1
        assert np.allclose(scores[0], np.log(table[0][ids_of(text)[1:]]), rtol=0, atol=1e-9)


def test_a_uniform_law_has_no_deviation():
    ((log_p, mean, deviation),) = asked(model=bigram(np.full((12, 12), 1 / 12))).token_scores(
        ["w1 w2 w3"]
    )
    assert np.allclose(log_p, -np.log(12), atol=1e-12)
    assert np.allclose(mean, -np.log(12), atol=1e-12)
    assert np.array_equal(deviation, [0, 0])


def test_tokens_that_are_ruled_out_have_finite_scores():
    table = np.full((12, 12), 1 / 6)
    table[:, 6:] = 0
    with np.errstate(divide="ignore"):
        ((log_p, mean, deviation),) = asked(model=bigram(table)).token_scores(["w1 w2 w9 w3"])
    assert np.allclose(log_p[[0, 2]], -np.log(6))
    assert -1010 < log_p[1] < -999
    assert np.allclose(mean, -np.log(6))
    assert np.allclose(deviation, 0, atol=1e-9)


def test_logits_that_are_no_numbers_are_an_error():
    table = np.full((12, 12), np.nan)
    with pytest.raises(LeakproError, match="logits that are NaN or infinite"):
        asked(model=bigram(table)).token_scores(["w1 w2"])


def test_batches_hold_texts_of_similar_length_and_bounded_logits(monkeypatch):
    monkeypatch.setattr(logit_model, "_LOGITS_ON_CPU", 50_000 * 100)
    model = bigram(TABLE)
    found = asked(model=model).token_scores(TEXTS)
    assert len(found) == len(TEXTS)
    assert model.asked == sorted(model.asked, key=lambda shape: -shape[1])
    assert all(n * width <= 100 for n, width in model.asked)
    assert len(model.asked) < len(TEXTS)


def test_the_mode_of_the_model_is_put_back():
    model = bigram(TABLE).train()
    asked(model=model).token_scores(TEXTS[:3])
    assert model.training
    assert model.table.grad is None
    assert model.table.requires_grad


def test_continuations_are_scored_given_their_prefixes():
    for bos in (None, 0):
        scores = asked(bos, context=4).continuation_scores([[1, 2, 3], [4]], [[5, 6], [7, 1, 2, 3]])
        assert np.allclose(scores[0], np.log([TABLE[3, 5], TABLE[5, 6]]))
        assert np.allclose(scores[1], np.log([TABLE[4, 7], TABLE[7, 1], TABLE[1, 2], TABLE[2, 3]]))
    (score,) = asked(0).continuation_scores([[]], [[3]])
    assert np.allclose(score, np.log(TABLE[0, 3]))
    with pytest.raises(LeakproError, match="a prefix is empty"):
        asked().continuation_scores([[]], [[3]])


@pytest.mark.parametrize("batch_size", [None, 1])
def test_greedy_continuations_follow_the_likeliest_token(batch_size):
    step = (np.arange(12) + 5) % 12
    table = np.full((12, 12), 0.01)
    table[np.arange(12), step] = 1
    adapter = asked(model=bigram(table), batch_size=batch_size, eos=2)
    found = adapter.greedy([[1, 2], [3], [7, 4]], 4)
    # From 4 it goes by 9 to 2, which ends the text: behind it nothing comes.
    assert found.tolist() == [[7, 0, 5, 10], [8, 1, 6, 11], [9, 2, ENDED, ENDED]]
    with pytest.raises(LeakproError, match="a prefix is empty"):
        adapter.greedy([[]], 2)


def test_long_prefixes_leave_room_for_what_is_generated():
    adapter = asked(context=6)
    adapter.greedy([list(range(10))], 4)
    assert max(width for _, width in adapter._model.asked) <= 6
    with pytest.raises(LeakproError, match="4 tokens are to be generated, and the model reads 4"):
        asked(context=4).greedy([[1]], 4)


def test_a_transformer_agrees_with_itself_text_by_text():
    pytest.importorskip("transformers")
    words = [f"w{i}" for i in range(40)]
    model, tokenizer = gpt2(words, n_positions=24)
    texts = random_texts(np.random.default_rng(3), 20, 40, (1, 70))
    adapter = CausalModel(model, Tokeniser(tokenizer), 4, None)
    assert adapter.context == 24
    found = adapter.token_scores(texts)
    model.eval()
    for text, scores in zip(texts, found, strict=True):
        ids = [0, *(number + 2 for number in ids_of(text))]
        expected, place = [], 1
        while place < len(ids):  # windows of 24 that begin 12 before what is scored
            start = max(0, place - 12)
            part = torch.tensor([ids[start : start + 24]])
            with torch.no_grad():
                law_of = torch.log_softmax(model(part).logits[0].double(), dim=-1)
            for position in range(place, min(len(ids), start + 24)):
                log_p = law_of[position - 1 - start].numpy()
                mean = np.sum(np.exp(log_p) * log_p)
                spread = np.sqrt(np.sum(np.exp(log_p) * (log_p - mean) ** 2))
                expected.append((log_p[ids[position]], mean, spread))
            place = min(len(ids), start + 24)
        assert np.allclose(np.array(scores), np.array(expected).T, atol=2e-5)


def test_a_transformer_generates_by_its_own_method():
    pytest.importorskip("transformers")
    model, tokenizer = gpt2([f"w{i}" for i in range(40)])
    adapter = CausalModel(model, Tokeniser(tokenizer), None, None)
    prefixes = [[5, 6, 7], [8, 9, 10], [11]]
    found = adapter.greedy(prefixes, 6)
    assert adapter.generate is not None
    plainly = CausalModel(lambda **given: model(**given), Tokeniser(tokenizer), None, 64)
    assert plainly.generate is None
    with torch.inference_mode():
        model.eval()
        assert np.array_equal(found, plainly.greedy(prefixes, 6))


class Headless(torch.nn.Module):
    def forward(self, input_ids, attention_mask):
        return input_ids


class Flat(torch.nn.Module):
    def forward(self, input_ids, attention_mask):
        return {"logits": input_ids.float()}


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Headless(), "without logits: load it with AutoModelForCausalLM"),
        (Flat(), "logits of shape"),
    ],
)
def test_models_that_give_no_logits_are_refused(model, says):
    with pytest.raises(LeakproError, match=says):
        asked(model=model).token_scores(["w1 w2"])


def test_the_context_is_that_of_model_and_tokenizer():
    class Config:
        max_position_embeddings = 20

    model = bigram(TABLE)
    assert asked(model=model).context is None
    model.config = Config()
    assert asked(model=model).context == 20
    assert asked(model=model, context=5).context == 5
    with pytest.raises(LeakproError, match="context is 30, but the model reads at most 20"):
        asked(model=model, context=30)
    Config.model_type, Config.pad_token_id = "xlm-roberta", 1
    assert asked(model=model).context == 18
    words = Words()
    words.model_max_length = 7
    assert adapt_text_model(model, words, masked=False).context == 7
    assert adapt_text_model(model, words, masked=False, context=9).context == 9


class Encoding:
    def __init__(self, ids):
        self.ids = ids


class Encodes:
    def encode(self, text):
        return Encoding(ids_of(text))


def test_a_tokenizer_may_have_encode_alone():
    found = adapt_text_model(bigram(TABLE), Encodes(), masked=False).token_scores(TEXTS[:3])
    assert np.allclose(found[1], plain(TABLE, TEXTS[1]))


def test_a_tokenizer_that_gives_other_numbers_of_texts_is_refused():
    with pytest.raises(LeakproError, match="gave 1 sequences for 2 texts"):
        adapt_text_model(
            bigram(TABLE), lambda texts, **_: {"input_ids": [[1]]}, masked=False
        ).token_scores(["w1", "w2"])
