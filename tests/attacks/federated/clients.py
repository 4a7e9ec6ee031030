"""Clients, models and records for tests of federated attacks."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from pytest_leakpro.targets.federated_update import FederatedUpdate
from pytest_leakpro.targets.update_view import AuditedUpdates

X, Y = load_digits(return_X_y=True)
IMAGES = (X / 16).astype(np.float32).reshape(-1, 1, 8, 8)
POPULATION = (IMAGES[500:1000], Y[500:1000])


def perceptron(inputs=64, hidden=128, classes=10, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes)
    )


def distinct(n, seed=0):
    """Digits of n different classes."""
    rng = np.random.default_rng(seed)
    places = [
        rng.choice(np.flatnonzero(Y[:500] == label))
        for label in rng.choice(10, size=n, replace=False)
    ]
    return IMAGES[places], Y[places]


def digits(n, seed=0):
    places = np.random.default_rng(seed).choice(500, size=n, replace=False)
    return IMAGES[places], Y[places]


def gradients(model, batch):
    loss = functional.cross_entropy(model(batch[0]), batch[1])
    return list(torch.autograd.grad(loss, list(model.parameters())))


def noise(model, batch):
    return [torch.randn_like(value) + 0 * value for value in gradients(model, batch)]


def attacked(attack, target, seed=0):
    """Give the evidence of an attack on a target."""
    updates = AuditedUpdates(target.prepare(seed), target.tolerance, lambda text: None)
    return attack.run(updates, np.random.default_rng(seed))


def rebuilt(attack, target, seed=0):
    """Give what an attack rebuilds of the first batch, and the truth."""
    entry = target.prepare(seed)[0]
    found = attack.rebuild(entry.view, np.random.default_rng(seed), lambda text: None)
    return found, entry


def update_of(model, batch, **knowledge):
    return FederatedUpdate.from_gradient(model, batch, **knowledge)
