"""Data, loaded once a session and only when an audit needs them."""

import pytest
from cohort import load_cohort


@pytest.fixture(scope="session")
def cohort():
    return load_cohort()
