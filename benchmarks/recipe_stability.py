"""How far a figure moves from one training to the next: one model against a recipe of several.

The same recipe on the same pool, 20 seeds: the standard deviation over seeds of the AUC and of the
TPR at 1 % FPR, which is what a commit that changes nothing would show.

    python benchmarks/recipe_stability.py [seeds]
"""

import sys
import tempfile
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from pytest_leakpro import Recipe, audit
from pytest_leakpro.auditing.session import SessionDefaults, session_variable

SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
METRICS = ("auc <= 0.55", "tpr@1%fpr <= 10%")


def silent(line):
    del line


def main():
    warnings.simplefilter("ignore")
    X, y = load_breast_cancer(return_X_y=True)
    print(f"{SEEDS} seeds, forest of 20 trees, {len(y)} records, 8 shadow models")
    with tempfile.TemporaryDirectory() as folder:
        session_variable.set(SessionDefaults(cache_dir=folder, say=silent))
        for targets in (1, 5, 9):
            recipe = Recipe(RandomForestClassifier(20), X, y, targets=targets)
            runs = [audit(recipe, *METRICS, seed=seed, shadow_models=8) for seed in range(SEEDS)]
            values = np.array([[entry.value for entry in run.measurements] for run in runs])
            auc, tpr = values.std(axis=0, ddof=1)
            middle_auc, middle_tpr = values.mean(axis=0)
            noun = "target" if targets == 1 else "targets"
            print(f"{targets} {noun}: AUC {middle_auc:.3f}, deviation {auc:.4f}", end="; ")
            print(f"TPR {middle_tpr:.1%}, deviation {100 * tpr:.2f}pp", flush=True)


if __name__ == "__main__":
    main()
