"""Reading and comparing two histories of 10,000 measurements, as `pytest-leakpro compare` does.

The ratio is to what json alone takes to read the two files, measured in the same process.

    python benchmarks/compare_histories.py
"""

import contextlib
import io
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pytest_leakpro import MembershipScores, audit
from pytest_leakpro.auditing.log import AuditLog
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.cli.main import main
from pytest_leakpro.store.documents import write_run

MEASUREMENTS = 10_000


def records(seed):
    """Measurements as a session logs them, repeated under other names."""
    rng = np.random.default_rng(seed)
    log = AuditLog()
    token = session_variable.set(SessionDefaults(test="t", log=log))
    audit(MembershipScores(members=rng.normal(0.3, 1, 4000), nonmembers=rng.normal(size=4000)))
    session_variable.reset(token)
    measured = log.audits[0].records
    about = {"location": {"path": "t", "line": 1}, "attempt": 1, "earlier": [], "commit": None}
    for number in range(MEASUREMENTS):
        name = f"tests/test_{number // 4}.py::test_it"
        yield {**measured[number % len(measured)], **about, "test": name, "name": name}


def seconds(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


with tempfile.TemporaryDirectory() as folder:
    paths = [Path(folder, f"{name}.json") for name in "ab"]
    for seed, path in enumerate(paths):
        write_run(path, records(seed), "benchmark")

    def compare():
        with contextlib.redirect_stdout(io.StringIO()):
            main(["compare", *map(str, paths)])

    alone, whole = [], []
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        alone.append(seconds(lambda: [json.loads(path.read_text()) for path in paths]))
        whole.append(seconds(compare))
    size = paths[0].stat().st_size / 1e6
    print(f"2 x {MEASUREMENTS:,} measurements, {size:.0f} MB each")
    ratio = min(whole) / min(alone)
    print(f"json alone {min(alone):.2f} s, compare {min(whole):.2f} s: {ratio:.1f} x")
