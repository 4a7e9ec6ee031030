"""How much each attack and signal finds on the forest of the tabular example.

    python benchmarks/attack_strength.py [shadow models ...]

Six targets, each trained on another random half of load_flchain (7,874 people); the shadow models
are trained on balanced halves of all. Mean over the targets, with its standard error.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "tabular"))

import mortality
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sksurv.datasets import load_flchain

from pytest_leakpro.attacks.membership.learned import LearnedAttack
from pytest_leakpro.attacks.membership.lira import LikelihoodRatio, OfflineLikelihoodRatio
from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.record_facts import RecordFacts
from pytest_leakpro.attacks.membership.rmia import OfflineRatioToReference, RatioToReference
from pytest_leakpro.auditing.ranking import rank_attacks
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.trainers import CloneTrainer
from pytest_leakpro.targets.units import record_units

TARGETS = 6
RATES = np.array([0.01, 0.001])


def signals(trainer, X, y, rows, seed):
    """Train one forest and read its log-odds of the true class on all records."""
    n = len(X)
    everyone = Records("members", X, y.to_numpy(), record_units(n), y, np.arange(n))
    return ModelReader(classes=(0, 1)).negative_loss(trainer(X[rows], y[rows], seed), everyone)


def figures(scores, saw):
    """AUC, TPR at 1 % and at 0.1 % FPR."""
    return [auc(scores[saw], scores[~saw]), *tpr_at(*roc_points(scores[saw], scores[~saw]), RATES)]


def attacks():
    """Every attack with every signal."""
    for variance in ("moderated", "per-example", "global"):
        for signal in ("logit", "probability", "loss"):
            yield f"lira {variance} {signal}", LikelihoodRatio(variance=variance, signal=signal)
    for signal in ("logit", "probability", "loss"):
        yield f"lira_offline {signal}", OfflineLikelihoodRatio(signal=signal)
    yield "rmia", RatioToReference()
    yield "rmia_offline", OfflineRatioToReference()


def main() -> None:
    sizes = [int(argument) for argument in sys.argv[1:]] or [8, 16, 64]
    people, outcome = load_flchain()
    X = people.drop(columns="chapter")
    y = pd.Series(outcome["death"].astype(int), index=X.index)
    n = len(X)
    trainer = CloneTrainer(make_pipeline(mortality.prepare(), RandomForestClassifier(100)))
    halves = np.array(
        [np.random.default_rng(100 + t).permutation(n) < n // 2 for t in range(TARGETS)]
    )
    parallel = Parallel(n_jobs=2)
    facts = RecordFacts(y.to_numpy(), np.arange(n), n)
    started = time.perf_counter()
    targets = np.stack(
        parallel(delayed(signals)(trainer, X, y, rows, 900 + t) for t, rows in enumerate(halves))
    )
    for n_models in sizes:
        included = np.stack(Assignment(n, n_models, n_models // 2, 0))
        shadow = np.stack(
            parallel(delayed(signals)(trainer, X, y, rows, k) for k, rows in enumerate(included))
        )
        print(
            f"\n{n_models} shadow models: AUC, TPR at 1 % FPR, TPR at 0.1 % FPR (standard errors)"
        )
        rows = {"loss": [figures(phi, saw) for phi, saw in zip(targets, halves, strict=True)]}
        known = ShadowSignals(shadow, included)
        learned = LearnedAttack().prepared(known, facts, np.random.default_rng(0))
        rows["learned"] = [
            figures(learned.score_known(phi, known, facts, np.random.default_rng(0)), saw)
            for phi, saw in zip(targets, halves, strict=True)
        ]
        for name, attack in attacks():
            rows[name] = [
                figures(attack.score_records(phi, shadow, included), saw)
                for phi, saw in zip(targets, halves, strict=True)
            ]
        for rate in RATES:
            suite = [LearnedAttack(), LikelihoodRatio(), RatioToReference(), LossThreshold()]
            ranked = rank_attacks(suite, known, float(rate), regression=False, facts=facts)
            first = " ".join([ranked[0].name, getattr(ranked[0], "signal", "")]).strip()
            order = ", ".join(attack.name for attack in ranked)
            print(f"ranked at {rate:.1%}: {order}; first {first}")
        for name, values in rows.items():
            mean, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / TARGETS**0.5
            cells = "  ".join(f"{m:6.1%} ({s:.1%})" for m, s in zip(mean, spread, strict=True))
            print(f"{name:<44}{cells}")
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
