"""Images by gradient inversion, on digits of 8 x 8 pixels and networks that take seconds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pytest_leakpro import LeakproError, PytestLeakproWarning
from pytest_leakpro.attacks.federated.dlg import DeepLeakage
from pytest_leakpro.attacks.federated.image_prior import image_prior
from pytest_leakpro.attacks.federated.inverting_gradients import (
    FedAvgInversion,
    InvertingGradients,
    StatisticsInversion,
)
from pytest_leakpro.attacks.federated.last_features import last_features
from pytest_leakpro.attacks.federated.misfit import Misfit
from pytest_leakpro.attacks.federated.searches import quasi_newton, signed_descent
from pytest_leakpro.attacks.federated.spectral_inversion import SpectralInversion
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.targets.federated_update import FederatedUpdate
from tests.attacks.federated.clients import (
    POPULATION,
    attacked,
    distinct,
    gradients,
    noise,
    rebuilt,
)

PLAIN = SpectralInversion(steps=80, terms=(1.0, 0.0), prior=1e-12, masked=False, distance="squared")


def convolutional(seed=0, *, norm=False, activation=nn.Sigmoid):
    torch.manual_seed(seed)
    layers = [nn.Conv2d(1, 8, 3, padding=1), activation(), nn.Conv2d(8, 8, 3, padding=1)]
    if norm:
        layers.append(nn.BatchNorm2d(8))
    layers += [activation(), nn.Flatten(), nn.Linear(512, 10)]
    model = nn.Sequential(*layers)
    if activation is nn.Sigmoid:
        for value in model.parameters():
            nn.init.uniform_(value, -0.5, 0.5)
    return model


def target_of(n=1, model=None, **knowledge):
    model = convolutional() if model is None else model
    return FederatedUpdate.from_gradient(model, distinct(n), bounds=(0.0, 1.0), **knowledge)


def error(attack, target):
    """Mean squared error of what an attack rebuilds, and that of the baseline."""
    evidence = attacked(attack, target)
    return evidence.quality["mse"].mean(), evidence.baseline["mse"].mean()


def test_coefficients_are_an_orthonormal_change_of_basis_up_to_their_scale():
    target = target_of(population=POPULATION)
    prior = image_prior(target.prepare(0)[0].view)
    drawn = prior.draw(3, np.random.default_rng(0))
    off = prior.images(drawn) - prior.centre
    scaled = (drawn * prior.amplitude).square().sum()
    assert torch.isclose(off.square().sum(), scaled, rtol=1e-4)
    # Fitted to digits, it gives the frequencies that carry a digit's strokes the most.
    assert prior.amplitude[0, 0, 1] > 2 * prior.amplitude[0, 7, 7]


@pytest.mark.parametrize("n", [1, 3])
def test_images_are_recovered_from_a_smooth_network(n):
    off, blind = error(PLAIN, target_of(n))
    assert off < 1e-3 < 0.05 < blind


def test_what_entered_the_last_layer_is_separated_exactly():
    for scale in (1.0, 0.3):  # clipped updates are scaled
        model = convolutional(activation=nn.ReLU)

        def client(received, batch, scale=scale):
            return [scale * value for value in gradients(received, batch)]

        entry = target_of(6, model, client=client).prepare(0)[0]
        found = last_features(entry.view, entry.labels, np.random.default_rng(0))
        assert found is not None
        truth = model[:-1](entry.inputs).double()
        assert torch.linalg.vector_norm(found.values - truth) < 1e-3 * torch.linalg.vector_norm(
            truth
        )


def test_the_last_layer_gives_nothing_where_records_are_as_many_as_classes():
    entry = target_of(10).prepare(0)[0]
    assert last_features(entry.view, entry.labels, np.random.default_rng(0)) is None


def test_tuning_takes_what_enters_the_last_layer_of_a_relu_network():
    target = target_of(3, convolutional(activation=nn.ReLU))
    view = target.prepare(0)[0].view
    settled = SpectralInversion(steps=60).settle(view, np.random.default_rng(0))
    assert settled.terms == (0.0, 1.0)
    alone = replace(settled, both=False)
    other = replace(alone, terms=(1.0, 0.0))
    assert error(alone, target)[0] < 0.25 * error(other, target)[0]
    # What does not explain the update is given up for what does.
    mended = error(replace(other, both=True), target)[0]
    assert mended < 0.5 * error(other, target)[0]


def test_tuning_reads_a_defence_off_the_updates_that_the_attacker_makes():
    def noisy(model, batch):
        return [value + 0.01 * torch.randn_like(value) for value in gradients(model, batch)]

    def clipped(model, batch):
        return [0.2 * value for value in gradients(model, batch)]

    def pruned(model, batch):
        found = gradients(model, batch)
        return [torch.where(one.abs() > one.abs().quantile(0.8), one, 0.0) for one in found]

    def settled(client):
        view = target_of(client=client).prepare(0)[0].view
        return SpectralInversion(steps=20).settle(view, np.random.default_rng(0))

    assert settled(noisy).prior > 100 * settled(clipped).prior
    assert settled(clipped).distance == "cosine"
    assert settled(pruned).masked


def test_an_update_of_nothing_but_noise_gives_no_better_than_a_guess():
    target = target_of(2, client=noise, population=POPULATION)
    with pytest.warns(PytestLeakproWarning, match="does not depend on the batch"):
        off, blind = error(replace(PLAIN, steps=20, prior=1.0), target)
    # With noise alone the prior leaves its centre, grey; the guess is the better of two.
    assert off > 0.9 * blind


def test_the_angle_of_the_update_suffices():
    attack = InvertingGradients(steps=300, total_variation=0.003)
    off, blind = error(attack, target_of())
    assert off < 0.5 * blind


@pytest.mark.parametrize("labels", ["guessed", "joint"])
def test_pixels_and_labels_are_found_together(labels):
    target = target_of(1)
    found, entry = rebuilt(DeepLeakage(steps=150, labels=labels), target)
    assert found.labels.tolist() == entry.labels.tolist()
    assert (found.inputs - entry.inputs).square().mean() < 0.01


def test_statistics_of_normalisation_tell_more_than_the_update_alone():
    model = convolutional(norm=True, activation=nn.ReLU).train()
    target = target_of(4, model, statistics="sent", labels_known=True)
    attack = StatisticsInversion(steps=100, total_variation=0.01)
    with_them = error(attack, target)[0]
    assert with_them < error(replace(attack, statistics=0.0), target)[0]


def test_the_misfit_of_the_truth_is_zero():
    model = convolutional(norm=True).train()
    entry = target_of(4, model, statistics="sent").prepare(0)[0]
    for distance in ("squared", "cosine"):
        misfit = Misfit(entry.view, distance, statistics=1.0)
        assert misfit(entry.inputs, entry.labels) < 1e-5
        assert misfit(entry.inputs + 0.1, entry.labels) > 1e-4


def test_several_local_steps_are_inverted():
    def fit(model, batch):
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
            optimiser.step()

    target = FederatedUpdate.from_training(
        convolutional(), distinct(2), fit, learning_rate=0.1, local_steps=3, bounds=(0.0, 1.0)
    )
    off, blind = error(PLAIN, target)
    assert off < 0.05 * blind
    assert FedAvgInversion().mismatch(target) is None
    assert "one local step" in FedAvgInversion().mismatch(target_of())


def test_records_of_one_class_are_told_apart():
    inputs, _ = distinct(2)
    target = FederatedUpdate.from_gradient(
        convolutional(), (inputs, np.array([3, 3])), bounds=(0.0, 1.0), labels_known=True
    )
    off, blind = error(PLAIN, target)
    assert off < 0.5 * blind


@pytest.mark.parametrize("attack", [replace(PLAIN, seconds=1e-6), InvertingGradients(seconds=1e-6)])
def test_a_search_that_runs_out_of_time_says_so(attack):
    if isinstance(attack, InvertingGradients):
        attack = replace(attack, total_variation=0.03)
    found, entry = rebuilt(attack, target_of())
    assert found.cut
    assert found.inputs.shape == entry.inputs.shape


def test_searches_find_the_least_of_a_bowl():
    watch = Watch(None, lambda text: None)
    centre = torch.tensor([0.3, -2.0, 0.7])
    scales = torch.tensor([1.0, 100.0, 0.01])

    def bowl(point):
        return (scales * (point - centre).square()).sum()

    found = quasi_newton(bowl, (torch.zeros(3),), steps=50, watch=watch)
    assert torch.allclose(found.point[0], centre, atol=1e-3)
    found = signed_descent(
        bowl,
        (torch.zeros(3),),
        steps=200,
        step_size=0.1,
        within=lambda point: point.clamp(-1, 1),
        watch=watch,
    )
    assert torch.allclose(found.point[0], centre.clamp(-1, 1), atol=0.02)


def test_the_same_seed_gives_the_same_images():
    attack = SpectralInversion(steps=20)
    first, second = (rebuilt(attack, target_of())[0].inputs for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"restarts": 1.5},
        {"seconds": 0},
        {"terms": (0, 0)},
        {"terms": 1},
        {"prior": -1.0},
        {"masked": 1},
        {"distance": "angle"},
    ],
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(LeakproError, match=next(iter(settings))):
        SpectralInversion(**settings)


def test_wrong_settings_of_the_others_are_refused():
    with pytest.raises(LeakproError, match="total_variation"):
        InvertingGradients(total_variation="much")
    with pytest.raises(LeakproError, match="step_size"):
        InvertingGradients(step_size=0)
    with pytest.raises(LeakproError, match="labels"):
        DeepLeakage(labels="none")


def test_images_without_channels_do_not_match():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    target = FederatedUpdate.from_gradient(model, (torch.rand(2, 8, 8), torch.tensor([0, 2])))
    assert "(n, c, h, w)" in InvertingGradients().mismatch(target)


@pytest.mark.parametrize("attack", [SpectralInversion(), InvertingGradients(), DeepLeakage()])
def test_zeros_are_not_searched(attack):
    def zeros(model, batch):
        return [0 * value for value in gradients(model, batch)]

    target = target_of(client=zeros, population=POPULATION)
    with pytest.warns(PytestLeakproWarning, match="does not depend on the batch"):
        updates = target.prepare(0)
    found = attack.rebuild(updates[0].view, np.random.default_rng(0), print)
    assert found.inputs is None
    assert not found.cut
