"""Every attack on one model of each kind: the tables of docs/attacks.md.

    python benchmarks/attack_table.py [forest] [mlp] [cnn] [forecast] [days]

A fifth of the pool is the population, the rest is halved; one target, 16 shadow models, the variant
of each attack settled by these as an audit settles it. Seconds are those of the attack alone, with
its own models and queries, but without the 16 shadow models, which all share.
"""

import sys
import time
import warnings
from dataclasses import replace

import numpy as np
from attack_settings import SETTINGS

from pytest_leakpro import Classifier, Regressor
from pytest_leakpro.attacks.membership.record_facts import facts_of
from pytest_leakpro.auditing.parties import gather_readings
from pytest_leakpro.auditing.ranking import rank_attacks
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


def learns_from_gradients(attack, view):
    """Tell whether an attack by scores reads gradients, too, where it can."""
    return bool(getattr(attack, "further", ()) and attack.readings(view))


def with_and_without_gradients(suite, view):
    """Give the attacks, those that read gradients where they can once without."""
    for attack in suite:
        if learns_from_gradients(attack, view):
            yield replace(attack, further=())
        yield attack


def row_of(attack, evidence, view):
    """Give the TPR at 1 % FPR, and the cells that say what was needed and found."""
    needs = ["white-box" if learns_from_gradients(attack, view) else attack.access.value]
    needs += ["shadow models"] * attack.needs_shadow
    needs += ["population"] * attack.wants_population(view)
    cells, power = [f"`{attack.name}`", ", ".join(needs)], 0.0
    for metric in map(parse_metric, METRICS):
        found = metric_named(metric.name).read(metric, evidence, None, 0.025, 0.025)
        style = ".3f" if metric.name == "auc" else ".1%"
        value, low, high = (format(part, style) for part in (found.value, found.low, found.high))
        cells.append(f"{value} ({low} to {high})")
        if metric.fpr == 0.01:
            power = found.value
    return power, cells


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
        facts = facts_of(view, regression=setting.regression)
        counted = view.shadow.take(np.arange(len(facts.units)))
        rows = []
        for asked in with_and_without_gradients(suite, view):
            view.queries_of()
            start = time.perf_counter()
            (attack,) = rank_attacks(
                [asked], counted, 0.01, regression=setting.regression, facts=facts
            )
            evidence = attack.run(view, derive_rng(0, "attack", attack.name))
            seconds = time.perf_counter() - start
            rows.append((*row_of(attack, evidence, view), view.queries_of() / n, seconds))
        for _, cells, queries, seconds in sorted(rows, key=lambda row: -row[0]):
            print(f"| {' | '.join(cells)} | {queries:.0f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
