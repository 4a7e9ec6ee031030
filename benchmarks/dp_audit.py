"""Which mistakes in DP-SGD an audit refutes, with how many canaries, and which the set-up tells.

    python benchmarks/dp_audit.py [seeds]

The training of `examples/dp_training` (4,000 digits, claimed epsilon 3 at delta 1e-5), as it should
be and with each mistake. Lower bounds on epsilon are means over seeds (three by default) at a
one-sided error of 2.5 %, without assumptions and with ``assume="gaussian"``; a star stands where
every seed refuted the claim. Records are mislabelled digits, of which the finished model is asked;
gradients are looked for in every step.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "dp_training"))
import training

from pytest_leakpro import Canaries, Classifier, PytestLeakproWarning, audit

SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
RECORDS, GRADIENTS = (300, 1000, 2000), (300, 1000, 3000)
CLAIM = training.CLAIMED_EPSILON
warnings.simplefilter("ignore", PytestLeakproWarning)


def bounds(make):
    """Give the mean bounds without and with the assumption, and whether they always refuted."""
    said = []
    for assume in (None, "gaussian"):
        lows = [
            audit(make(seed, assume), f"epsilon <= {CLAIM}").measurements[0].low
            for seed in range(SEEDS)
        ]
        said.append(f"{np.mean(lows):.2f}{'*' if min(lows) > CLAIM else ''}")
    return " / ".join(said)


def of_records(digits, mistake, n):
    """Train with mislabelled digits and ask the model about them."""
    kept = {}
    for seed in range(SEEDS):
        canaries = Canaries.mislabelled(*digits.train, n, seed=seed)
        kept[seed] = canaries, training.train(*canaries.insert(*digits.train), mistake, seed=seed)

    def make(seed, assume):
        canaries, done = kept[seed]
        return Classifier(
            done.model, canaries=canaries, delta=training.DELTA, assume=assume, output="logits"
        )

    return make


def of_gradients(digits, mistake, n):
    """Train with gradients that are looked for in every step."""
    kept = {
        seed: training.train(
            *digits.train, mistake, canaries=Canaries.gradients(n, seed=seed), seed=seed
        )
        for seed in range(SEEDS)
    }
    return lambda seed, assume: kept[seed].watched.canary_scores(training.DELTA, assume=assume)


def main():
    digits = training.load_digits()
    kinds = [("records", of_records, RECORDS), ("gradients", of_gradients, GRADIENTS)]
    columns = [f"{n:,} {name}" for name, _, sizes in kinds for n in sizes]
    print(f"{'':20}" + "".join(f"{column:>18}" for column in columns) + "  set-up")
    for mistake in (None, *training.MISTAKES):
        began = time.perf_counter()
        cells = [bounds(make(digits, mistake, n)) for _, make, sizes in kinds for n in sizes]
        watched = training.train(*digits.train, mistake).watched
        told = bool(watched.faults()) or watched.epsilon(training.DELTA) > CLAIM
        print(
            f"{mistake or 'as it should be':20}"
            + "".join(f"{cell:>18}" for cell in cells)
            + f"  {'told' if told else '-'}   {time.perf_counter() - began:.0f} s",
            flush=True,
        )


main()
