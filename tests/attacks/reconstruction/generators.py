"""Generators and models of which it is known where a search must end."""

import numpy as np
import torch
from torch import nn

from pytest_leakpro import Classifier


class Straight(nn.Module):
    """Makes z itself, whatever the class."""

    def __init__(self, latent_dim=2):
        super().__init__()
        self.latent_dim = latent_dim
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z, labels):
        return z * self.scale


class Anchors(nn.Module):
    """Makes one of given records of the class that is asked for: which, z tells."""

    def __init__(self, X, y, latent_dim=8, seed=0):
        super().__init__()
        self.latent_dim = latent_dim
        draw = torch.Generator().manual_seed(seed)
        self.register_buffer("ways", torch.randn(latent_dim, len(X), generator=draw))
        self.register_buffer("records", torch.as_tensor(X, dtype=torch.float32))
        self.register_buffer("classes", torch.as_tensor(y))

    def forward(self, z, labels):
        other = self.classes[None] != labels[:, None]
        likeness = (100 * z @ self.ways).masked_fill(other, -torch.inf)
        return likeness.softmax(dim=1) @ self.records


def linear(weights, bias=False):
    """A linear layer of given weights, shape (K, d)."""
    weights = torch.as_tensor(weights, dtype=torch.float32)
    layer = nn.Linear(weights.shape[1], weights.shape[0], bias=bias)
    with torch.no_grad():
        layer.weight.copy_(weights)
    return layer


def sides(seed=0, n=200, d=6, n_classes=2):
    """Members and non-members drawn alike; labels in turn."""
    rng = np.random.default_rng(seed)
    return tuple(
        (rng.normal(size=(n, d)).astype(np.float32), np.arange(n) % n_classes) for _ in range(2)
    )


def target_of(model, generator, both=None, **options):
    """A target of two numbers a record, unless sides are given."""
    members, nonmembers = both or sides(d=2, n_classes=options.pop("n_classes", 2))
    options = {"access": "white-box", "output": "logits", "train": False} | options
    return Classifier(model, members, nonmembers, generator=generator, **options)
