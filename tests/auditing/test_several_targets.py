"""Several targets of one recipe: what more than half of them are called, at half the error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import LeakproError, Recipe, Verdict, audit
from pytest_leakpro.auditing.outcome import Audit
from pytest_leakpro.auditing.running import carry_out
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.auditing.several import combine
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.store.cache import SignalCache

BUDGET = Budget.parse("auc <= 0.6")
DETAILS = {"queries": 10}


def one(scores, alpha=0.025):
    found = carry_out(scores, (BUDGET,), SessionDefaults(alpha=alpha))
    return Audit("recipe", found.measurements, 0, alpha, details=DETAILS)


def draw(rng, shift, size=300, base=None):
    members, others = rng.normal(shift, 1, size), rng.normal(size=size)
    return MembershipScores(members, others)


def several(rng, shifts):
    return combine([one(draw(rng, shift)) for shift in shifts], 0.05).measurements[0]


def test_the_figures_are_medians_and_the_verdict_the_majoritys():
    rng = np.random.default_rng(0)
    audits = [one(draw(rng, shift)) for shift in (0.0, 2.0, 1.0)]
    (entry,) = combine(audits, 0.05).measurements
    parts = [found.measurements[0] for found in audits]
    for figure in ("value", "low", "high"):
        assert getattr(entry, figure) == sorted(getattr(part, figure) for part in parts)[1]
    assert entry.verdict is Verdict.FAIL
    assert entry.alpha == 0.05
    assert [part.verdict for part in parts] == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]
    assert several(rng, (0.0, 2.0, 0.0)).verdict is Verdict.PASS
    assert several(rng, (0.0, 2.0, 0.35)).verdict is Verdict.INCONCLUSIVE


@given(st.lists(st.floats(0, 2), min_size=3, max_size=3), st.integers(0, 1000))
def test_bounds_and_verdict_agree(shifts, seed):
    entry = several(np.random.default_rng(seed), shifts)
    assert entry.low <= entry.value <= entry.high
    assert (entry.verdict is Verdict.FAIL) == (entry.low > BUDGET.limit)
    if entry.verdict is Verdict.PASS:
        assert entry.high <= BUDGET.limit


@pytest.mark.long
def test_errors_hold_although_targets_share_records():
    # 400 pools whose targets leak exactly the budget: members and non-members are drawn from one
    # pool by splits of their own, and most of a score comes from the record. A rate of 2.5 % on
    # either side would give more than 21 with a probability below 0.1 %.
    rng = np.random.default_rng(1)
    shift = np.sqrt(2) * 0.2533471  # AUC 0.6
    failed = passed = 0
    for _ in range(400):
        records = rng.normal(size=400)
        audits = []
        for _ in range(3):
            inside = rng.permutation(400) < 200
            scores = np.sqrt(0.8) * records + np.sqrt(0.2) * rng.normal(size=400)
            scores[inside] += shift
            audits.append(one(MembershipScores(scores[inside], scores[~inside])))
        verdict = combine(audits, 0.05).measurements[0].verdict
        failed += verdict is Verdict.FAIL
        passed += verdict is Verdict.PASS
    assert failed <= 21
    assert passed <= 21


@pytest.fixture
def pool():
    return load_breast_cancer(return_X_y=True)


@pytest.fixture
def cached(tmp_path):
    cache = SignalCache(tmp_path / "cache")
    defaults = SessionDefaults(cache_dir=str(cache.folder), workers=1, say=lambda line: None)
    token = session_variable.set(defaults)
    yield cache
    session_variable.reset(token)


def test_targets_share_their_shadow_models(pool, cached):
    recipe = Recipe(DecisionTreeClassifier(max_depth=3), *pool, targets=3, name="tree")
    found = audit(recipe, "auc <= 0.9", "tpr@1%fpr <= 50%", shadow_models=4)
    (entry,) = cached.entries()
    assert entry.files == 4
    assert "3 targets" in found.measurements[0].strength
    assert sum("of 3 targets: " in note for note in found.notes) == 2
    assert found.details["queries"] == 3 * len(pool[0])
    again = audit(recipe, "auc <= 0.9", "tpr@1%fpr <= 50%", shadow_models=4)
    assert [m.value for m in again.measurements] == [m.value for m in found.measurements]


def test_the_figures_do_not_depend_on_the_cache(pool, cached):
    def run(**options):
        recipe = Recipe(DecisionTreeClassifier(max_depth=3), *pool, targets=3, **options)
        return [m.value for m in audit(recipe, shadow_models=4).measurements]

    with_cache = run()
    token = session_variable.set(SessionDefaults(cache_dir=None, workers=1, say=lambda line: None))
    try:
        assert run() == with_cache
    finally:
        session_variable.reset(token)


def test_a_recipe_that_cannot_be_digested_is_shared_all_the_same(pool, cached):
    counted = (
        number for number in range(10**9)
    )  # a generator has no value that a digest could tell from another

    def fit(X, y, seed):
        next(counted)
        return LogisticRegression(max_iter=50).fit(X, y)

    X, y = pool
    audit(Recipe(fit, X[:, :3], y, targets=3), "auc <= 0.7", shadow_models=4)
    assert next(counted) == 3 + 4
    assert cached.entries() == []


def test_a_recipe_that_the_user_named_is_kept_in_the_cache(pool, cached):
    counted = (number for number in range(10**9))

    def fit(X, y, seed):
        next(counted)
        return LogisticRegression(max_iter=50).fit(X, y)

    X, y = pool
    recipe = Recipe(fit, X[:, :3], y, targets=3, trainer_version="first")
    for trained in (3 + 4, 3):  # the second audit trains its targets only
        before = next(counted)
        audit(recipe, "auc <= 0.7", shadow_models=4)
        assert next(counted) == before + 1 + trained


def test_persons_stay_together(pool, cached):
    X, y = pool
    groups = np.arange(len(y)) // 2
    recipe = Recipe(LogisticRegression(max_iter=50), X[:, :3], y, targets=3, groups=groups)
    found = audit(recipe, "auc <= 0.7", shadow_models=4)
    assert found.measurements[0].n_members + found.measurements[0].n_nonmembers == 285
    (entry,) = cached.entries()
    assert entry.files == 4


@pytest.mark.parametrize(("targets", "says"), [(2, "odd number"), (0, "at least 1"), ("3", "'3'")])
def test_wrong_numbers_of_targets(pool, targets, says):
    with pytest.raises(LeakproError, match=says):
        Recipe(LogisticRegression(), *pool, targets=targets)
