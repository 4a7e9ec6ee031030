"""Digits and what reads them, loaded and trained once a session and only when a test needs them."""

import pytest


@pytest.fixture(scope="session")
def digits():
    from digits import load_digits

    return load_digits()


@pytest.fixture(scope="session")
def networks():
    module = pytest.importorskip("networks", reason="needs torch, opacus", exc_type=ImportError)
    module.torch.set_num_threads(1)
    return module
