"""Digits and trainings, loaded and run once a session and only when a test needs them."""

import pytest


@pytest.fixture(scope="session")
def training():
    module = pytest.importorskip("training", reason="needs torch, opacus", exc_type=ImportError)
    module.torch.set_num_threads(1)
    return module


@pytest.fixture(scope="session")
def digits(training):
    return training.load_digits()


@pytest.fixture(scope="session")
def trained(training, digits):
    """Give a function that trains with gradients as canaries, once per mistake."""
    from pytest_leakpro import Canaries

    kept = {}

    def of(mistake=None):
        if mistake not in kept:
            kept[mistake] = training.train(
                *digits.train, mistake, canaries=Canaries.gradients(1000)
            )
        return kept[mistake]

    return of
