"""Audits that look at more and more shadow models, and audits whose time ends."""

import json

import numpy as np
import pytest
from scipy import special, stats
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import Classifier, InconclusiveError, LeakproError, Recipe, audit
from pytest_leakpro import assert_leakage_below as gate
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.shadow.deadline import Deadline
from pytest_leakpro.stats.multiplicity import look_shares
from tests.auditing.cohorts import cohort, safe_target

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning"),
    pytest.mark.long,
]


@pytest.fixture
def session():
    """Set the session's defaults, with auto shadow models in this process."""
    tokens = []

    def use(**changes):
        plain = {"workers": 1, "cache_dir": None, "shadow_models": "auto", "attacks": ["lira"]}
        settings = SessionDefaults(say=lambda line: None, **{**plain, **changes})
        tokens.append(session_variable.set(settings))

    yield use
    for token in reversed(tokens):
        session_variable.reset(token)


class Noise:
    """A model that knows nothing of its records: a function of its seed alone."""

    def __init__(self, seed):
        self.direction = np.random.default_rng(seed).normal(size=6)

    def __call__(self, X):
        p = special.expit(2 * np.sin(40 * X @ self.direction))
        return np.column_stack([1 - p, p])


class Counting:
    """A recipe that counts how often it trains."""

    def __init__(self):
        self.times = 0

    def __call__(self, X, y, seed):
        self.times += 1
        return DecisionTreeClassifier(random_state=seed).fit(X, y)


def overfitted(train, size=200, seed=0):
    members, nonmembers = cohort(size, seed)
    model = DecisionTreeClassifier(random_state=seed).fit(*members)
    return Classifier(model, members, nonmembers, train=train)


def figures(outcome):
    return json.dumps([{**entry, "seconds": 0} for entry in outcome.to_plain()], sort_keys=True)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_the_looks_share_the_error(count):
    shares = look_shares(count)
    assert len(shares) == count
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0
    assert shares[-1] == max(shares)


def test_a_violated_budget_ends_the_training(session):
    session()
    train = Counting()
    outcome = audit(overfitted(train), "auc <= 0.55", "tpr@1%fpr <= 99%")
    assert train.times == 8
    failed, other = outcome.measurements
    assert failed.verdict is Verdict.FAIL
    assert failed.strength == "scores, 8 of at most 64 shadow models"
    why = "stopped at 8 of at most 64 shadow models, since a budget is violated"
    assert why in outcome.notes
    # It would have been met, but a PASS takes the last look.
    assert other.verdict is Verdict.INCONCLUSIVE
    assert other.high < 0.99
    assert other.notes[-1] == why
    assert other.notes[0].startswith("a PASS takes all 64 shadow models")


def test_a_budget_is_met_at_the_last_look_only(session):
    session()
    outcome = audit(safe_target(300, train=None), "auc <= 0.7")
    assert outcome.verdict is Verdict.PASS
    assert outcome.measurements[0].strength == "scores, 64 shadow models"
    assert not any("stopped" in note for note in outcome.notes)


def test_the_first_looks_spend_less_of_the_error(session):
    session()
    early = audit(overfitted(Counting()), "auc <= 0.55").measurements[0]
    session(shadow_models=8)
    alone = audit(overfitted(Counting()), "auc <= 0.55").measurements[0]
    assert early.value == alone.value  # the same eight models
    assert early.low < alone.low


def test_the_figures_do_not_depend_on_the_cache(session, tmp_path):
    budgets = ("auc <= 0.7",)
    session()
    expected = figures(audit(safe_target(100, train=None), *budgets))
    session(cache_dir=str(tmp_path))
    end = Deadline(0.0, "0.1s")
    session(cache_dir=str(tmp_path), deadline=None)
    assert figures(audit(safe_target(100, train=None), *budgets)) == expected
    # Whatever is in the cache, the looks come in their order.
    folder = max(tmp_path.glob("*/"), key=lambda path: len(list(path.glob("*.npy"))))
    for path in folder.glob("1*.npy"):
        path.unlink()
    assert figures(audit(safe_target(100, train=None), *budgets)) == expected
    session(cache_dir=str(tmp_path), deadline=end)
    assert audit(safe_target(100, train=None), *budgets).verdict is Verdict.INCONCLUSIVE


