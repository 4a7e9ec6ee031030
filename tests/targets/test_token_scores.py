"""Clients of APIs, which give log-probabilities of tokens and little else."""

import numpy as np
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.text_models import adapt_text_model
from pytest_leakpro.targets.token_scores import TokenScores
from tests.targets.languages import Remembering

TEXTS = ["a b c", "d e", "f g h i"]


class Client:
    """Gives what it was made with."""

    def __init__(self, scores, statistics=None):
        self.scores, self.sent = scores, []
        if statistics is not None:
            self.token_statistics = lambda texts: statistics

    def token_logprobs(self, texts):
        self.sent.append(list(texts))
        return self.scores(texts) if callable(self.scores) else self.scores


def test_texts_are_sent_in_batches():
    client = Client(lambda texts: [[-1.0] * len(text.split()) for text in texts])
    for size, sent in ((None, [TEXTS]), (2, [TEXTS[:2], TEXTS[2:]])):
        client.sent.clear()
        adapter = adapt_text_model(client, batch_size=size)
        assert isinstance(adapter, TokenScores)
        assert [len(scores[0]) for scores in adapter.token_scores(TEXTS)] == [3, 2, 4]
        assert client.sent == sent
    assert adapter.generate is None
    assert not adapter.gives_statistics


def test_statistics_are_asked_for_where_there_are_any():
    adapter = adapt_text_model(Remembering(TEXTS[:1], statistics=True))
    assert adapter.gives_statistics
    (first, *_) = adapter.token_scores(TEXTS)
    assert [part.tolist() for part in first[1:]] == [[-2.0] * 3, [1.0] * 3]
    assert len(adapter.token_scores(TEXTS, statistics=False)[0]) == 1


def test_rounding_above_zero_is_none():
    ((scores,),) = adapt_text_model(Client([[1e-6, -1.0]])).token_scores(["a b"])
    assert scores.tolist() == [0.0, -1.0]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "returned a NoneType that holds no numbers"),
        ([["a"]] * 3, "returned a list that holds no numbers"),
        ([[-1.0]] * 2, "returned 2 arrays for 3 texts"),
        ([[[-1.0]]] * 3, "not of one dimension"),
        ([[0.4]] * 3, "values above 0 for 3 of 3 texts, which are no log-probabilities"),
        ([[-1.0], [-np.inf], [-1.0]], "NaN or infinite values for 1 of 3 texts"),
    ],
)
def test_answers_that_are_no_log_probabilities_are_refused(answer, says):
    with pytest.raises(LeakproError, match=f"Client: token_logprobs.*{says}|{says}"):
        adapt_text_model(Client(answer)).token_scores(TEXTS)


LISTS = [[-1.0, -2.0]]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (LISTS, "it must return three lists"),
        ((LISTS, [[-1.0]], LISTS), "other numbers of means or deviations"),
        ((LISTS, LISTS, LISTS), "deviations below 0"),
    ],
)
def test_statistics_that_do_not_fit_are_refused(answer, says):
    with pytest.raises(LeakproError, match=says):
        adapt_text_model(Client(LISTS, answer)).token_scores(["a b"])


@pytest.mark.parametrize(
    ("model", "tokenizer", "says"),
    [
        (Client, None, "model is the class Client, not an instance"),
        (Client(LISTS), "bert", r"has token_logprobs\(texts\).*leave tokenizer= out"),
        ("gpt2", None, "model is a str: .*files are yours to load"),
        (None, None, "model is None"),
        (len, None, "without token_logprobs"),
        (len, 7, "tokenizer is a int, which turns no texts into token ids"),
        (len, "gpt2", "tokenizer is a str"),
    ],
)
def test_what_is_no_language_model_is_refused(model, tokenizer, says):
    with pytest.raises(LeakproError, match=says):
        adapt_text_model(model, tokenizer)
