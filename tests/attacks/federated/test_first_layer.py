"""Exact recovery from a first fully connected layer."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pytest_leakpro.attacks.federated.first_layer import FirstLayer
from pytest_leakpro.attacks.federated.row_ratios import records_from_rows, single_record
from tests.attacks.federated.clients import (
    POPULATION,
    attacked,
    digits,
    gradients,
    perceptron,
    rebuilt,
    update_of,
)


@pytest.mark.parametrize("seed", range(5))
def test_one_record_is_recovered_exactly(seed):
    inputs = np.random.default_rng(seed).normal(size=(1, 30)).astype(np.float32)
    target = update_of(perceptron(30, 64, seed=seed), (inputs, [seed]))
    found, entry = rebuilt(FirstLayer(), target)
    error = torch.linalg.vector_norm(found.inputs - entry.inputs)
    assert error <= 1e-5 * torch.linalg.vector_norm(entry.inputs)


@pytest.mark.parametrize("kind", ["delta", "weights"])
@pytest.mark.parametrize("rate", [None, 0.1])
def test_a_change_of_the_weights_tells_as_much_as_a_gradient(kind, rate):
    model, (inputs, labels) = perceptron(), digits(1)
    batch = torch.as_tensor(inputs), torch.as_tensor(labels)
    change = [-0.1 * value for value in gradients(model, batch)]
    if kind == "weights":
        change = [old.detach() + new for old, new in zip(model.parameters(), change, strict=True)]
    from pytest_leakpro import FederatedUpdate

    target = FederatedUpdate(model, change, batch, kind=kind, learning_rate=rate)
    evidence = attacked(FirstLayer(), target)
    assert evidence.quality["psnr"][0] > 60


def test_several_local_steps_on_one_record_hide_nothing():
    from pytest_leakpro import FederatedUpdate

    def fit(model, batch):
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
            optimiser.step()

    target = FederatedUpdate.from_training(
        perceptron(), digits(1), fit, learning_rate=0.1, local_steps=3
    )
    assert attacked(FirstLayer(), target).quality["psnr"][0] > 60


def test_most_of_a_small_batch_drives_some_neuron_alone():
    target = update_of(perceptron(hidden=512), digits(4), population=POPULATION)
    evidence = attacked(FirstLayer(), target)
    assert (evidence.quality["psnr"] > 60).sum() >= 3
    assert (evidence.baseline["psnr"] < 20).all()


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_rows_that_records_drive_alone_give_those_records(n, seed):
    rng = np.random.default_rng(seed)
    records = rng.normal(size=(n, 12))
    driven = np.repeat(np.arange(n), 2)  # two rows for each record
    slopes = rng.uniform(0.5, 2, size=2 * n) * rng.choice([-1, 1], size=2 * n)
    found = records_from_rows(slopes[:, None] * records[driven], slopes, n, None)
    assert len(found) == n
    nearest = np.linalg.norm(found[:, None] - records[None], axis=-1).min(0)
    assert nearest.max() < 1e-9


def test_rows_that_were_not_driven_give_nothing():
    assert single_record(np.zeros((4, 3)), np.zeros(4)) is None
    assert records_from_rows(np.zeros((4, 3)), np.zeros(4), 2, None).shape == (0, 3)


def test_mixtures_outside_the_bounds_are_left_out():
    bounds = np.zeros(3), np.ones(3)
    weight = np.array([[0.5, 0.5, 0.5], [3.0, -1.0, 0.0]])
    found = records_from_rows(weight, np.ones(2), 2, bounds)
    np.testing.assert_array_equal(found, weight[:1])


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Flatten(), nn.Linear(64, 10, bias=False)),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 10)),
        nn.Sequential(nn.Flatten(), nn.LayerNorm(64), nn.Linear(64, 10)),
    ],
    ids=["no bias", "convolution", "normalised"],
)
def test_models_that_begin_otherwise_do_not_match(model):
    target = update_of(model, digits(2))
    assert "does not begin with a fully connected layer" in FirstLayer().mismatch(target)
