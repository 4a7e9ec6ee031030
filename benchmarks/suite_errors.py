"""Errors and power of the whole default suite of each attacker, without leakage.

    python benchmarks/suite_errors.py [runs]

Every run trains a target and, for attackers with the recipe, 16 shadow models. See
tests/auditing/suite_trial.py.
"""

import sys
import time
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.auditing.suite_trial import TRIALS, trial


def main() -> None:
    """Print the shares of FAIL and PASS."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    started = time.perf_counter()
    print(f"{runs} audits each of a model without leakage; FAIL may be at most 2.5 %")
    for budget, sizes in (("tpr@0.1%fpr <= 1%", (2000, 3900)), ("tpr@1%fpr <= 1%", (500,))):
        for size in sizes:
            for kind, attacker in TRIALS:
                outcomes = np.array(
                    Parallel(n_jobs=2)(
                        delayed(trial)(seed, size, budget, kind, attacker) for seed in range(runs)
                    )
                )
                failed, passed = outcomes.mean(axis=0)
                print(
                    f"{budget:<20}{size:>6} + {size:<6}{kind:<22}{attacker:<24}FAIL {failed:6.1%}  "
                    f"PASS {passed:6.1%}",
                    flush=True,
                )
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