def test_more_shadow_models_go_on_from_fewer(session, tmp_path):
    trained = []
    for number in (8, 20, "auto", 64):
        session(cache_dir=str(tmp_path), shadow_models=number)
        train = Counting()
        target = overfitted(train, 60)
        target.trainer_version = "one recipe"  # it counts, and so is another one each time
        audit(target)
        trained.append(train.times)
    assert trained == [8, 12, 44, 0]


def test_without_budgets_all_are_trained(session):
    session()
    train = Counting()
    outcome = audit(overfitted(train, 60))
    assert outcome.verdict is None
    assert train.times == 64


@pytest.mark.parametrize("audits", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_looks_keep_the_error(session, audits):
    # At alpha 0.4 each audit may fail by chance with probability 0.2, and more of them than is
    # asserted do so with probability 0.001.
    session(alpha=0.4)
    most, failures = stats.binom.isf(0.001, audits, 0.2), 0
    for seed in range(audits):
        if failures + audits - seed <= most:
            break  # whatever the others say
        members, nonmembers = cohort(60, seed=seed)
        target = Classifier(
            Noise(10_000 + seed), members, nonmembers, train=lambda X, y, seed: Noise(seed)
        )
        failures += audit(target, "auc <= 0.5", seed=seed).verdict is Verdict.FAIL
    assert failures <= most


def test_an_overfitted_model_needs_half_the_models_at_most(session):
    session()
    trained = []
    for seed in range(9):
        train = Counting()
        outcome = audit(overfitted(train, 300, seed), "auc <= 0.55", seed=seed)
        assert outcome.verdict is Verdict.FAIL
        trained.append(train.times)
    assert np.median(trained) <= 32


def test_time_that_ends_before_an_audit_begins(session):
    session(deadline=Deadline(0.0, "10m"))
    train = Counting()
    with pytest.raises(InconclusiveError, match="time budget of 10m ended before this audit beg"):
        gate(overfitted(train), "auc <= 0.55")
    assert train.times == 0
    with pytest.raises(LeakproError, match="ended before this audit"):
        audit(overfitted(train))


@pytest.mark.parametrize(("models", "done"), [(6, 3), ("auto", 11)])
def test_time_that_ends_in_the_middle(session, tmp_path, monkeypatch, models, done):
    from pytest_leakpro.shadow import deadline

    now = [0.0]
    monkeypatch.setattr(deadline, "monotonic", lambda: now[0])
    end = Deadline.after("10m")

    def train(X, y, seed):
        now[0] += 600 / done
        return DecisionTreeClassifier(max_depth=1, random_state=seed).fit(X, y)

    def target():
        members, nonmembers = cohort(100)
        model = DecisionTreeClassifier(max_depth=1).fit(*members)
        return Classifier(model, members, nonmembers, train=train, trainer_version="1")

    session(deadline=end, shadow_models=models, cache_dir=str(tmp_path))
    wanted = 64 if models == "auto" else models
    with pytest.raises(InconclusiveError) as caught:
        gate(target(), "auc <= 0.9")
    why = f"the time budget of 10m ended after {done} of {wanted} shadow models; the next run goes"
    assert why in str(caught.value)
    measured = caught.value.audit.measurements[0]
    # Of auto, the look at eight was complete: its figures are shown, and are no PASS.
    assert np.isfinite(measured.value) == (models == "auto")
    assert len(list(tmp_path.rglob("*.npy"))) == done

    session(shadow_models=models, cache_dir=str(tmp_path))
    again = audit(target(), "auc <= 0.9")
    session(shadow_models=models)
    assert figures(again) == figures(audit(target(), "auc <= 0.9"))
    assert again.verdict is Verdict.PASS


def test_several_targets_of_which_some_have_no_time(session, monkeypatch):
    from pytest_leakpro.shadow import deadline

    now = [0.0]
    monkeypatch.setattr(deadline, "monotonic", lambda: now[0])

    def train(X, y, seed):
        now[0] += 1
        return DecisionTreeClassifier(max_depth=1, random_state=seed).fit(X, y)

    X, y = cohort(200)[0]
    # Four shadow models and a target take 5 s, every other target one.
    session(shadow_models=4, deadline=Deadline.after("6s"))
    outcome = audit(Recipe(train, X, y, targets=3), "auc <= 0.9")
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert outcome.measurements[0].notes[-1].startswith("the time budget of 6s ended before")


@pytest.mark.parametrize("models", ["many", 3, 4.0, True])
def test_no_number_of_models(models):
    with pytest.raises(LeakproError, match=r'shadow_models is a whole number .* or "auto", not'):
        audit(safe_target(50), "auc <= 0.9", shadow_models=models)
