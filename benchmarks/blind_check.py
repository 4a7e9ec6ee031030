"""How often the blind classifier finds a difference where there is none, and where there is one.

    python benchmarks/blind_check.py [splits]

Tables of six columns. Where both sides are alike a metric may be found beyond chance once in a
thousand; p-values of single halves are also counted at 5 %, where a bias would show sooner.
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pytest_leakpro.auditing.checks.blind import blind_test
from pytest_leakpro.auditing.checks.sample import draw_sample
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from tests.auditing.checks.splits import table, target

METRICS = [parse_metric(text) for text in ("tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage")]


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    started = time.perf_counter()
    print(f"{runs} splits each\n   size  shift" + "".join(f"{m!s:>13}" for m in METRICS))
    for size, shift in [(200, 0), (1000, 0), (200, 0.2), (1000, 0.1), (1000, 0.2), (1000, 0.4)]:
        beyond, small, aucs = np.zeros(len(METRICS)), np.zeros(len(METRICS)), []
        for run in range(runs):
            rng = np.random.default_rng(run)
            view = target(table(rng, size, shift), table(rng, size, 0)).prepare(run)
            test = blind_test(draw_sample(view, rng), rng)
            for i, metric in enumerate(METRICS):
                definition = metric_named(metric.name)
                chance = definition.chance_level(metric)
                beyond[i] += test.read(metric, 0.0125).beyond_chance
                for half in test.halves:
                    small[i] += definition.read(metric, half, chance, 0.05, 0.05).p_value <= 0.05
            aucs += [metric_named("auc").estimate(METRICS[2], half) for half in test.halves]
        print(f"{size:>7}  {shift:>5}" + "".join(f"{share:>13.1%}" for share in beyond / runs))
        at_five = "".join(f"{share:>13.1%}" for share in small / (2 * runs))
        print(f"   p <= 5 %    {at_five}   mean AUC {np.mean(aucs):.4f}", flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
