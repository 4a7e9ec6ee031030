"""The app, run once as it stands and once with its defence, only when an audit needs it."""

import pytest

from federation import Federation
from pytest_leakpro.flower import recorded_rounds


@pytest.fixture(scope="session")
def federation(tmp_path_factory):
    with Federation(tmp_path_factory.mktemp("flower")) as running:
        yield running


@pytest.fixture(scope="session")
def plain(federation):
    return recorded_rounds(federation.run(private=False))


@pytest.fixture(scope="session")
def private(federation):
    return recorded_rounds(federation.run(private=True))
