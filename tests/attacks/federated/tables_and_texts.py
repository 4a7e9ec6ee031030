"""Small models of tables and of texts, and updates of their records."""

import numpy as np
import torch
from torch import nn

from pytest_leakpro.targets.federated_update import FederatedUpdate
from pytest_leakpro.targets.update_view import AuditedUpdates

GROUPS = {"work": [4, 5, 6], "status": [7, 8, 9, 10], "job": [11, 12, 13, 14, 15]}
TOKENS = 40
LENGTH = 8


def silent(text):
    """Says nothing."""


def people(seed, n):
    """Four numbers and three one-hot groups, with a label that depends on them."""
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=(n, 4))]
    for group in GROUPS.values():
        shares = np.arange(1, len(group) + 1) / sum(range(1, len(group) + 1))
        parts.append(np.eye(len(group))[rng.choice(len(group), size=n, p=shares)])
    X = np.hstack(parts).astype(np.float32)
    y = (X[:, 0] + 2 * X[:, 4] - X[:, 7] + 0.3 * rng.normal(size=n) > 0).astype(int)
    return torch.tensor(X), torch.tensor(y)


class Residual(nn.Module):
    """No layer takes the records as they are: a normalisation stands before the first."""

    def __init__(self, outputs=2):
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.inner, self.back = nn.Linear(16, 32), nn.Linear(32, 16)
        self.outer, self.last = nn.Linear(16, 32), nn.Linear(32, outputs)

    def forward(self, x):
        x = x + self.back(torch.tanh(self.inner(self.norm(x))))
        return self.last(torch.tanh(self.outer(x)))


class Averaged(nn.Module):
    """Averages embeddings: the order of the tokens plays no part."""

    def __init__(self, padding=None):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 8, padding_idx=padding)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.embedding(x).mean(1))


class Attention(nn.Module):
    """Positions, then one layer of self-attention; of a text, or of each of its places."""

    def __init__(self, outputs=3, *, places=False):
        super().__init__()
        self.position = nn.Embedding(LENGTH, 8)
        self.embedding = nn.Embedding(TOKENS, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.last = nn.Linear(8, outputs)
        self.places = places

    def forward(self, x):
        h = self.layer(self.embedding(x) + self.position(torch.arange(x.shape[1])))
        return self.last(h if self.places else h.mean(1))


class Bigrams(nn.Module):
    """A language model that looks at one token to predict the next."""

    def __init__(self, *, tied=False):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 8)
        self.last = nn.Linear(8, TOKENS)
        if tied:
            self.last.weight = self.embedding.weight

    def forward(self, x):
        return self.last(self.embedding(x))


def shifted(outputs, texts):
    """The loss of a language model whose labels are the texts themselves."""
    return nn.functional.cross_entropy(outputs[:, :-1].flatten(0, 1), texts[:, 1:].flatten())


def texts(seed, n, *, least=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.integers(least, TOKENS, size=(n, LENGTH)))


def noise(model, batch):
    """A client that sends nothing but noise."""
    return [torch.randn_like(value) for value in model.parameters()]


def made(model, seed=0):
    """A model with weights drawn from a seed: `model` makes it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return model()


def prepared(target, seed=0):
    return AuditedUpdates(target.prepare(seed), target.tolerance, silent)


def attacked(attack, target, seed=0):
    """Evidence of an attack on a target."""
    assert attack.mismatch(target) is None
    return attack.run(prepared(target, seed), np.random.default_rng(seed))


def view_of(model, batch, **knowledge):
    """The view of a gradient of one batch."""
    return FederatedUpdate.from_gradient(model, batch, **knowledge).prepare(0)[0].view
