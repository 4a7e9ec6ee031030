"""Looks at more and more shadow models, and the time that they may take."""

import numpy as np
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.shadow import deadline
from pytest_leakpro.shadow.deadline import Deadline, OutOfTimeError
from pytest_leakpro.shadow.executor import execute
from pytest_leakpro.shadow.looks import numbers_of_models
from tests.shadow.jobs import KEY, forest, job_of, quiet, same


@pytest.mark.parametrize(
    ("share", "numbers"),
    [
        (0.5, (8, 16, 32, 64)),
        (0.7, (16, 32, 64)),
        (0.2, (32, 64)),
        (0.25, (16, 32, 64)),
        (0.93, (64,)),
        (0.99, (64,)),
        (0.01, (64,)),
    ],
)
def test_auto_looks_where_all_models_can_be_trained_alike(share, numbers):
    assert numbers_of_models("auto", share) == numbers


def test_a_number_is_the_only_look():
    assert numbers_of_models(24, 0.99) == (24,)


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""
    now = [1000.0]
    monkeypatch.setattr(deadline, "monotonic", lambda: now[0])
    return now


def test_the_end_of_a_budget(clock):
    end = Deadline.after("1.5m")
    clock[0] += 89
    assert not end.passed
    clock[0] += 1
    assert end.passed
    assert end.budget == "1.5m"


@pytest.mark.parametrize("budget", ["", "10", "ten minutes", "-3m", "0s"])
def test_no_length_of_time(budget):
    with pytest.raises(LeakproError, match=r"the time budget is .*(such as 10m|in no time)"):
        Deadline.after(budget)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_finished_in_time_is_kept(clock, tmp_path, workers):
    job = job_of(folder=tmp_path)
    expected = execute(job_of(), forest, 1, quiet)
    end = Deadline.after("10s")

    def said(line):  # once the first one is trained
        clock[0] += 10

    with pytest.raises(OutOfTimeError, match=r"time budget of 10s ended after 1 of 6 .* goes on"):
        execute(job, forest, workers, said, deadline=end)
    assert same(job.cache.load(KEY, 0), expected[0])
    with pytest.raises(OutOfTimeError, match="ended after 1 of 6 shadow models; the next run"):
        execute(job, forest, workers, quiet, deadline=end)
    assert same(execute(job, forest, workers, quiet), expected)
    # What is in the cache takes no time.
    assert same(execute(job, forest, workers, quiet, deadline=end), expected)


def test_nothing_is_promised_without_a_cache(clock):
    end = Deadline.after("1s")
    clock[0] += 1
    with pytest.raises(OutOfTimeError, match=r"ended after 0 of 6 shadow models$"):
        execute(job_of(), forest, 1, quiet, deadline=end)


def test_the_last_one_may_take_longer(clock):
    end = Deadline.after("1s")

    def slow(X, y, seed):
        clock[0] += 1 if seed == 105 else 0
        return forest(X, y, seed)

    assert np.isfinite(execute(job_of(), slow, 1, quiet, deadline=end)).all()
