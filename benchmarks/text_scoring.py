"""How long all attacks on a language model take that need one pass over it, beside that pass.

    python benchmarks/text_scoring.py [vocabulary] [texts]

2,000 texts of 128 tokens through a GPT-2 of 4 layers, 128 wide, with random weights. The plain pass
asks for logits in batches of the same size, and for nothing else; or for the log-probabilities of
the tokens, too, as a loss does. Every time is the best of three.
"""

import sys
import time

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from pytest_leakpro import LanguageModel
from pytest_leakpro.attacks.registry import builtin_attacks

ONE_PASS = ("loss", "min_k", "min_k_plus_plus", "zlib_ratio")
FURTHER = ("lowercase_ratio",)
LENGTH = 128
RUNS = 3


class Words:
    """Words are numbers."""

    def __call__(self, texts, add_special_tokens=False):
        return {"input_ids": [list(map(int, text.split())) for text in texts]}


def best(function):
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def main(vocabulary, n_texts):
    rng = np.random.default_rng(0)
    ids = rng.integers(vocabulary, size=(n_texts, LENGTH))
    texts = [" ".join(map(str, row)) for row in ids]
    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=vocabulary, n_positions=LENGTH, n_embd=128, n_layer=4, n_head=4)
    ).eval()
    target = LanguageModel(model, Words(), texts[: n_texts // 2], texts[n_texts // 2 :])
    size = target.adapter.most_tokens // LENGTH

    def plain(loss):
        with torch.inference_mode():
            for batch in torch.as_tensor(ids).split(size):
                logits = model(
                    input_ids=batch, attention_mask=torch.ones_like(batch), use_cache=False
                ).logits
                if loss:
                    flat = logits[:, :-1].flatten(0, 1)
                    torch.nn.functional.cross_entropy(
                        flat, batch[:, 1:].flatten(), reduction="none"
                    )

    def attacks(names):
        view = target.prepare(0)
        for name in names:
            builtin_attacks()[name].run(view, np.random.default_rng(0))

    plain(False)
    logits, loss = best(lambda: plain(False)), best(lambda: plain(True))
    print(f"{n_texts:,} texts of {LENGTH} tokens, {vocabulary:,} words, batches of {size}")
    print(f"plain pass: {logits:.2f} s, with the loss of each token {loss:.2f} s")
    for names in (ONE_PASS, ONE_PASS + FURTHER):
        seconds = best(lambda names=names: attacks(names))
        print(
            f"{', '.join(names)}: {seconds:.2f} s, {seconds / logits:.2f} times the plain pass, "
            f"{seconds / loss:.2f} times with the loss"
        )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(8_000, 2_000)[len(given) :])
