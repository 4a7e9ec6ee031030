"""How attacks on synthetic data grow with the release: time and memory.

    python benchmarks/synthetic_growth.py [attacks] [rows ...]

The table is that of `benchmarks/synthetic.py`; source and control have as many rows as the release,
up to 100,000. Every size runs in a process of its own, whose largest resident memory is told,
tables included. Twice the rows should take about twice the time.
"""

import resource
import subprocess
import sys
import time
import warnings

import numpy as np
from synthetic import AUX, SECRET, THREADS, census

from pytest_leakpro import SyntheticData
from pytest_leakpro.attacks.synthetic.closest_record import ClosestRecord
from pytest_leakpro.attacks.synthetic.exact_copies import ExactCopies
from pytest_leakpro.attacks.synthetic.inference import InferenceByNeighbours
from pytest_leakpro.attacks.synthetic.linkability import Linkability
from pytest_leakpro.attacks.synthetic.missing_values import MissingValues
from pytest_leakpro.attacks.synthetic.singling_out import SinglingOut

LARGEST_SOURCE = 100_000


def attack_all(n_rows: int, n_attacks: int) -> None:
    """Print one line for one size."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    original, control = (census(min(n_rows, LARGEST_SOURCE), rng) for _ in range(2))
    synthetic = census(n_rows, rng)
    started = time.perf_counter()
    target = SyntheticData(
        original,
        synthetic,
        control,
        aux_columns=AUX,
        audit_size=n_attacks,
        allow_overlap=True,
    )
    view = target.prepare(0, threads=THREADS)
    took = {"reading": time.perf_counter() - started}
    attacks = {
        "singling out": (SinglingOut(), None),
        "linkability": (Linkability(), None),
        "inference": (InferenceByNeighbours(), SECRET),
        "missing": (MissingValues(), None),
        "closest": (ClosestRecord(), None),
        "copies": (ExactCopies(), None),
    }
    for name, (attack, column) in attacks.items():
        started = time.perf_counter()
        attack.run(view, np.random.default_rng(0), column)
        took[name] = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    cells = "".join(f"{seconds:>14.2f}" for seconds in took.values())
    print(f"{n_rows:>10,}{cells}{memory:>10.2f} GiB", flush=True)


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    n_attacks, sizes = (given or [1000])[0], given[1:] or [10_000, 100_000, 1_000_000]
    names = ["reading", "singling out", "linkability", "inference", "missing", "closest", "copies"]
    print(f"{n_attacks:,} records of source and control attacked each, {THREADS} threads; seconds")
    print(f"{'rows':>10}" + "".join(f"{name:>14}" for name in names) + f"{'memory':>14}")
    for n_rows in sizes:
        call = f"from synthetic_growth import attack_all; attack_all({n_rows}, {n_attacks})"
        subprocess.run([sys.executable, "-c", call], check=True, cwd=sys.path[0])


if __name__ == "__main__":
    main()
