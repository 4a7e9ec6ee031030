"""Networks that read digits, each trained by a recipe that is a defence, or by none."""

from functools import cache, partial

import torch
from digits import PIXELS
from opacus.accountants.utils import get_noise_multiplier
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from opacus import PrivacyEngine
from pytest_leakpro import TorchTrainer

EPSILON, DELTA = 8.0, 1e-5
BATCH, PRIVATE_EPOCHS, LARGEST_NORM = 200, 8, 1.0


def network(width=64):
    """Make an untrained network with one hidden layer."""
    return nn.Sequential(nn.Linear(PIXELS, width), nn.ReLU(), nn.Linear(width, 10))


def recipe(width=64, epochs=40, **settings):
    """Train without DP, until the network knows its digits unless something keeps it from it."""
    return TorchTrainer(
        module=partial(network, width), lr=5e-3, epochs=epochs, batch_size=128, **settings
    )


@cache
def noise_of(n):
    """Tell how much noise the promise takes where n digits are trained on."""
    return get_noise_multiplier(
        target_epsilon=EPSILON,
        target_delta=DELTA,
        sample_rate=BATCH / n,
        epochs=PRIVATE_EPOCHS,
        accountant="rdp",
    )


def train_privately(X, y, seed):
    """Train by DP-SGD, (8, 1e-5)-differentially private in the digits."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model = network()
    model, optimizer, loader = PrivacyEngine(accountant="rdp").make_private(
        module=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
        data_loader=DataLoader(
            TensorDataset(torch.tensor(X), torch.tensor(y)), batch_size=BATCH, shuffle=True
        ),
        noise_multiplier=noise_of(len(X)),
        max_grad_norm=LARGEST_NORM,
    )
    for _ in range(PRIVATE_EPOCHS):
        for some, labels in loader:
            optimizer.zero_grad()
            if len(some):
                nn.functional.cross_entropy(model(some), labels).backward()
                optimizer.step()
    # Without Opacus' hooks, which nobody needs who only asks.
    plain = network()
    plain.load_state_dict(model._module.state_dict())
    return plain


DEFENCES = {
    "none": recipe(),
    "weight decay": recipe(optimizer="adamw", weight_decay=5.0),
    "8 hidden units": recipe(width=8),
    "early stopping": recipe(epochs=4),
    "DP-SGD": train_privately,
}
