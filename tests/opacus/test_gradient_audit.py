"""Gradients as canaries in trainings with Opacus: claims that hold, and those that do not."""

import pytest

from pytest_leakpro import Canaries, LeakproError, audit

torch = pytest.importorskip("torch")
pytest.importorskip("opacus")
pytest.importorskip("dp_accounting")
from opacus.optimizers import DPOptimizer  # noqa: E402

from opacus import PrivacyEngine  # noqa: E402 - only where it is installed
from pytest_leakpro.opacus import epsilon_of, watch_training  # noqa: E402

DELTA, RATE, STEPS = 1e-5, 0.2, 40


class Quiet(DPOptimizer):
    """Adds a twentieth of the noise."""

    def add_noise(self):
        right, self.noise_multiplier = self.noise_multiplier, self.noise_multiplier / 20
        super().add_noise()
        self.noise_multiplier = right


def trained(canaries, kind=None, *, noise=1.0, seed=0, mode="hooks"):
    torch.manual_seed(seed)
    X, y = torch.randn(200, 30), torch.randint(0, 2, (200,))
    model = torch.nn.Sequential(torch.nn.Linear(30, 40), torch.nn.ReLU(), torch.nn.Linear(40, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(X, y), batch_size=int(RATE * len(X))
    )
    loss = torch.nn.CrossEntropyLoss()
    made = PrivacyEngine().make_private(
        module=model, optimizer=optimizer, data_loader=loader, noise_multiplier=noise,
        max_grad_norm=1.0, grad_sample_mode=mode, criterion=loss,
    )  # fmt: skip
    model, optimizer, loader = made[0], made[1], made[-1]
    if kind is not None:
        optimizer.__class__ = kind
    watched = watch_training(model, optimizer, loader, canaries=canaries)
    while watched.steps < STEPS:
        for inputs, labels in loader:
            if watched.steps == STEPS:
                break
            optimizer.zero_grad()
            loss(model(inputs), labels).backward()
            optimizer.step()
    return watched


def test_a_claim_that_holds_is_not_refuted_and_the_set_up_is_as_before():
    """Three trainings at an error of 2.5 % each: two refuted have probability below 0.2 %."""
    epsilon, refuted = epsilon_of(1.0, RATE, STEPS, DELTA), 0
    for seed in range(3):
        watched = trained(Canaries.gradients(500, seed=seed), seed=seed)
        assert watched.faults() == ()
        assert watched.epsilon(DELTA) == pytest.approx(epsilon, rel=0.2)
        scores = watched.canary_scores(DELTA, assume="gaussian")
        found = audit(scores, f"epsilon <= {epsilon}").measurements[0]
        refuted += found.low > epsilon
    assert refuted < 2
    assert found.value > 1  # they are seen, for all that


def test_noise_that_is_too_small_is_refuted_without_assumptions():
    watched = trained(Canaries.gradients(1000), Quiet)
    found = audit(watched.canary_scores(DELTA, name="quiet"), "epsilon <= 3")
    assert found.target == "quiet"
    assert str(found.verdict) == "FAIL"


def test_what_cannot_be_inserted_is_an_error():
    with pytest.raises(LeakproError, match="ghost clipping"):
        trained(Canaries.gradients(20), mode="ghost")
    X = torch.zeros(40, 2).numpy()
    with pytest.raises(LeakproError, match=r"takes Canaries\.gradients"):
        trained(Canaries(X, X[:, 0].astype(int)))
    with pytest.raises(LeakproError, match="has no canaries"):
        trained(None).canary_scores(DELTA)
