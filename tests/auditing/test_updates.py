"""Audits of what a client sends."""

import numpy as np
import pytest

from pytest_leakpro import (
    FederatedUpdate,
    LeakageError,
    LeakproError,
    PytestLeakproWarning,
    assert_leakage_below,
    audit,
)

torch = pytest.importorskip("torch")
pytest.importorskip("skimage")
from tests.attacks.federated.clients import (  # noqa: E402 - they need torch
    IMAGES,
    POPULATION,
    Y,
    digits,
    gradients,
    noise,
    perceptron,
)

EXACT = ["first_layer", "label_counts"]


def test_a_plain_client_fails_and_says_what_to_do():
    target = FederatedUpdate.from_gradient(
        perceptron(), digits(2), population=POPULATION, name="clinic 3"
    )
    with pytest.raises(LeakageError) as error:
        assert_leakage_below(
            target, "reconstruction[psnr>=30] <= 5%", "label_recovery <= 50%", attacks=EXACT
        )
    said = str(error.value)
    assert "clinic 3 gives records away above its budget" in said
    assert "by first_layer; server, honest, with a population" in said
    assert "(this update)" in said
    assert "clip and add noise" in said


def test_one_update_is_a_census_of_it():
    target = FederatedUpdate.from_gradient(perceptron(), digits(1), population=POPULATION)
    entry = audit(target, "reconstruction[psnr>=30] <= 5%", attacks=["first_layer"])
    measured = entry.measurements[0]
    assert (measured.low, measured.value, measured.high) == (1, 1, 1)
    assert measured.census
    assert "this update" in str(entry)


@pytest.mark.parametrize("draws", [72, 40])
def test_noise_passes_where_enough_batches_are_drawn(draws):
    target = FederatedUpdate.from_gradient(
        perceptron(), data=(IMAGES[:500], Y[:500]), draws=draws, batch_size=2, client=noise,
        population=POPULATION,
    )  # fmt: skip
    budget = "reconstruction[psnr>=30] <= 5%"
    if draws == 72:
        with pytest.warns(PytestLeakproWarning, match="does not depend on the batch"):
            found = audit(target, budget, attacks=["first_layer"])
        assert str(found.verdict) == "PASS"
        assert found.measurements[0].high <= 0.05
        return
    with pytest.warns(PytestLeakproWarning, match=r"cannot PASS with 40 batches.*72 batches"):
        found = audit(target, budget, attacks=["first_layer"])
    assert str(found.verdict) == "INCONCLUSIVE"


def test_batches_that_all_leak_fail_with_a_bound():
    target = FederatedUpdate.from_gradient(
        perceptron(), data=(IMAGES[:500], Y[:500]), draws=20, batch_size=1, population=POPULATION
    )
    with pytest.warns(PytestLeakproWarning, match="cannot PASS with 20 batches"):
        found = audit(target, "reconstruction[psnr>=30] <= 5%", attacks=["first_layer"])
    assert str(found.verdict) == "FAIL"
    assert 0.5 < found.measurements[0].low < 1


def test_without_budgets_the_usual_metrics_are_measured():
    target = FederatedUpdate.from_gradient(perceptron(), digits(2), population=POPULATION)
    found = audit(target, attacks=EXACT)
    assert [str(entry.metric) for entry in found.measurements] == [
        "reconstruction[psnr>=20]",
        "reconstruction[ssim>=0.5]",
        "label_recovery",
    ]
    assert found.verdict is None


def test_the_same_seed_gives_the_same_figures():
    def make():
        return FederatedUpdate.from_gradient(
            perceptron(), data=(IMAGES[:500], Y[:500]), draws=4, batch_size=3,
            population=POPULATION,
        )  # fmt: skip

    one, two, other = (
        [entry.value for entry in audit(make(), attacks=EXACT, seed=seed).measurements]
        for seed in (0, 0, 1)
    )
    assert one == two != other


@pytest.mark.parametrize(
    ("budget", "attacks", "said"),
    [
        ("reconstruction[columns>=0.5] <= 5%", None, "records are images.*mse, psnr, ssim"),
        ("tpr@1%fpr <= 3%", None, "tpr cannot be measured on FederatedUpdate"),
        ("label_recovery <= 5%", ["first_layer"], "none of the attacks asked for measures"),
        ("label_recovery <= 5%", EXACT, "names first_layer, and no budget asks"),
        ("label_recovery <= 5%", ["lira"], "does not match"),
        ("reconstruction[psnr>=30] <= 5%", ["imprint"], "behaviour='malicious'"),
    ],
)
def test_what_cannot_be_measured_is_said(budget, attacks, said):
    target = FederatedUpdate.from_gradient(perceptron(), digits(2))
    with pytest.raises(LeakproError, match=said):
        audit(target, budget, attacks=attacks)


def test_a_budget_that_a_guess_uses_up_is_warned_of():
    target = FederatedUpdate.from_gradient(perceptron(), digits(8), population=POPULATION)
    with pytest.warns(PytestLeakproWarning, match="cannot FAIL here.*without the update"):
        found = audit(target, "label_recovery <= 60%", attacks=["label_counts"])
    assert any("stricter criterion" in note for note in found.notes)


def test_zeros_and_noise_give_no_more_than_a_guess():
    """Of 100 updates each none may FAIL: the baseline takes the better of two guesses."""

    def zeros(model, batch):
        return [0 * value for value in gradients(model, batch)]

    for client in (zeros, noise):
        fails = 0
        for seed in range(50):
            target = FederatedUpdate.from_gradient(
                perceptron(), digits(4, seed), client=client, population=POPULATION
            )
            with pytest.warns(PytestLeakproWarning):
                found = audit(
                    target, "reconstruction[ssim>=0.5] <= 5%", attacks=["first_layer"], seed=seed
                )
            fails += str(found.verdict) == "FAIL"
        assert fails == 0


def test_attacks_are_chosen_by_what_records_are():
    table = IMAGES.reshape(-1, 64)
    target = FederatedUpdate.from_gradient(
        perceptron(), (table[:2], Y[:2]), population=(table[500:700], Y[500:700])
    )
    found = audit(target, "reconstruction[columns>=0.9] <= 5%", attacks=["first_layer"])
    assert str(found.verdict) == "FAIL"


def test_records_are_kept_whatever_library_they_come_from():
    frame = pytest.importorskip("pandas").DataFrame(IMAGES[:3].reshape(3, 64))
    target = FederatedUpdate.from_gradient(perceptron(), (frame, Y[:3]))
    assert target.prepare(0)[0].inputs.dtype == torch.float32
    np.testing.assert_allclose(target.prepare(0)[0].inputs, IMAGES[:3].reshape(3, 64))


def test_an_update_that_could_not_be_audited_is_recorded_with_its_own_metrics():
    from pytest_leakpro.auditing.log import AuditLog
    from pytest_leakpro.auditing.session import SessionDefaults, session_variable

    def fails(model, batch):
        raise RuntimeError("no such disk")

    log = AuditLog()
    target = FederatedUpdate.from_gradient(perceptron(), digits(2), client=fails, name="clinic")
    token = session_variable.set(SessionDefaults(log=log, cache_dir=None, test="test_it.py::test"))
    try:
        with pytest.raises(RuntimeError):
            audit(target)
    finally:
        session_variable.reset(token)
    (logged,) = log.audits
    assert [record["metric"] for record in logged.records] == [
        "reconstruction[psnr>=20]",
        "reconstruction[ssim>=0.5]",
        "label_recovery",
    ]
    assert {record["access"] for record in logged.records} == {"server"}
