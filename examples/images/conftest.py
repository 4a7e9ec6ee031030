"""Data and networks, loaded and trained once a session and only when an audit needs them."""

import digits
import pytest


@pytest.fixture(scope="session")
def pictures():
    return digits.load_digits()


@pytest.fixture(scope="session")
def early_stopped(pictures):
    return digits.recipe(digits.EARLY_EPOCHS)(*pictures.train, seed=1)


@pytest.fixture(scope="session")
def overfitted(pictures):
    return digits.recipe(digits.OVERFITTED_EPOCHS)(*pictures.train, seed=1)
