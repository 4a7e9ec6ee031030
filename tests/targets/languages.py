"""Small language models whose probabilities are known, and tokenizers for them."""

from types import SimpleNamespace

import numpy as np


class Words:
    """A tokenizer: one token per word, numbers of words as they are written ("w3" is 3)."""

    def __init__(self, bos=None, **special):
        self.bos_token_id = bos
        for name, number in special.items():
            setattr(self, f"{name}_token_id", number)

    def __call__(self, texts, add_special_tokens=True):
        assert add_special_tokens is False
        return {"input_ids": [[int(word[1:]) for word in text.split()] for text in texts]}

    def decode(self, ids):
        return " ".join(f"w{number}" for number in ids)


def law(size, seed=0):
    """Draw the transition probabilities of a bigram model, shape (size, size)."""
    return np.random.default_rng(seed).dirichlet(np.full(size, 0.5), size=size) * 0.99 + 0.01 / size


def bigram(table, double=True):
    """A module that predicts each token from the one before it; what is masked is not looked at."""
    import torch

    class Bigram(torch.nn.Module):
        def __init__(self):
            super().__init__()
            logs = torch.log(torch.as_tensor(table))
            self.table = torch.nn.Parameter(logs if double else logs.float())
            self.asked = []

        def forward(self, input_ids, attention_mask):
            assert not self.training
            assert input_ids.shape == attention_mask.shape
            self.asked.append(tuple(input_ids.shape))
            # Any constant may be added to logits.
            return SimpleNamespace(logits=self.table[input_ids] + 3.0)

    return Bigram()


def random_texts(rng, n, size, lengths=(2, 60)):
    """Draw texts of words w0, w1, … of random lengths."""
    return [
        " ".join(f"w{number}" for number in rng.integers(size, size=rng.integers(*lengths)))
        for _ in range(n)
    ]


def ids_of(text):
    return [int(word[1:]) for word in text.split()]


def plain(table, text, bos=None):
    """Log-probabilities, means and deviations of the tokens of a text, one by one."""
    ids = ids_of(text) if bos is None else [bos, *ids_of(text)]
    rows = []
    for before, token in zip(ids, ids[1:]):  # noqa: B905, RUF007 - as plain as can be
        logs = np.log(table[before])
        mean = np.sum(table[before] * logs)
        spread = np.sqrt(np.sum(table[before] * (logs - mean) ** 2))
        rows.append((logs[token], mean, spread))
    return np.array(rows).T


def gpt2(words, n_positions=64, seed=0, width=32):
    """A GPT-2 with random weights and a tokenizer of whole words, made here."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    known = {word: number for number, word in enumerate(["<s>", "<unk>", *words])}
    inner = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="<s>", unk_token="<unk>"
    )
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=len(known),
        n_positions=n_positions,
        n_embd=width,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.3,
    )
    return GPT2LMHeadModel(config), tokenizer


class Remembering:
    """A client of an API: tokens of texts that it knows are likely, all others are not."""

    def __init__(self, known, likely=-0.5, statistics=False):
        self.known, self.likely, self.texts = set(known), likely, 0
        if statistics:
            self.token_statistics = self._statistics

    def token_logprobs(self, texts):
        self.texts += len(texts)
        return [
            np.full(len(text.split()), self.likely if text in self.known else -3.0)
            - 0.01 * (len(text) % 7)
            for text in texts
        ]

    def _statistics(self, texts):
        scores = self.token_logprobs(texts)
        return scores, [score * 0 - 2.0 for score in scores], [score * 0 + 1.0 for score in scores]
