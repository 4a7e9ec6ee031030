"""Every attack on data without leakage: FAIL at most alpha/2, with 2, 10 and 100 classes.

An attack that was fitted on records which it then scores as non-members fails this by far. With an
error of 2.5 % more than ``0.025 + 4 sqrt(0.025 * 0.975 / RUNS)`` FAILs come with probability below
1e-4 per test. The budget is the one without any room: what guessing reaches.
"""

import numpy as np
import pytest

from pytest_leakpro import Classifier
from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.membership.boundary import BoundaryDistance
from pytest_leakpro.attacks.membership.votes import AugmentationVotes
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from pytest_leakpro.targets.access import Access
from tests.attacks.views import exchangeable

# Those with shadow models stand in test_shadow_attacks.py, those that see weights in
# test_gradient_attacks.py, those that train models in test_crafted_queries.py: the models here are
# functions, which have no weights and no recipe. Attacks on releases stand in test_synthetic.py,
# those on language models alone in text/test_text_exchangeable.py.
WITHOUT_SHADOWS = sorted(
    name
    for name, attack in builtin_attacks().items()
    if isinstance(attack, MembershipAttack)
    and Classifier in attack.targets
    and not attack.needs_shadow
    and not attack.needs_recipe
    and attack.access not in (None, Access.WHITE_BOX)
)
# That learns a regression at each run; test_qmia.py lets it learn once.
QUICK = [name for name in WITHOUT_SHADOWS if name != "qmia"]
RUNS = 120
SIZE = 300
LABEL_ONLY = [name for name in WITHOUT_SHADOWS if builtin_attacks()[name].access is Access.LABEL]
# Those that ask many times, or fit: fewer queries, and fewer runs.
SMALL = {
    "qmia": (builtin_attacks()["qmia"], 30),
    "boundary": (BoundaryDistance(queries=100, tries=10), 30),
    "votes": (AugmentationVotes(noise=(0.1, 0.5), copies=2), 60),
}


def small(name):
    return SMALL.get(name, (builtin_attacks()[name], RUNS))


@pytest.mark.parametrize("n_classes", [2, pytest.param(10, marks=pytest.mark.slow), 100])
@pytest.mark.parametrize("name", QUICK)
def test_no_attack_finds_what_is_not_there(name, n_classes):
    attack, runs = small(name)
    failed = {0.01: 0, 0.1: 0}
    for seed in range(runs):
        target = exchangeable(seed, n_classes, SIZE)
        view = target.prepare(seed, population_share=0.3 if attack.needs_population else None)
        evidence = attack.run(view, np.random.default_rng(seed))
        m, n = evidence.sizes
        for fpr in failed:
            k = choose_rank(m, n, fpr, fpr, 0.025)
            above = evidence.members_above(k)
            failed[fpr] += tpr_p_value(above, m, k, n, fpr, fpr) <= 0.025
    allowed = 0.025 + 4 * np.sqrt(0.025 * 0.975 / runs)
    assert max(failed.values()) / runs <= allowed


@pytest.mark.parametrize("name", WITHOUT_SHADOWS)
def test_scores_do_not_depend_on_who_is_a_member(name):
    """Swapping the sides swaps the scores: nothing is fitted on membership."""
    from tests.attacks.views import identity

    rng = np.random.default_rng(5)
    sides = [(rng.normal(size=(50, 4)), rng.integers(0, 4, 50)) for _ in range(3)]
    options = {"population": sides[2], "classes": range(4), "output": "logits"}
    attack, _ = small(name)
    for given in (options, options | {"population": None}):
        if given["population"] is None and attack.needs_population:
            continue
        there, back = (
            attack.run(Classifier(identity, *pair, **given).prepare(0), np.random.default_rng(5))
            for pair in (sides[:2], sides[1::-1])
        )
        assert np.array_equal(there.members, back.nonmembers)
        assert np.array_equal(there.nonmembers, back.members)


@pytest.mark.parametrize("name", sorted({*WITHOUT_SHADOWS} - {*LABEL_ONLY}))
def test_a_model_that_stores_its_data_is_found_out(name):
    from pytest_leakpro import audit

    rng = np.random.default_rng(6)
    y = rng.integers(0, 3, 1800)
    logits = np.eye(3)[y] + rng.normal(size=(1800, 3))
    # Records are numbers that a model knows by heart or not, so that only it tells them apart.
    members, nonmembers, others = rng.permutation(1800).reshape(3, 600)
    logits[members] = np.eye(3)[y[members]] * 12 + rng.normal(size=(600, 3)) * 0.1

    def sides(*parts):
        return [(part[:, None], y[part]) for part in parts]

    target = Classifier(
        lambda X: logits[X[:, 0]],
        *sides(members, nonmembers),
        population=sides(others)[0],
        classes=range(3),
        output="logits",
    )
    found = audit(target, "tpr@1%fpr <= 5%", attacks=[name])
    assert found.verdict.value == "FAIL"
    # Quantile regression takes the numbers of the records for something that tells.
    value, low = (0.4, 0.1) if name == "qmia" else (1, 0.4)
    assert found.measurements[0].value >= value
    assert found.measurements[0].low > low


@pytest.mark.parametrize("name", WITHOUT_SHADOWS)
def test_a_constant_model_leaks_nothing(name):
    from pytest_leakpro import audit

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
    found = audit(target, "tpr@1%fpr <= 5%", "auc <= 0.6", attacks=[small(name)[0]])
    assert all(entry.verdict.value != "FAIL" for entry in found.measurements)
    # Labels tell which class is the constant one, which is chance: a standard deviation of 0.017.
    assert found.measurements[1].value == pytest.approx(0.5, abs=0.08 * (name in LABEL_ONLY))


@pytest.mark.parametrize("name", LABEL_ONLY)
def test_labels_tell_what_a_model_stored(name):
    from pytest_leakpro import audit

    rng = np.random.default_rng(8)
    X, y = rng.normal(size=(600, 2)), rng.integers(0, 2, 600)

    def stored(asked):  # the label of the nearest member
        apart = ((asked[:, None] - X[:300]) ** 2).sum(axis=2)
        return y[apart.argmin(axis=1)]

    target = Classifier(
        stored, (X[:300], y[:300]), (X[300:], y[300:]), classes=[0, 1], access="label"
    )
    found = audit(target, "auc <= 0.5", attacks=[small(name)[0]])
    assert found.measurements[0].low > 0.6
