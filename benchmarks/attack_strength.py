"""How much each attack and signal finds per shadow model, on every kind of data.

    python benchmarks/attack_strength.py [forest|mlp|cnn|forecast|days ...] [shadow models ...]

Six targets, each trained on another random half of the pool; the shadow models are trained on
balanced halves of all. Mean over the targets, with its standard error.
"""

import sys
import time

import numpy as np
from attack_settings import SETTINGS
from joblib import Parallel, delayed

from pytest_leakpro.attacks.membership.learned import LearnedAttack
from pytest_leakpro.attacks.membership.lira import LikelihoodRatio, OfflineLikelihoodRatio
from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.record_facts import RecordFacts
from pytest_leakpro.attacks.membership.rmia import OfflineRatioToReference, RatioToReference
from pytest_leakpro.auditing.ranking import rank_attacks
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at
from pytest_leakpro.targets.containers import take
from pytest_leakpro.targets.labels import target_values
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.units import record_units

TARGETS = 6
RATES = np.array([0.01, 0.001])


def signals(setting, rows, seed):
    """Train one model and read its signals on all records."""
    n = len(setting.y)
    labels = np.asarray(setting.y)
    if setting.regression:
        labels = target_values(setting.y, "pool")
    everyone = Records("members", setting.X, labels, record_units(n), setting.y, np.arange(n))
    positions = np.flatnonzero(rows)
    with one_thread():
        model = setting.trainer(take(setting.X, positions), take(setting.y, positions), seed)
        reader = ModelReader(classes=setting.classes, regression=setting.regression)
        return reader.negative_loss(model, everyone)


def figures(scores, saw):
    """AUC, TPR at 1 % and at 0.1 % FPR."""
    return [auc(scores[saw], scores[~saw]), *tpr_at(*roc_points(scores[saw], scores[~saw]), RATES)]


def attacks(*, regression):
    """Every attack with every signal."""
    names = ("error", "log-error") if regression else ("logit", "probability", "loss")
    for variance in ("moderated", "per-example", "global"):
        for signal in names:
            yield f"lira {variance} {signal}", LikelihoodRatio(variance=variance, signal=signal)
    for signal in names:
        yield f"lira_offline {signal}", OfflineLikelihoodRatio(signal=signal)
    if not regression:
        yield "rmia", RatioToReference()
        yield "rmia_offline", OfflineRatioToReference()


def compare(setting, sizes, parallel) -> None:
    """Print what the attacks find on one kind of data."""
    n, regression = len(setting.y), setting.regression
    halves = np.array(
        [np.random.default_rng(100 + t).permutation(n) < n // 2 for t in range(TARGETS)]
    )
    classes = np.zeros(n) if regression else np.asarray(setting.y)
    facts = RecordFacts(classes, np.arange(n), n, regression)
    print(f"\n{setting.title}, {n:,} records")
    targets = np.stack(
        parallel(delayed(signals)(setting, rows, 900 + t) for t, rows in enumerate(halves))
    )
    for n_models in sizes:
        included = np.stack(Assignment(n, n_models, n_models // 2, 0))
        shadow = np.stack(
            parallel(delayed(signals)(setting, rows, k) for k, rows in enumerate(included))
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
        for name, attack in attacks(regression=regression):
            rows[name] = [
                figures(attack.score_records(phi, shadow, included), saw)
                for phi, saw in zip(targets, halves, strict=True)
            ]
        for rate in RATES:
            suite = [LearnedAttack(), LikelihoodRatio(), LossThreshold()]
            if not regression:
                suite.insert(2, RatioToReference())
            ranked = rank_attacks(suite, known, float(rate), regression=regression, facts=facts)
            first = " ".join([ranked[0].name, getattr(ranked[0], "signal", "")]).strip()
            order = ", ".join(attack.name for attack in ranked)
            print(f"ranked at {rate:.1%}: {order}; first {first}")
        for name, values in rows.items():
            mean, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / TARGETS**0.5
            cells = "  ".join(f"{m:6.1%} ({s:.1%})" for m, s in zip(mean, spread, strict=True))
            print(f"{name:<44}{cells}", flush=True)


def main() -> None:
    """Compare on all kinds of data, or those named."""
    names = [argument for argument in sys.argv[1:] if not argument.isdigit()] or SETTINGS
    sizes = [int(argument) for argument in sys.argv[1:] if argument.isdigit()] or [8, 16, 64]
    started = time.perf_counter()
    for name in names:
        compare(SETTINGS[name](), sizes, Parallel(n_jobs=2))
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
