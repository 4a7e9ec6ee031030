"""Data and models, loaded once a session and only when an audit needs them."""

import mortality
import pytest


@pytest.fixture(scope="session")
def cohort():
    return mortality.load_cohort()


@pytest.fixture(scope="session")
def logistic_regression(cohort):
    return mortality.train_logistic_regression(cohort)


@pytest.fixture(scope="session")
def deep_forest(cohort):
    return mortality.train_deep_forest(cohort)
