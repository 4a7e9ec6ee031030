"""A job of shadow models, small enough for tests of where they are trained."""

from dataclasses import replace

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.shadow.job import ShadowJob
from pytest_leakpro.store.cache import SignalCache
from pytest_leakpro.targets.containers import concatenate
from tests.auditing.cohorts import safe_target

KEY = "a" * 64


def forest(X, y, seed):
    # Threads inside would change the last bits, and are held back.
    return RandomForestClassifier(n_estimators=10, n_jobs=2, random_state=seed).fit(X, y)


def job_of(target=None, n_models=6, folder=None):
    target = target or safe_target(100)
    view = target.prepare(0)
    audited = tuple(view.records(side) for side in ("members", "nonmembers"))
    return ShadowJob(
        X=concatenate([records.inputs for records in audited]),
        y=concatenate([records.y for records in audited]),
        assignment=Assignment(sum(map(len, audited)), n_models, n_models // 2, 0),
        seeds=tuple(range(100, 100 + n_models)),
        audited=audited,
        reader=target.model_reader,
        cache=None if folder is None else SignalCache(folder),
        key=KEY,
        about={"target": "t", "shadow_models": n_models, "records": 200},
    )


def with_data(job, convert):
    """Give the job in other containers."""
    return replace(
        job,
        X=convert(job.X),
        audited=tuple(replace(part, inputs=convert(part.inputs)) for part in job.audited),
    )


def dying(flag, seed_that_dies, times=1):
    """Give a recipe whose process dies while it trains one of the models."""

    def train(X, y, seed):
        import os
        import time
        from pathlib import Path

        seen = Path(flag)
        if seed == seed_that_dies:
            died = len(seen.read_text()) if seen.exists() else 0
            if died < times:
                seen.write_text("x" * (died + 1))
                os._exit(9)
        time.sleep(0.05)
        return forest(X, y, seed)

    return train


def quiet(line):
    assert isinstance(line, str)


def same(one, other):
    return one.dtype == other.dtype and np.array_equal(one, other)
