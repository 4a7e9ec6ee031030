"""What it takes to refute mechanisms that claim epsilon = 1: pairs, calls and processor seconds.

Run: python benchmarks/mechanisms.py [seeds]

The sparse-vector algorithms are those of Lyu, Su and Li (2017), Understanding the sparse vector
technique for differential privacy, VLDB (figure 1, by its numbers): 1 and 2 keep their claim, 3 to
6 do not. They answer ten counting queries about up to three records; one of these is replaced.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pytest_leakpro.mechanisms.assertion as assertion
from pytest_leakpro import LeakageError, assert_dp
from pytest_leakpro.strategies import arrays
from tests.mechanisms import algorithms

QUERIES = arrays([0, 1], width=10, min_size=1, max_size=3, relation="replace")
COUNTS = arrays([0, 1])
SUMS = arrays(st.floats(0, 1))
CATEGORIES = arrays([0, 1, 2], min_size=1, relation="replace")
ANSWERS = arrays([0, 1], min_size=1, max_size=3, relation="replace")
# A name, the mechanism, pairs, delta, and whether it keeps epsilon = 1.
CASES = [
    ("Laplace", algorithms.laplace(1.0), COUNTS, 0.0, True),
    ("Laplace, half the noise", algorithms.laplace(2.0), COUNTS, 0.0, False),
    ("Gaussian", algorithms.gaussian(algorithms.SIGMA), SUMS, algorithms.DELTA, True),
    ("Gaussian, half", algorithms.gaussian(algorithms.SIGMA / 2), SUMS, algorithms.DELTA, False),
    ("exponential", algorithms.exponential(1.0), CATEGORIES, 0.0, True),
    ("exponential, half", algorithms.exponential(2.0), CATEGORIES, 0.0, False),
    ("randomised response", algorithms.randomised_response(1.0), ANSWERS, 0.0, True),
    ("randomised response, half", algorithms.randomised_response(2.0), ANSWERS, 0.0, False),
    *(
        (f"sparse vector {number}", algorithms.sparse_vector(number, 1.0), QUERIES, 0.0, number < 3)
        for number in range(1, 7)
    ),
]


class _Counting(assertion.Examiner):
    """Remembers the examiner of the assertion that ran last."""

    latest = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        _Counting.latest = self


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    assertion.Examiner = _Counting
    warnings.simplefilter("ignore")
    print(f"epsilon = 1, medians over {seeds} seeds; calls are of both data sets together")
    print(f"{'':<27}{'refuted':>9}{'pairs':>8}{'calls':>12}{'seconds':>9}{'epsilon >=':>12}")
    for name, mechanism, neighbours, delta, private in CASES:
        rows, bounds, refuted = [], [], 0
        for seed in range(seeds):
            start = time.process_time()
            try:
                assert_dp(mechanism, 1.0, delta, neighbours=neighbours, vectorised=True, seed=seed)
            except LeakageError as error:
                refuted += 1
                text = str(error).partition("at least ")[2]
                bounds.append(float(text.partition(" ")[0]))
            found = _Counting.latest
            rows.append((found.pairs, found.calls, time.process_time() - start))
        pairs, calls, seconds = np.median(rows, axis=0)
        bound = f"{np.median(bounds):.2f}" if bounds else "-"
        said = f"{refuted} of {seeds}"
        print(f"{name:<27}{said:>9}{pairs:>8.0f}{calls:>12,.0f}{seconds:>9.1f}{bound:>12}")
        assert refuted == 0 if private else True


if __name__ == "__main__":
    main()
