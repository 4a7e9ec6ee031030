"""A small repo whose tests audit scores, for the plugin to run in."""

import pytest
import sklearn.ensemble  # noqa: F401

# Sessions in this process forget the modules that they imported, and numpy cannot be loaded twice.
import pytest_leakpro.auditing.conductor
import pytest_leakpro.gate.counts
import pytest_leakpro.gate.guesses  # noqa: F401

SCORES = """
import numpy as np
import pytest
from pytest_leakpro import MembershipScores

def scores(shift, size=4000, name="scores"):
    rng = np.random.default_rng(1)
    return MembershipScores(
        rng.normal(shift, 1, size), rng.normal(size=size), name=name
    )

@pytest.fixture
def quiet():
    return scores(0.0, name="quiet")

@pytest.fixture
def loud():
    return scores(1.5, name="loud")

@pytest.fixture
def unclear():
    return scores(0.0, size=60, name="unclear")
"""


@pytest.fixture(autouse=True)
def outside_ci(monkeypatch):
    """The same output wherever these tests run; what sessions of their own compile is kept."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    for name in ("CI", "BUILD_NUMBER", "LEAKPRO_DIGEST_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repo(pytester):
    """A pytester folder with the fixtures quiet, loud and unclear."""
    pytester.makeconftest(SCORES)
    return pytester


@pytest.fixture
def three(repo):
    """With a test that passes, one that fails and one that is undecided."""
    repo.makepyfile(
        test_three="""
        import pytest

        @pytest.mark.leakage("auc <= 0.55")
        def test_quiet(leakpro, quiet):
            leakpro.audit(quiet)

        @pytest.mark.leakage("auc <= 0.55")
        def test_loud(leakpro, loud):
            leakpro.audit(loud)

        @pytest.mark.leakage("auc <= 0.55")
        def test_unclear(leakpro, unclear):
            leakpro.audit(unclear)
        """
    )
    return repo
