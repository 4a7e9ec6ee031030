"""How long the page takes, and how large it is: of a thousand measurements, and of a hundred runs.

python benchmarks/report.py
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from pytest_leakpro import MembershipScores, audit
from pytest_leakpro.cli.main import main
from pytest_leakpro.store.history import History

MEASUREMENTS = 1_000
RUNS = 100


def records(n_records, rng):
    """Make records with curves and histograms of their own, of as many tests and targets."""
    kinds = []
    for shift in (0.0, 0.1, 0.3, 1.0):
        scores = MembershipScores(rng.normal(shift, 1, 800), rng.normal(size=800), name="model")
        kinds += audit(scores, "tpr@1%fpr <= 5%", "auc <= 0.6").to_plain()
    made = []
    for place in range(n_records):
        test = f"tests/test_privacy.py::test_release_of_model[{place // 2}]"
        base = kinds[place % len(kinds)]
        value = float(np.clip(base["value"] + rng.normal(0, 0.01), base["low"], base["high"]))
        made.append(
            {
                **base,
                "test": test,
                "name": test,
                "target": f"model {place // 2}",
                "named": True,
                "value": value,
                "error": None,
                "attempt": 1,
                "earlier": [],
                "scores": None,
                "digests": {},
                "libraries": {"numpy": np.__version__},
                "queries": None,
                "configuration": {"attacks": None, "shadow_models": 16},
                "location": {"path": "tests/test_privacy.py", "line": 12},
                "notes": ["5 of 800 members (records) have a near-duplicate among the others"],
            }
        )
    return made


def write_page(folder, *arguments):
    started = time.perf_counter()
    assert main(["report", *arguments, "-o", str(folder / "page.html")]) == 0
    return time.perf_counter() - started, (folder / "page.html").stat().st_size


def run():
    rng = np.random.default_rng(0)
    print(f"{'what':<44} {'seconds':>8} {'MB':>6}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        (folder / "pytest.ini").write_text("[pytest]\n")
        history = History(folder / ".leakpro")
        made = records(MEASUREMENTS, rng)
        history.add(made, "0.1.0", 0)
        report(f"{MEASUREMENTS:,} measurements", *write_page(folder, "latest"))
        for _ in range(RUNS - 1):
            history.add(made, "0.1.0", 0)
        report(f"after {RUNS} runs of these", *write_page(folder, "latest"))
        for outline in (folder / ".leakpro" / "outlines").glob("*.json"):
            outline.unlink()
        report("the same, without their outlines", *write_page(folder, "latest"))


def report(what, seconds, size):
    print(f"{what:<44} {seconds:>8.1f} {size / 1e6:>6.2f}")


if __name__ == "__main__":
    run()
