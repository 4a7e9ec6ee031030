"""How much QMIA finds on a forest and on a network of the tabular example, without shadow models.

    python benchmarks/quantile_regression.py [targets]

Each target has another random third of load_flchain (7,874 people) as members; the other two are
non-members and the population. Mean over the targets, with its standard error; seconds are those of
one attack, of the process.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "tabular"))

import mortality
import network
import torch
from sklearn.ensemble import RandomForestClassifier
from sksurv.datasets import load_flchain

from pytest_leakpro import Classifier
from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.population import PopulationQuantile
from pytest_leakpro.attacks.membership.qmia import QuantileRegression
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at

RATES = np.array([0.01, 0.001])


def models(X, y, rows, seed):
    """Train a forest of pure leaves, and a network five times as long as in the example."""
    prepare = mortality.prepare().fit(X.iloc[rows])

    def encode(people):
        return np.asarray(prepare.transform(people), dtype=np.float32)

    known, labels = encode(X.iloc[rows]), y.to_numpy()[rows]
    forest = RandomForestClassifier(100, random_state=seed).fit(known, labels)
    net = network.fit(known, labels, seed, epochs=200)
    yield "forest", lambda people: forest.predict_proba(encode(people))
    yield "network", lambda people: net(torch.from_numpy(encode(people)))


def attacks():
    yield "loss", LossThreshold()
    yield "population", PopulationQuantile()
    for regressor in ("boosting", "torch"):
        for signal in ("probability", "logit"):
            yield f"qmia {regressor} {signal}", QuantileRegression(regressor, signal)


def main() -> None:
    n_targets = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    people, outcome = load_flchain()
    X = people.drop(columns="chapter")
    y = pd.Series(outcome["death"].astype(int), index=X.index)
    found: dict[str, list[list[float]]] = {}
    for seed in range(n_targets):
        thirds = np.array_split(np.random.default_rng(seed).permutation(len(X)), 3)
        members, nonmembers, population = ((X.iloc[rows], y.iloc[rows]) for rows in thirds)
        for model_name, model in models(X, y, thirds[0], seed):
            target = Classifier(
                model, members, nonmembers, population=population, classes=[0, 1]
            ).prepare(0)
            for name, attack in attacks():
                assert len(target.members) + len(target.nonmembers)  # the model is asked here
                started = time.process_time()
                scores = attack.score(target, np.random.default_rng(seed))
                seconds = time.process_time() - started
                found.setdefault(f"{model_name:<8} {name}", []).append(
                    [auc(*scores), *tpr_at(*roc_points(*scores), RATES), seconds]
                )
    print(f"{'':<36}   AUC             TPR at 1 % FPR  TPR at 0.1 % FPR  seconds")
    for name in sorted(found):
        mean = np.mean(found[name], axis=0)
        error = np.std(found[name], axis=0, ddof=1) / n_targets**0.5
        cells = "  ".join(
            f"{m:6.1%} ({s:.1%})".ljust(14) for m, s in zip(mean[:3], error[:3], strict=True)
        )
        print(f"{name:<36}{cells}  {mean[3]:6.1f}")


if __name__ == "__main__":
    main()
