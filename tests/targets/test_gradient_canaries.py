"""Gradients as canaries: where they are put, what is read of them, and what is refused."""

import numpy as np
import pytest
from scipy.stats import norm

from pytest_leakpro import Canaries, LeakproError
from pytest_leakpro.targets.gradient_canaries import GradientCanaries, InsertedGradients


def test_places_are_distinct_and_follow_from_the_seed():
    canaries = Canaries.gradients(50, seed=3)
    assert isinstance(canaries, GradientCanaries)
    assert repr(canaries) == "GradientCanaries(50)"
    places, signs = canaries.places(60)
    assert len(set(places.tolist())) == 50
    assert set(signs.tolist()) == {1.0, -1.0}
    again = Canaries.gradients(50, seed=3)
    np.testing.assert_array_equal(again.places(60)[0], places)
    np.testing.assert_array_equal(again.included, canaries.included)
    assert not np.array_equal(Canaries.gradients(50, seed=4).included, canaries.included)


def test_the_tosses_are_remembered(tmp_path):
    path = tmp_path / "truth.npz"
    first = Canaries.gradients(40, truth=path)
    np.testing.assert_array_equal(Canaries.gradients(40, truth=path).included, first.included)
    with pytest.raises(LeakproError, match="other canaries"):
        Canaries.gradients(40, seed=1, truth=path)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Canaries.gradients(5), "too few"),
        (lambda: Canaries.gradients("many"), "number of canaries"),
        (lambda: Canaries.gradients(50, seed=-1), "seed"),
        (lambda: Canaries.gradients(50).places(49), "make fewer canaries"),
    ],
)
def test_what_cannot_be_is_an_error(make, says):
    with pytest.raises(LeakproError, match=says):
        make()


def weights(sizes):
    torch = pytest.importorskip("torch")
    return [torch.nn.Parameter(torch.zeros(size, dtype=torch.float64)) for size in sizes]


def step(inserted, parts, records, noise, rng):
    """Clip to 1, sum and add noise as DP-SGD does; give what is added to the records' own sum."""
    import torch

    for part, samples in zip(parts, records, strict=True):
        part.grad_sample = torch.tensor(samples)
    n, own = len(records[0]), inserted.insert()
    flat = torch.cat([part.grad_sample.reshape(n + own, -1) for part in parts], 1)
    clipped = ((1 / (flat.norm(dim=1) + 1e-6)).clamp(max=1)[:, None] * flat).numpy()
    released = clipped.sum(0) + noise * rng.normal(size=clipped.shape[1])
    for part, piece in zip(parts, np.split(released, [parts[0].numel()]), strict=True):
        part.grad = torch.tensor(piece / 10).reshape(part.shape)
    inserted.observe(10.0)
    return released - clipped[:n].sum(0)


@pytest.mark.parametrize(("rate", "noise"), [(1.0, 0.0), (0.3, 0.5), (0.3, 2.0)])
def test_scores_are_ratios_of_likelihoods(rate, noise):
    """Of noise and a unit at the rate, against noise alone: normal densities, written out."""
    rng = np.random.default_rng(0)
    canaries = Canaries.gradients(12, seed=1)
    parts = weights([(3, 5), (4,)])
    inserted = InsertedGradients(canaries, parts, rate, 1.0, noise)
    records = [rng.normal(size=(7, 3, 5)), rng.normal(size=(7, 4))]
    places, signs = canaries.places(19)
    wanted = np.zeros(12)
    for _ in range(20):
        seen = step(inserted, parts, records, noise, rng)[places] * signs
        if noise:
            there, not_there = (norm.pdf(seen, mean, noise) for mean in (1.0, 0.0))
            wanted += np.log(rate * there / not_there + 1 - rate)
    inside, outside = inserted.scores[canaries.included], inserted.scores[~canaries.included]
    assert np.isfinite(inserted.scores).all()
    if noise:
        np.testing.assert_allclose(inserted.scores, wanted, rtol=1e-4, atol=1e-4)
    if noise < 1:
        assert inside.min() > outside.max()


def test_a_step_without_records_and_a_second_part_of_a_step_add_none():
    canaries = Canaries.gradients(10)
    parts = weights([(20,)])
    import torch

    inserted = InsertedGradients(canaries, parts, 1.0, 1.0, 1.0)
    parts[0].grad_sample = torch.zeros(0, 20, dtype=torch.float64)
    assert inserted.insert() == canaries.included.sum()
    parts[0].grad_sample = [torch.zeros(2, 20), torch.zeros(3, 20)]
    assert inserted.insert() == 0
