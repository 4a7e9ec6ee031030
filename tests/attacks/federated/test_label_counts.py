"""Labels from the gradient of the last layer."""

import numpy as np
import pytest
import torch
from torch import nn

from pytest_leakpro.attacks.federated.blind_guess import apportion
from pytest_leakpro.attacks.federated.label_counts import LabelCounts
from tests.attacks.federated.clients import (
    POPULATION,
    attacked,
    digits,
    distinct,
    gradients,
    noise,
    perceptron,
    rebuilt,
    update_of,
)


def labels_of(target):
    found, entry = rebuilt(LabelCounts(), target)
    return sorted(found.labels.tolist()), sorted(entry.labels.tolist())


@pytest.mark.parametrize("n", [1, 2, 4, 8, 10])
@pytest.mark.parametrize("population", [None, POPULATION], ids=["alone", "with a population"])
def test_distinct_labels_are_recovered_exactly(n, population):
    for seed in range(5):
        target = update_of(perceptron(seed=seed), distinct(n, seed), population=population)
        found, truth = labels_of(target)
        assert found == truth


@pytest.mark.parametrize("label", [0, 1])
def test_the_label_of_one_record_of_two_classes_is_recovered(label):
    for seed in range(5):
        inputs, _ = digits(1, seed)
        found, truth = labels_of(update_of(perceptron(classes=2, seed=seed), (inputs, [label])))
        assert found == truth


def trained():
    model = perceptron()
    inputs, labels = (torch.as_tensor(part) for part in POPULATION)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimiser.step()
    return model


@pytest.mark.parametrize("model", [perceptron(), trained()], ids=["fresh", "trained"])
def test_counts_of_large_batches_are_near_the_true_ones(model):
    target = update_of(model, digits(64), population=POPULATION)
    evidence = attacked(LabelCounts(), target)
    assert evidence.quality["label"].mean() >= 0.9


def test_a_clipped_update_tells_as_much():
    def clipped(model, batch):
        found = gradients(model, batch)
        size = torch.sqrt(sum((value**2).sum() for value in found))
        return [value / size * 1e-3 for value in found]

    target = update_of(perceptron(), distinct(8), client=clipped, population=POPULATION)
    found, truth = labels_of(target)
    assert found == truth


def test_a_last_layer_without_bias_tells_single_labels():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10, bias=False)
    )
    for seed in range(5):
        found, truth = labels_of(update_of(model, digits(1, seed)))
        assert found == truth


def test_noise_tells_nothing():
    """Of 50 batches of 8, neither guess is better: a fair coin errs so far in 1 of 10^4 cases."""
    differences = []
    for seed in range(50):
        target = update_of(perceptron(), digits(8, seed), client=noise, population=POPULATION)
        evidence = attacked(LabelCounts(), target, seed)
        differences.append(evidence.quality["label"].mean() - evidence.baseline["label"].mean())
    better = np.sum(np.array(differences) > 0)
    assert better <= 38


def test_labels_that_are_no_classes_do_not_match():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    inputs, labels = digits(4)

    def squared(outputs, wanted):
        return ((outputs[:, 0] - wanted) ** 2).mean()

    target = update_of(model, (inputs, labels.astype(np.float32)), loss=squared)
    assert "no whole numbers" in LabelCounts().mismatch(target)
    known = update_of(perceptron(), digits(4), labels_known=True)
    assert "labels_known" in LabelCounts().mismatch(known)


def test_shares_become_counts_of_the_right_sum():
    np.testing.assert_array_equal(apportion(np.array([0.5, 0.3, 0.2]), 5), [3, 1, 1])
    np.testing.assert_array_equal(apportion(np.array([1 / 3] * 3), 9), [3, 3, 3])
