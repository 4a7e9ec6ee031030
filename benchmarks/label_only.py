"""What attackers find who see predicted labels only, on real people: forest and network.

Run: python benchmarks/label_only.py [forest | network] [shadow models]

The data are flchain (7,874 people, half of them members); figures are means over two splits, each
audited with shadow models of its own. Queries are those per record to the target.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "tabular"))

import mortality
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sksurv.datasets import load_flchain

from pytest_leakpro import Classifier, audit

SPLITS = 2
METRICS = ("auc <= 0.55", "tpr@1%fpr <= 3%", "tpr@0.1%fpr <= 1%")
ATTACKS = ["label_lira", "boundary", "votes", "gap"]
MODELS = {
    "forest": lambda seed: RandomForestClassifier(100, random_state=seed),
    "network": lambda seed: MLPClassifier((64, 64), max_iter=150, random_state=seed),
}


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) > 1 else "forest"
    n_models = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    warnings.simplefilter("ignore")
    people, outcome = load_flchain()
    X = people.drop(columns="chapter")
    y = pd.Series(outcome["death"].astype(int), index=X.index)
    found: dict[str, list[list[float]]] = {}
    for split in range(SPLITS):
        inside = np.random.default_rng(100 + split).permutation(len(X)) < len(X) // 2
        model = make_pipeline(mortality.prepare(), MODELS[kind](split))
        model.fit(X[inside], y[inside])
        sides = (X[inside], y[inside]), (X[~inside], y[~inside])
        target = Classifier(model, *sides, access="label")
        measured = audit(target, *METRICS, attacks=ATTACKS, shadow_models=n_models, seed=split)
        for index, name in enumerate(ATTACKS):
            figures = [entry.figures[index] for entry in measured.measurements]
            assert figures[0].attack == name
            values = [100 * entry.value for entry in figures]
            asked = (figures[0].queries or 0) / (target.n_members + target.n_nonmembers)
            found.setdefault(name, []).append([*values, asked])
    print(f"{kind}, {n_models} shadow models: mean over {SPLITS} splits (standard error)")
    print(f"{'':<12}{'AUC':>14}{'TPR at 1 % FPR':>18}{'at 0.1 % FPR':>16}{'queries':>9}")
    for name, rows in found.items():
        mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / SPLITS**0.5
        cells = [f"{m:.1f}% ({s:.1f})" for m, s in zip(mean[:3], error[:3], strict=True)]
        print(f"{name:<12}{cells[0]:>14}{cells[1]:>18}{cells[2]:>16}{mean[3]:>9.0f}")


if __name__ == "__main__":
    main()
