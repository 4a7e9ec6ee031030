"""What is seen of a training with Opacus: the one that people mean, and those that they write."""

import math

import numpy as np
import pytest

from pytest_leakpro import LeakageError, LeakproError

torch = pytest.importorskip("torch")
pytest.importorskip("opacus")
pytest.importorskip("dp_accounting")
from opacus.optimizers import DPOptimizer  # noqa: E402

from opacus import PrivacyEngine  # noqa: E402 - only where it is installed
from pytest_leakpro.opacus import epsilon_of, watch_training  # noqa: E402

DELTA = 1e-5


class NoiseOverBatch(DPOptimizer):
    """Adds noise as if the sum had been divided by the batch size already."""

    def add_noise(self):
        right, self.noise_multiplier = self.noise_multiplier, self.noise_multiplier / 20
        super().add_noise()
        self.noise_multiplier = right


class ClippedPerBatch(DPOptimizer):
    """Clips the sum of the gradients."""

    def clip_and_accumulate(self):
        sums = [part.grad_sample.sum(0) for part in self.params]
        norm = math.sqrt(sum(float(part.pow(2).sum()) for part in sums))
        factor = min(1.0, 30 * self.max_grad_norm / norm)
        for part, total in zip(self.params, sums, strict=True):
            part.summed_grad = factor * total


def trained(kind=None, *, poisson=True, steps=60, norm=False, noise=1.0, accumulate=1):
    rng = np.random.default_rng(0)
    X = torch.tensor(rng.normal(size=(400, 5)), dtype=torch.float32)
    y = torch.tensor(rng.integers(0, 2, 400))
    torch.manual_seed(0)
    layers = [torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(X, y), batch_size=40, shuffle=True
    )
    engine = PrivacyEngine()
    model, optimizer, loader = engine.make_private(
        module=model, optimizer=optimizer, data_loader=loader, noise_multiplier=noise,
        max_grad_norm=1.0, poisson_sampling=poisson,
    )  # fmt: skip
    if kind is not None:
        optimizer.__class__ = kind
    if norm:
        model.add_module("norm", torch.nn.BatchNorm1d(2))
    training = watch_training(model, optimizer, loader)
    loss, done = torch.nn.CrossEntropyLoss(), 0
    while done < steps:
        for inputs, labels in loader:
            optimizer.zero_grad()
            for part in range(accumulate):
                loss(model._module(inputs[part::accumulate]), labels[part::accumulate]).backward()
                if accumulate > 1:
                    optimizer.signal_skip_step(do_skip=part < accumulate - 1)
                optimizer.step()
                optimizer.zero_grad()
            done += 1
            if done == steps:
                break
    return training, engine


def test_a_training_as_it_should_be_has_no_fault_and_costs_what_opacus_says():
    training, engine = trained()
    assert training.faults() == ()
    assert training.steps == 60
    assert training.noise_multiplier == pytest.approx(1.0, rel=0.05)
    assert training.sample_rate == pytest.approx(0.1, rel=0.15)
    assert training.epsilon(DELTA) == pytest.approx(engine.get_epsilon(DELTA), rel=0.2)
    assert training.check(claimed_epsilon=8.0, delta=DELTA) < 8
    assert repr(training) == "WatchedTraining(steps=60)"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": NoiseOverBatch}, "the noise has a multiplier of 0.05"),
        ({"kind": ClippedPerBatch}, "not clipped record by record"),
        ({"poisson": False}, "all batches have 40 records"),
        ({"norm": True}, r"batch normalisation \(.*norm\)"),
        ({"steps": 0}, "no step was seen"),
    ],
)
def test_faults_that_people_make_are_named(options, says):
    training, _ = trained(**options)
    with pytest.raises(LeakageError, match=says) as error:
        training.check(claimed_epsilon=20.0, delta=DELTA)
    assert error.value.audit is None
    assert "does not keep epsilon <= 20 at delta = 1e-05" in str(error.value)


def test_more_steps_than_were_accounted_for_are_counted():
    training, _ = trained(steps=120)
    claimed = epsilon_of(1.0, 0.1, 30, DELTA)
    with pytest.raises(LeakageError, match=r"120 steps with a noise multiplier of 1.* cost eps"):
        training.check(claimed_epsilon=claimed, delta=DELTA)


def test_batches_that_are_accumulated_are_one_step():
    training, _ = trained(accumulate=2, steps=30)
    assert training.steps == 30
    assert training.faults() == ()
    assert np.mean(training.batch_sizes) == pytest.approx(40, rel=0.2)


def test_without_sampling_it_is_the_gaussian_mechanism():
    """Balle and Wang (2018), theorem 8: the exact delta of the Gaussian mechanism."""
    from scipy.stats import norm

    steps, noise = 9, 6.0
    mu = math.sqrt(steps) / noise
    epsilon = epsilon_of(noise, 1.0, steps, DELTA)
    delta = norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu)
    assert delta == pytest.approx(DELTA, rel=0.02)
    assert epsilon_of(0.0, 0.1, 10, DELTA) == math.inf
    assert epsilon_of(1.0, 0.1, 0, DELTA) == 0


def test_an_optimizer_without_noise_is_an_error():
    model = torch.nn.Linear(2, 2)
    with pytest.raises(LeakproError, match="SGD, which clips no gradients"):
        watch_training(model, torch.optim.SGD(model.parameters(), lr=0.1), None)
