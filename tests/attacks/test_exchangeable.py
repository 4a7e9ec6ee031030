"""Every attack on data without leakage: FAIL at most alpha/2, with 2, 10 and 100 classes.

An attack that was fitted on records which it then scores as non-members fails this by far. With an
error of 2.5 % more than ``0.025 + 4 sqrt(0.025 * 0.975 / RUNS)`` FAILs come with probability below
1e-4 per test. The budget is the one without any room: what guessing reaches.
"""

import numpy as np
import pytest

from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from tests.attacks.views import exchangeable

# Those with shadow models stand in test_shadow_attacks.py.
WITHOUT_SHADOWS = sorted(
    name for name, attack in builtin_attacks().items() if not attack.needs_shadow
)
# That learns a regression at each run; test_qmia.py lets it learn once.
QUICK = [name for name in WITHOUT_SHADOWS if name != "qmia"]
RUNS = 120
SIZE = 300


@pytest.mark.parametrize("n_classes", [2, 10, 100])
@pytest.mark.parametrize("name", QUICK)
def test_no_attack_finds_what_is_not_there(name, n_classes):
    attack = builtin_attacks()[name]
    failed = {0.01: 0, 0.1: 0}
    for seed in range(RUNS):
        target = exchangeable(seed, n_classes, SIZE)
        view = target.prepare(seed, population_share=0.3 if attack.needs_population else None)
        evidence = attack.run(view, np.random.default_rng(seed))
        m, n = evidence.sizes
        for fpr in failed:
            k = choose_rank(m, n, fpr, fpr, 0.025)
            above = evidence.members_above(k)
            failed[fpr] += tpr_p_value(above, m, k, n, fpr, fpr) <= 0.025
    allowed = 0.025 + 4 * np.sqrt(0.025 * 0.975 / RUNS)
    assert max(failed.values()) / RUNS <= allowed


@pytest.mark.parametrize("name", WITHOUT_SHADOWS)
def test_scores_do_not_depend_on_who_is_a_member(name):
    """Swapping the sides swaps the scores: nothing is fitted on membership."""
    from pytest_leakpro import Classifier
    from tests.attacks.views import identity

    rng = np.random.default_rng(5)
    sides = [(rng.normal(size=(50, 4)), rng.integers(0, 4, 50)) for _ in range(3)]
    options = {"population": sides[2], "classes": range(4), "output": "logits"}
    attack = builtin_attacks()[name]
    there = attack.run(Classifier(identity, sides[0], sides[1], **options).prepare(0), rng)
    back = attack.run(Classifier(identity, sides[1], sides[0], **options).prepare(0), rng)
    assert np.array_equal(there.members, back.nonmembers)
    assert np.array_equal(there.nonmembers, back.members)


@pytest.mark.parametrize("name", WITHOUT_SHADOWS)
def test_a_model_that_stores_its_data_is_found_out(name):
    from pytest_leakpro import Classifier, audit
    from tests.attacks.views import identity

    rng = np.random.default_rng(6)
    y = rng.integers(0, 3, 600)
    sure = np.eye(3)[y] * 12 + rng.normal(size=(600, 3)) * 0.1
    unsure = np.eye(3)[y] * 1 + rng.normal(size=(600, 3))
    target = Classifier(
        identity,
        (sure, y),
        (unsure, y),
        population=(np.eye(3)[y] + rng.normal(size=(600, 3)), y),
        classes=range(3),
        output="logits",
    )
    found = audit(target, "tpr@1%fpr <= 5%", attacks=[name])
    assert found.verdict.value == "FAIL"
    assert found.measurements[0].value == 1
    assert found.measurements[0].low > 0.4


@pytest.mark.parametrize("name", WITHOUT_SHADOWS)
def test_a_constant_model_leaks_nothing(name):
    from pytest_leakpro import Classifier, audit

    rng = np.random.default_rng(7)

    def side():
        return rng.normal(size=(400, 2)), rng.integers(0, 3, 400)

    target = Classifier(
        lambda X: np.full((len(X), 3), 1 / 3),
        side(),
        side(),
        population=side(),
        classes=range(3),
        output="probabilities",
    )
    found = audit(target, "tpr@1%fpr <= 5%", "auc <= 0.6", attacks=[name])
    assert all(entry.verdict.value != "FAIL" for entry in found.measurements)
    assert found.measurements[1].value == 0.5
