"""How much faster two Dask workers finish 16 shadow models than one, on one thread each.

    python benchmarks/clusters.py [boosting stages]

Each cluster is started before the clock, as a cluster that runs already would be. The models are
gradient-boosted trees on 10,000 of 20,000 records with 20 columns. Cores that are shared with
others bound the ratio from above: so the load of the machine is printed, and what two plain
processes reach that only count, the most that any scheduler could.
"""

import os
import sys
import time
from multiprocessing import get_context

import numpy as np
from distributed import Client, LocalCluster
from sklearn.ensemble import GradientBoostingClassifier

from pytest_leakpro import Classifier
from pytest_leakpro.shadow.obtain import ShadowPlan, shadow_looks
from pytest_leakpro.shadow.place import Place

N_MODELS = 16
RECORDS = 20_000


def target_of(stages):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(RECORDS, 20))
    y = (X[:, 0] + rng.normal(size=RECORDS) > 0).astype(int)
    half = RECORDS // 2
    model = GradientBoostingClassifier(n_estimators=stages, random_state=0).fit(X[:half], y[:half])
    return Classifier(model, (X[:half], y[:half]), (X[half:], y[half:]))


def train_on(workers, stages):
    """Give the wall time of all shadow models, and their signals."""
    target = target_of(stages)
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(workers)
        view = target.prepare(0)
        place = Place("dask", cluster.scheduler_address)
        plan = ShadowPlan(N_MODELS, None, None, print, place=place)
        started = time.perf_counter()
        shadow = next(shadow_looks(target, view, 0, plan).signals)
        return time.perf_counter() - started, shadow.shadow


def count(n):
    started = time.perf_counter()
    total = 0
    for number in range(n):
        total += number * number
    return time.perf_counter() - started


def most_that_two_processes_reach():
    """Give how much faster two processes count twice as far as one would."""
    with get_context("spawn").Pool(2) as pool:
        alone = pool.map(count, [20_000_000], chunksize=1)[0]
        beside = max(pool.map(count, [20_000_000] * 2, chunksize=1))
    return 2 * alone / beside


def main() -> None:
    stages = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    print(f"two counting processes: {most_that_two_processes_reach():.2f} times one")
    one, signals = train_on(1, stages)
    two, again = train_on(2, stages)
    same = "bit-identical" if np.array_equal(signals, again) else "DIFFERENT"
    print(f"{N_MODELS} shadow models: {one:.1f} s on one worker, {two:.1f} s on two")
    print(f"ratio {one / two:.2f}, signals {same}, load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
