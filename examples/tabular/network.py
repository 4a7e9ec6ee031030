"""A small network in torch, trained by a plain function."""

import numpy as np
import torch
from mortality import Cohort, prepare
from torch import nn


def encode(cohort: Cohort) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Turn both sides into numbers, by what the training side teaches."""
    encoder = prepare().fit(cohort.train[0])
    train, holdout = (
        (np.asarray(encoder.transform(X), dtype=np.float32), y.to_numpy())
        for X, y in (cohort.train, cohort.holdout)
    )
    return train, holdout


def fit(X: np.ndarray, y: np.ndarray, seed: int, epochs: int = 40) -> nn.Module:
    """Train a multilayer perceptron; the recipe of the target and of its shadow models."""
    torch.manual_seed(seed)
    inputs, labels = torch.tensor(X), torch.tensor(y)
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Linear(64, 2))
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(256):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(inputs[batch]), labels[batch]).backward()
            optimiser.step()
    return net
