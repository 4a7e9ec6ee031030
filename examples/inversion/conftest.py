"""Data and models, loaded and trained once a session and only when an audit needs them."""

import clinic
import pytest


@pytest.fixture(scope="session")
def patients():
    return clinic.load_patients()


@pytest.fixture(scope="session")
def logistic_regression(patients):
    return clinic.train_logistic_regression(patients)


@pytest.fixture(scope="session")
def handwriting():
    module = pytest.importorskip("handwriting", reason="needs torch", exc_type=ImportError)
    # Threads of networks as small as these wait for each other.
    module.torch.set_num_threads(1)
    return module


@pytest.fixture(scope="session")
def digits(handwriting):
    return handwriting.load_digits()


@pytest.fixture(scope="session")
def reader(handwriting, digits):
    return handwriting.train_network(digits)


@pytest.fixture(scope="session")
def generator(handwriting, digits, reader):
    return handwriting.train_generator(reader, digits.public)
