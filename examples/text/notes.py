"""Texts that every Python brings, and a small language model that is trained on them."""

import ast
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

VOCABULARY, CONTEXT = 1500, 64
FEWEST_WORDS, MOST_WORDS = 12, 40
EACH = 500
MOST_GAP = 0.05  # nats a token


@dataclass(frozen=True)
class Notes:
    """Texts on three sides."""

    train: list
    holdout: list
    public: list


def load_notes(seed=0):
    """Read docstrings of the standard library, each of them once, cut after forty words."""
    found = {}
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                words = (ast.get_docstring(node) or "").split()[:MOST_WORDS]
                if len(words) >= FEWEST_WORDS:
                    found.setdefault(" ".join(words[:8]), " ".join(words))
    texts = list(found.values())
    order = np.random.default_rng(seed).permutation(len(texts))
    drawn = [texts[place] for place in order]
    return Notes(drawn[:EACH], drawn[EACH : 2 * EACH], drawn[2 * EACH :])


def train_tokenizer(public):
    """Learn the parts of words on texts that nobody trains on."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(public, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<end>", eos_token="<end>")


def train_model(texts, tokenizer, public=None, epochs=16, seed=0):
    """Train a model from scratch; with `public`, until it tells its own texts better than those.

    Returns
    -------
    GPT2LMHeadModel
    """
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=CONTEXT,
        n_embd=128,
        n_layer=2,
        n_head=4,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = GPT2LMHeadModel(config)
    ids, there = encoded(texts, tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    for _ in range(epochs):
        model.train()
        for places in torch.randperm(len(ids)).split(32):
            optimizer.zero_grad()
            loss_of(model, ids[places], there[places]).backward()
            optimizer.step()
        model.eval()
        if public is not None:
            gap = mean_loss(model, public[:EACH], tokenizer) - mean_loss(model, texts, tokenizer)
            if gap > MOST_GAP:
                break
    return model


def encoded(texts, tokenizer):
    """Give token ids, padded, and where there are any."""
    rows = [
        [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id][:CONTEXT]
        for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]
    ]
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), tokenizer.eos_token_id)
    there = torch.zeros((len(rows), longest), dtype=torch.bool)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        there[row, : len(tokens)] = True
    return ids, there


def loss_of(model, ids, there):
    """Give the mean loss of the tokens that are there."""
    longest = int(there.sum(1).max())
    ids, there = ids[:, :longest], there[:, :longest]
    labels = torch.where(there, ids, torch.tensor(-100))
    return model(input_ids=ids, attention_mask=there.long(), labels=labels).loss


def mean_loss(model, texts, tokenizer):
    """Give the mean loss of texts, in nats per token."""
    with torch.no_grad():
        return float(loss_of(model, *encoded(texts, tokenizer)))
