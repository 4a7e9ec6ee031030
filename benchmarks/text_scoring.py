"""How long all attacks on a language model take that need one pass over it, beside that pass.

    python benchmarks/text_scoring.py [vocabulary] [texts] [runs]

2,000 texts of 128 tokens through a GPT-2 of 4 layers, 128 wide, with random weights. The plain pass
asks for logits in batches of the same size, and for nothing else; or for the log-probabilities of
the tokens, too, as a loss does. Times are those of the processor, the least of all runs.
"""

import sys
import time

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from pytest_leakpro import LanguageModel
from pytest_leakpro.attacks.registry import builtin_attacks

ONE_PASS = ("loss", "min_k", "min_k_plus_plus", "zlib_ratio")
TWO_PASSES = (*ONE_PASS, "lowercase_ratio")
LENGTH = 128


class Words:
    """Words are numbers."""

    def encode(self, text):
        """Give the numbers."""
        return list(map(int, text.split()))


def seconds(function):
    """Give the time that the processor took."""
    started = time.process_time()
    function()
    return time.process_time() - started


def main(vocabulary, n_texts, n_runs):
    rng = np.random.default_rng(0)
    ids = rng.integers(vocabulary, size=(n_texts, LENGTH))
    texts = [" ".join(map(str, row)) for row in ids]
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=LENGTH,
        n_embd=128,
        n_layer=4,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config).eval()
    half = n_texts // 2
    target = LanguageModel(model, Words(), members=texts[:half], nonmembers=texts[half:])
    size = target.adapter.most_tokens // LENGTH

    def plain(loss=False):
        with torch.inference_mode():
            for batch in torch.as_tensor(ids).split(size):
                there = torch.ones_like(batch)
                logits = model(input_ids=batch, attention_mask=there, use_cache=False).logits
                if loss:
                    flat, tokens = logits[:, :-1].flatten(0, 1), batch[:, 1:].flatten()
                    torch.nn.functional.cross_entropy(flat, tokens, reduction="none")

    def attacks(names):
        view = target.prepare(0)
        for name in names:
            builtin_attacks()[name].run(view, np.random.default_rng(0))

    measured = {
        "plain pass": plain,
        "plain pass with the loss of each token": lambda: plain(loss=True),
        ", ".join(ONE_PASS): lambda: attacks(ONE_PASS),
        ", ".join(TWO_PASSES): lambda: attacks(TWO_PASSES),
    }
    print(f"{n_texts:,} texts of {LENGTH} tokens, {vocabulary:,} words, batches of {size}")
    times = {name: [] for name in measured}
    for _ in range(n_runs):
        for name, function in measured.items():
            times[name].append(seconds(function))
    unit = min(times["plain pass"])
    for name, taken in times.items():
        print(f"{name}: {min(taken):.2f} s, {min(taken) / unit:.2f} times the plain pass")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(8_000, 2_000, 3)[len(given) :])
