"""Workers, progress, and what is said."""

import pytest

from pytest_leakpro.shadow import executor
from pytest_leakpro.shadow.executor import default_workers
from pytest_leakpro.shadow.group import failure_of
from pytest_leakpro.shadow.job import Finished
from tests.auditing.cohorts import leaky_target


def test_workers_are_shared_among_those_of_xdist(monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    alone = default_workers()
    assert alone >= 1
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(alone))
    assert default_workers() == 1


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
@pytest.mark.parametrize("watched", [True, False])
def test_progress_is_shown_to_somebody_who_looks_on(monkeypatch, watched):
    from pytest_leakpro import audit
    from pytest_leakpro.auditing.session import SessionDefaults, session_variable

    said = []
    monkeypatch.setattr(executor, "_PROGRESS_SECONDS", -1.0)
    monkeypatch.setattr(executor, "_is_watched", lambda: watched)
    token = session_variable.set(
        SessionDefaults(cache_dir=None, workers=1, shadow_models=4, say=said.append)
    )
    try:
        audit(leaky_target(100, train=None), "auc <= 0.6")
    finally:
        session_variable.reset(token)
    assert said[0].startswith("4 shadow models x ")
    expected = [f"{done} of 4 shadow models" for done in (2, 3, 4)]
    assert said[1:] == (expected if watched else [])


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        ("the cluster has numpy 1", "shadow models 3, 4 of 8: the cluster has numpy 1"),
        ("shadow model 4 of 8: train raised ValueError", None),
    ],
)
def test_what_failed_is_named_once(failure, says):
    failures = [
        Finished(index, None, 0.0, False, failure, "trace", is_named=says is None)
        for index in (3, 2)
    ]
    error = failure_of(failures, 8)
    assert str(error) == (says or failure)
    assert str(error.__cause__) == "trace"
