"""What a job costs to send to two processes: bytes that the head writes, and memory of the workers.

    python benchmarks/processes.py [rows] [columns]

Eight tasks read all of a job of float64 records, in several containers. "Nested" is the job as an
argument of the task, in which joblib itself maps large arrays; "parcel" is what the package does.
Bytes are those that the process wrote, to pipes and to the mapped files alike; memory is what the
workers hold for themselves (not mapped from a file), beyond what they held before. Linux only.
"""

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed

from pytest_leakpro import Classifier
from pytest_leakpro.shadow.job import ShadowJob
from pytest_leakpro.shadow.parcel import LARGEST_INSIDE, pack
from pytest_leakpro.targets.containers import concatenate

TASKS = 8


def job_of(rows, columns):
    X = np.random.default_rng(0).normal(size=(rows, columns))
    y = (X[:, 0] > 0).astype(int)
    half = rows // 2
    target = Classifier(
        lambda records: np.full((len(records), 2), 0.5), (X[:half], y[:half]), (X[half:], y[half:])
    )
    view = target.prepare(0)
    audited = (view.records("members"), view.records("nonmembers"))
    return ShadowJob(
        X=concatenate([records.inputs for records in audited]),
        y=concatenate([records.y for records in audited]),
        assignment=np.ones((TASKS, rows), dtype=bool),
        seeds=tuple(range(TASKS)),
        audited=audited,
        reader=target.model_reader,
        cache=None,
        key="",
        about={},
    )


def recipe(X, y, seed):
    return X, y, seed


def touch(job):
    """Read every value, and tell how much memory is this process's own meanwhile."""
    total = float(np.asarray(job.X).sum())
    total += sum(float(np.asarray(records.inputs).sum()) for records in job.audited)
    return total, anonymous()


def anonymous():
    """Give the bytes of memory that are mapped from no file."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("RssAnon:")[2].split()[0])


def written_bytes():
    return int(Path("/proc/self/io").read_text().partition("wchar:")[2].split()[0])


def unpacked(parcel):
    return touch(parcel.unpack()[0])


def own_memory():
    """Tell the memory of a process that has imported the containers' libraries."""
    for library in ("pandas", "torch"):
        import_module(library)
    return anonymous()


def measure(task, argument, options):
    """Give the megabytes written by the head, and those that the workers hold together."""
    with Parallel(n_jobs=2, batch_size=1, **options) as parallel:
        before = list(parallel(delayed(own_memory)() for _ in range(TASKS)))
        written = written_bytes()
        found = parallel(delayed(task)(argument) for _ in range(TASKS))
        written = written_bytes() - written
    more = 2 * (max(held for _, held in found) - min(before))
    return written / 1e6, more / 1e6, found[0][0]


def main() -> None:
    rows, columns = (int(a) for a in (sys.argv[1:] + ["200000", "100"][len(sys.argv) - 1 :]))
    job = job_of(rows, columns)
    containers = {
        "array": np.asarray,
        "DataFrame": pd.DataFrame,
        "tensor": torch.from_numpy,
    }
    data = (job.X.nbytes + sum(records.inputs.nbytes for records in job.audited)) / 1e6
    print(f"{rows:,} x {columns}: {data:.0f} MB, {TASKS} tasks in 2 processes")
    print(f"{'container':<10} {'way':<7} {'MB written':>10} {'MB of workers':>14}")
    for name, convert in containers.items():
        other = replace(
            job,
            X=convert(job.X),
            audited=tuple(replace(part, inputs=convert(part.inputs)) for part in job.audited),
        )
        mapped = {"max_nbytes": LARGEST_INSIDE, "mmap_mode": "c"}
        for way, task, argument, options in (
            ("nested", touch, other, {}),
            ("parcel", unpacked, pack(other, recipe), mapped),
        ):
            written, held, total = measure(task, argument, options)
            print(f"{name:<10} {way:<7} {written:>10.0f} {held:>14.0f}   (sum {total:.3f})")


if __name__ == "__main__":
    main()
