"""What scoring costs: 50,000 records against 64 shadow models.

    python benchmarks/scoring.py [records] [shadow models]

The yardstick is a loop over records that calls scipy.stats.norm. It is timed on 500 records and
extrapolated. Memory is the peak of what is allocated on top of the arguments; it is taken in a
run of its own, as tracing slows the clock.
"""

import sys
import time
import tracemalloc

import numpy as np
from scipy import stats

from pytest_leakpro.stats.likelihood_ratio import lira_offline, lira_online
from pytest_leakpro.stats.reference_ratio import log_ratio, pair_share, reference_log_probability

LOOPED = 500
REPEATS = 5


def loop(signals, included, target):
    """Score one record after the other, as the paper's algorithm 1 is written."""
    scores = []
    for j in range(LOOPED):
        inside, outside = signals[included[:, j], j], signals[~included[:, j], j]
        with_it = stats.norm.logpdf(target[j], np.mean(inside), np.std(inside))
        without = stats.norm.logpdf(target[j], np.mean(outside), np.std(outside))
        scores.append(with_it - without)
    return np.array(scores)


def seconds(score) -> float:
    """Give the median wall time."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        score()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def peak(score) -> int:
    """Give the most bytes held at once on top of what was there before."""
    tracemalloc.start()
    score()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> None:
    n, n_models = (int(a) for a in (sys.argv[1:] + ["50000", "64"][len(sys.argv) - 1 :]))
    rng = np.random.default_rng(0)
    included = rng.permuted(np.arange(n_models)[:, None] % 2 == np.zeros((1, n)), axis=0)
    spread = rng.uniform(0.5, 2, n)
    signals = rng.normal(size=n) + included + rng.normal(size=(n_models, n)) * spread
    target = rng.normal(size=n) * spread + (np.arange(n) % 2)
    log_p, own = -np.logaddexp(0, -signals), -np.logaddexp(0, -target)

    def online():
        return log_ratio(own, reference_log_probability(log_p, included))

    def offline():
        return log_ratio(own, reference_log_probability(log_p, included, offline_a=0.5))

    ratios = online()
    ways = {
        "lira, moderated": lambda: lira_online(signals, included, target),
        "lira, per-example": lambda: lira_online(signals, included, target, "per-example"),
        "lira, global": lambda: lira_online(signals, included, target, "global"),
        "lira_offline, moderated": lambda: lira_offline(signals, included, target),
        "rmia": online,
        "rmia_offline": offline,
        "rmia, pairs with all": lambda: pair_share(ratios, ratios, 2.0),
    }
    same = lira_online(signals, included, target, "per-example")[:LOOPED]
    assert np.allclose(same, loop(signals, included, target), atol=1e-8)
    whole = seconds(lambda: loop(signals, included, target)) * n / LOOPED
    print(f"{n:,} records, {n_models} shadow models, signals of {signals.nbytes / 2**20:.1f} MiB")
    print(f"loop over records: {whole:.1f} s, extrapolated from {LOOPED} records\n")
    print("                            seconds   loop / this   peak memory / signals")
    for name, score in ways.items():
        took = seconds(score)
        held = peak(score) / signals.nbytes
        print(f"{name:<26}{took:>9.3f}{whole / took:>14.0f}{held:>24.2f}")


if __name__ == "__main__":
    main()
