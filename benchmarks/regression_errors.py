"""How often two trainings of one recipe are called a regression: real models, 1,000 pairs a row.

python benchmarks/regression_errors.py [pairs]
"""

import sys

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import MembershipScores
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.stats.difference import increase_lower

PAIRS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
SIZE = 500
METRICS = ("tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage")
RECIPES = {
    "forest": lambda seed: RandomForestClassifier(10, max_depth=6, random_state=seed),
    "logistic regression": lambda _: LogisticRegression(),
}


def draw(rng):
    X = rng.normal(size=(SIZE, 10))
    return X, (X[:, :3].sum(axis=1) + rng.normal(size=SIZE) > 0).astype(int)


def scores(recipe, members, others, seed):
    """Scores of the loss threshold; those of a small forest tie."""
    model = recipe(seed).fit(*members)
    sides = (model.predict_proba(X)[np.arange(len(y)), y] for X, y in (members, others))
    return MembershipScores(*sides)


def main():
    print(f"{PAIRS:,} pairs, {SIZE} + {SIZE} records, alpha 5 %: share called a regression")
    for name, recipe in RECIPES.items():
        for kept in (False, True):
            rng = np.random.default_rng(0)
            wrong = dict.fromkeys(METRICS, 0)
            for pair in range(PAIRS):
                members, others = draw(rng), draw(rng)
                old = scores(recipe, members, others, 2 * pair)
                if not kept:
                    members, others = draw(rng), draw(rng)
                new = scores(recipe, members, others, 2 * pair + 1)
                for metric in METRICS:
                    read = metric_named(metric.partition("@")[0]).read
                    before, now = (
                        read(parse_metric(metric), evidence, None, 0.025, 0.025)
                        for evidence in (old, new)
                    )
                    bound = increase_lower(before.value, before.high, now.value, now.low)
                    wrong[metric] += bound > 0
            what = "members kept" if kept else "drawn again"
            shares = "  ".join(f"{metric} {wrong[metric] / PAIRS:.1%}" for metric in METRICS)
            print(f"{name}, {what}: {shares}", flush=True)


if __name__ == "__main__":
    main()
