"""Records from the stationarity conditions of a small network: what it takes, and what it gives."""

import numpy as np
import pytest

from pytest_leakpro import Classifier, LeakproError
from pytest_leakpro.attacks.reconstruction.kkt import KktReconstruction

torch = pytest.importorskip("torch")
EACH = 12


def network(*layers):
    torch.manual_seed(0)
    return torch.nn.Sequential(*layers).double()


def perceptron():
    return network(torch.nn.Linear(5, 30), torch.nn.ReLU(), torch.nn.Linear(30, 1, bias=False))


def target_of(model, **options):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2 * EACH, 5)), np.arange(2 * EACH) % 2
    options = {"access": "white-box", "output": "logits", "train": False} | options
    return Classifier(model, (X[:EACH], y[:EACH]), (X[EACH:], y[EACH:]), **options)


def test_as_many_finite_candidates_come_out_as_were_asked_for():
    attack = KktReconstruction(attempts=20, steps=30)
    view = target_of(perceptron()).prepare(0)
    found = attack.rebuild(view, np.random.default_rng(0), print)
    assert found.records.shape == (20, 5)
    assert np.isfinite(found.records).all()
    again = attack.rebuild(view, np.random.default_rng(0), print)
    np.testing.assert_array_equal(found.records, again.records)


def test_it_needs_weights_and_a_network_of_its_kind():
    attack = KktReconstruction()
    assert "white-box" in attack.mismatch(target_of(perceptron(), access="scores"))
    assert attack.mismatch(target_of(perceptron())) is None
    smooth = network(torch.nn.Linear(5, 30), torch.nn.Tanh(), torch.nn.Linear(30, 1, bias=False))
    assert attack.mismatch(target_of(smooth)) is not None
    with pytest.raises(LeakproError, match="attempts"):
        KktReconstruction(attempts=3)
