"""Every attack on one model of each kind: the tables of docs/attacks.md.

    python benchmarks/attack_table.py [forest] [mlp] [cnn] [forecast]

A fifth of the pool is the population, the rest is halved; one target, 16 shadow models, the variant
of each attack settled by these as an audit settles it. Seconds are those of the attack alone, with
its own models and queries, but without the 16 shadow models, which all share.
"""

import sys
import time
import warnings

import numpy as np
from attack_settings import SETTINGS

from pytest_leakpro import Classifier, Regressor
from pytest_leakpro.attacks.membership.record_facts import facts_of
from pytest_leakpro.auditing.ranking import rank_attacks
from pytest_leakpro.auditing.running import gather_readings
from pytest_leakpro.auditing.suite import choose_suite
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.shadow.obtain import ShadowPlan, shadow_looks
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.containers import take
from pytest_leakpro.targets.model_reader import final_model

MODELS = 16
METRICS = ("auc", "tpr@1%fpr", "tpr@0.1%fpr")


def target_of(setting):
    """Train the target on two fifths of the pool, and give it all that attackers may have."""
    order = np.random.default_rng(0).permutation(len(setting.y))
    fifth = len(order) // 5
    parts = order[: 2 * fifth], order[2 * fifth : 4 * fifth], order[4 * fifth :]
    inside, outside, beside = (
        (take(setting.X, np.sort(rows)), take(setting.y, np.sort(rows))) for rows in parts
    )
    model = setting.trainer(*inside, 1)
    kind = Regressor if setting.regression else Classifier
    options = dict(setting.extras)
    if isinstance(model, list):
        options["checkpoints"] = model[:-1]
    return kind(
        final_model(model),
        inside,
        outside,
        population=beside,
        train=setting.trainer,
        access="white-box",
        **options,
    )


def main() -> None:
    """Print one table per kind of data."""
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or SETTINGS:
        setting = SETTINGS[name]()
        target = target_of(setting)
        view = target.prepare(0)
        suite = choose_suite(target, "all", shadows=True, shadow_models=MODELS)
        view.readings = gather_readings(suite, view)
        started = time.perf_counter()
        plan = ShadowPlan(MODELS, 2, None, print)
        (view.shadow,) = shadow_looks(target, view, 0, plan).signals
        trained = time.perf_counter() - started
        n = view.n_members + view.n_nonmembers
        print(f"\n{setting.title}: {view.n_members:,} + {view.n_nonmembers:,} records, ", end="")
        print(f"{MODELS} shadow models in {trained:.0f} s\n")
        print("| attack | access | AUC | TPR at 1 % FPR | TPR at 0.1 % FPR | queries | s |")
        print("|---|---|---|---|---|---|---|")
        counted = (
            view.shadow.take(np.arange(n))
            if n == len(view.records("members")) + len(view.records("nonmembers"))
            else view.shadow
        )
        ranked = []
        for attack in suite:
            start = time.perf_counter()
            (best,) = rank_attacks(
                [attack],
                counted,
                0.01,
                regression=setting.regression,
                facts=facts_of(view, regression=setting.regression),
            )
            ranked.append((best, time.perf_counter() - start))
        rows = []
        for attack, settling in ranked:
            view.queries_of()
            start = time.perf_counter()
            evidence = attack.run(view, derive_rng(0, "attack", attack.name))
            seconds = time.perf_counter() - start + settling
            queries = view.queries_of() / n
            cells = []
            for metric in map(parse_metric, METRICS):
                found = metric_named(metric.name).read(metric, evidence, None, 0.025, 0.025)
                cells.append(f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})")
                if metric.name == "auc":
                    cells[-1] = f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
                order = found.value if metric.fpr == 0.01 else None
                if order is not None:
                    rank = order
            needs = attack.access.value + (", shadow models" if attack.needs_shadow else "")
            needs += ", population" if attack.needs_population else ""
            rows.append(
                (
                    rank,
                    f"| `{attack.name}` | {needs} | {' | '.join(cells)} | {queries:.0f} | {seconds:.1f} |",
                )
            )
        for _, row in sorted(rows, key=lambda pair: -pair[0]):
            print(row, flush=True)


if __name__ == "__main__":
    main()
