"""How often a comparison of defences errs, and what it finds, at differences of several sizes.

    python benchmarks/compare_defences.py [runs]

Prints, for scores with known shifts on 500 to 2,000 records a side: the share of runs in which any
of three pairs is put in the wrong order (at most alpha = 5 %), and in which both defences are found
to leak less than the first, where the difference is as large as the planner says a comparison
notices, and half as large again.
"""

import sys

import numpy as np

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.contrast import Leakage, contrast
from pytest_leakpro.gate.detectable import detectable_increase
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.measurement import Interval
from pytest_leakpro.gate.metrics.base import Sizes

ALPHA = 0.05
BASE = {"auc": 0.55, "tpr@1%fpr": 0.03, "advantage": 0.1}


def leakage(metric, scores):
    reading = metric_named(metric.name).read(metric, scores, None, ALPHA / 2, ALPHA / 2)
    return Leakage(Interval(reading.value, reading.low, reading.high))


def shift_of(metric, value, sizes):
    typical = metric_named(metric.name).typical_evidence(metric, sizes, value)
    return float(np.mean(typical.members) - np.mean(typical.nonmembers))


def trial(metric, size, times, runs, rng):
    sizes = Sizes(size, size)
    low = BASE[str(metric)]
    high = low + times * detectable_increase(metric, sizes, ALPHA, leakage=low)
    shifts = [shift_of(metric, value, sizes) for value in (high, low, low)]
    wrong = found = 0
    for _ in range(runs):
        none, one, other = (
            leakage(metric, MembershipScores(rng.normal(shift, 1, size), rng.normal(0, 1, size)))
            for shift in shifts
        )
        pairs = ((none, one), (none, other), (one, other))
        outcomes = [contrast(*pair, alpha=ALPHA, comparisons=3).outcome for pair in pairs]
        wrong += outcomes[2] != "not told apart" or "higher" in outcomes[:2]
        found += outcomes[:2] == ["lower", "lower"]
    return high, wrong / runs, found / runs


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = np.random.default_rng(0)
    print(f"{runs} runs each; two defences leak as in the third column, the first as in the fourth")
    print("metric     size   defences  first   wrong   both found")
    for name in BASE:
        metric = parse_metric(name)
        for size in (500, 2000):
            for times in (1.0, 1.5):
                high, wrong, found = trial(metric, size, times, runs, rng)
                print(
                    f"{name:10} {size:5,}  {BASE[name]:8.3f}  {high:6.3f}"
                    f"  {wrong:6.1%}  {found:6.1%}"
                )


if __name__ == "__main__":
    main()
