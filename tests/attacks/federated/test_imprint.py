"""The imprint layer of a malicious server."""

import numpy as np
import pytest
import torch
from torch import nn

from pytest_leakpro import LeakproError, audit
from pytest_leakpro.attacks.federated.imprint import Imprint
from tests.attacks.federated.clients import (
    POPULATION,
    attacked,
    digits,
    gradients,
    perceptron,
    rebuilt,
    update_of,
)


def convolution(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


@pytest.mark.parametrize("make", [perceptron, convolution])
def test_records_alone_in_a_bin_are_recovered_exactly_whatever_the_model(make):
    target = update_of(make(), digits(32), behaviour="malicious", population=POPULATION)
    evidence = attacked(Imprint(bins=1024), target)
    # 32 records fall into 1,024 bins: one shares its bin with 3 %, so 28 are fewer than chance
    # leaves in less than 1 of 1,000 cases.
    assert (evidence.quality["psnr"] > 40).sum() >= 26
    assert (evidence.baseline["psnr"] < 30).all()


def test_a_client_that_refuses_gives_nothing_away():
    asked = perceptron()
    expected = [value.shape for value in asked.parameters()]

    def careful(model, batch):
        if [value.shape for value in model.parameters()] != expected:
            raise ValueError("this is not the model that was agreed on")
        return gradients(model, batch)

    target = update_of(asked, digits(8), client=careful, behaviour="malicious")
    found, _ = rebuilt(Imprint(), target)
    assert found.inputs is None
    assert "did not answer to the imprinted model (ValueError)" in found.remark
    measured = audit(target, "reconstruction[psnr>=20] <= 5%", attacks=["imprint"])
    assert str(measured.verdict) == "PASS"
    assert any("did not answer" in note for note in measured.notes)


def test_a_client_that_answers_to_any_model_fails():
    target = update_of(
        perceptron(), digits(8), client=gradients, behaviour="malicious", bounds=(0, 1)
    )
    measured = audit(target, "reconstruction[psnr>=20] <= 5%", attacks=["imprint"])
    assert str(measured.verdict) == "FAIL"
    assert measured.measurements[0].strength.startswith("server, malicious")


def test_an_honest_server_has_no_such_attack():
    target = update_of(perceptron(), digits(8))
    assert "behaviour='malicious'" in Imprint().mismatch(target)


@pytest.mark.parametrize("bins", [1, 0, 2.5, True])
def test_bins_are_checked(bins):
    with pytest.raises(LeakproError, match="bins is a whole number of at least 2"):
        Imprint(bins=bins)


def test_the_imprinted_model_computes_as_before_where_no_bin_is_open():
    """Below the first cut the model is the client's own, so that its training goes on."""
    target = update_of(perceptron(), digits(2), behaviour="malicious")
    view = target.prepare(0)[0].view
    from pytest_leakpro.attacks.federated.imprint import _imprinted

    model = _imprinted(view, np.ones(64), np.full(4, 1e9))
    inputs = torch.as_tensor(digits(2)[0])
    torch.testing.assert_close(model(inputs), view.model(inputs))
