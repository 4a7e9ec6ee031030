"""What the clients, the server and the audit have in common: the records and the network."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

CLIENTS = 2
RECORDS = 48
"""Of each client."""
BATCH = 16
"""Of a client's records in each round."""
LEARNING_RATE = 0.5


def load_records() -> tuple[torch.Tensor, torch.Tensor]:
    """Give all digits, shuffled: images of 8 x 8 points in [0, 1], and what they show."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    images = torch.tensor(digits.images[order] / 16, dtype=torch.float32).unsqueeze(1)
    return images, torch.tensor(digits.target[order])


def records_of(partition: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the records of one client."""
    images, labels = load_records()
    own = slice(partition * RECORDS, (partition + 1) * RECORDS)
    return images[own], labels[own]


def batch_of(partition: int, server_round: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the records that a client learns from in one round, counted from 1."""
    images, labels = records_of(partition)
    chosen = slice((server_round - 1) * BATCH, server_round * BATCH)
    return images[chosen], labels[chosen]


def others() -> tuple[torch.Tensor, torch.Tensor]:
    """Give records of the same kind that no client has."""
    images, labels = load_records()
    return images[CLIENTS * RECORDS :], labels[CLIENTS * RECORDS :]


def make_model() -> nn.Module:
    """Make the network, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
