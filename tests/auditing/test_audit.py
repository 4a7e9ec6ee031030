"""Audits from target to verdict."""

import warnings
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from pytest_leakpro import (
    Audit,
    Budget,
    InconclusiveError,
    LeakageError,
    LeakproError,
    MembershipScores,
    PytestLeakproWarning,
    Regressor,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.auditing.log import AuditLog
from pytest_leakpro.auditing.session import SessionDefaults, current_session, session_variable
from tests.auditing.cohorts import cohort, leaky_target, safe_target

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")


def test_a_safe_model_passes():
    found = assert_leakage_below(safe_target(3000), "auc <= 0.55", "tpr@0.1%fpr <= 1%")
    assert isinstance(found, Audit)
    assert found.verdict is Verdict.PASS
    assert [str(entry.metric) for entry in found.measurements] == ["auc", "tpr@0.1%fpr"]
    for entry in found.measurements:
        assert entry.low <= entry.value <= entry.high <= entry.limit
        assert (entry.n_members, entry.n_nonmembers) == (3000, 3000)
        assert entry.attack == "loss"
        assert entry.weak_suite
        assert entry.shown_verdict == "PASS (weak suite)"
        assert entry.strength == "scores, no shadow models"
        assert 0 < entry.pass_chance <= 1
        assert len(entry.figures) == 1


def test_an_overfitted_model_fails_and_says_all():
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(leaky_target(name="churn-v3"), "auc <= 0.55", seed=1234)
    message = str(caught.value)
    entry = caught.value.audit.measurements[0]
    value, low, high = entry.shown()
    for part in (
        "churn-v3 leaks membership above its budget",
        "auc <= 0.55",
        "(call)",
        f"{value}  (95% bounds {low} to {high})",
        "by loss",
        "no shadow models",
        "600 members, 600 non-members",
        "seed 1234",
        "error.audit.vulnerable(20)",
    ):
        assert part in message
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, LeakproError)


def test_too_little_data_says_how_much_would_do():
    with pytest.raises(InconclusiveError) as caught:
        assert_leakage_below(safe_target(700), "tpr@0.1%fpr <= 1%")
    message = str(caught.value)
    assert "members and" in message
    assert "for a PASS of a model without leakage" in message
    assert "leakpro_inconclusive = warn" in message
    assert caught.value.audit.verdict is Verdict.INCONCLUSIVE


def test_an_undecided_budget_may_warn_or_pass():
    target = safe_target(700)
    with pytest.warns(PytestLeakproWarning, match="it cannot be told whether"):
        assert_leakage_below(target, "tpr@0.1%fpr <= 1%", inconclusive="warn")
    found = assert_leakage_below(target, "tpr@0.1%fpr <= 1%", inconclusive="pass")
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_violation_counts_before_what_is_undecided():
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(leaky_target(700), "tpr@0.1%fpr <= 1%", "auc <= 0.55")
    assert caught.value.audit.measurements[0].verdict is Verdict.INCONCLUSIVE
    assert "tpr@0.1%fpr" not in str(caught.value)


def test_audit_never_raises_for_what_it_found():
    assert audit(leaky_target(), "auc <= 0.55").verdict is Verdict.FAIL


def test_without_budgets_the_usual_metrics_are_measured():
    found = audit(leaky_target())
    assert found.verdict is None
    metrics = [str(entry.metric) for entry in found.measurements]
    assert metrics == ["tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage"]
    assert all(entry.verdict is None and entry.limit is None for entry in found.measurements)
    assert "auc" in str(found)
    with pytest.raises(LeakproError, match="there is no budget"):
        assert_leakage_below(leaky_target())


def test_scores_of_another_tool():
    rng = np.random.default_rng(0)
    quiet = MembershipScores(rng.normal(size=4000), rng.normal(size=4000), name="their tool")
    found = assert_leakage_below(quiet, "tpr@1%fpr <= 3%")
    entry = found.measurements[0]
    assert entry.strength == "scores as given, not checked"
    assert not entry.weak_suite
    assert entry.shown_verdict == "PASS"
    assert found.target == "their tool"
    with pytest.raises(LeakageError):
        assert_leakage_below(
            MembershipScores(rng.normal(2, 1, 4000), rng.normal(size=4000)), Budget.parse("auc<=.6")
        )
    with pytest.raises(LeakproError, match="does not go with scores"):
        audit(quiet, "auc <= 0.6", attacks=["loss"])


def test_a_regressor():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 3))
    y = X[:, 0] + rng.normal(size=1200)
    from sklearn.tree import DecisionTreeRegressor

    members, nonmembers = (X[:600], y[:600]), (X[600:], y[600:])
    tree = DecisionTreeRegressor(random_state=0).fit(*members)
    with pytest.raises(LeakageError):
        assert_leakage_below(Regressor(tree, members, nonmembers, train=False), "auc <= 0.6")


def test_the_most_exposed_members():
    found = audit(leaky_target(), "auc <= 0.55")
    most = found.vulnerable(20)
    assert len(set(most.tolist())) == 20
    assert most.max() < 600
    exposed = found.exposed["scores", "loss"]
    assert exposed.scores[most].min() >= np.sort(exposed.scores)[-20]
    assert len(found.vulnerable(10_000)) == 600
    for k in (0, -1, 1.5, True, None):
        with pytest.raises(LeakproError, match="whole number of at least 1"):
            found.vulnerable(k)


def test_the_most_exposed_people():
    ids = np.repeat(np.arange(300), 2) + 5000
    found = audit(leaky_target(groups=(ids, ids + 1000)), "auc <= 0.55")
    assert found.measurements[0].n_members == 300
    assert set(found.vulnerable(5)) <= set(ids)


def test_several_attacks_share_the_error():
    found = audit(leaky_target(), "auc <= 0.55", attacks=["loss", "confidence", "entropy"])
    figures = found.measurements[0].figures
    assert [entry.attack for entry in figures] == ["loss", "confidence", "entropy"]
    assert [entry.weight for entry in figures] == pytest.approx([0.8, 0.1, 0.1])
    alone = audit(leaky_target(), "auc <= 0.55", attacks="loss").measurements[0].figures[0]
    assert figures[0].low < alone.low
    assert figures[0].high == alone.high


def test_attacks_that_rank_alike_count_once_in_the_chance():
    twice = audit(safe_target(), "auc <= 0.55", attacks=["confidence", "entropy"])
    once = audit(safe_target(), "auc <= 0.55", attacks=["confidence"])
    assert twice.measurements[0].pass_chance == once.measurements[0].pass_chance


def test_the_same_seed_gives_the_same_figures():
    first, second = (audit(leaky_target(), "auc <= 0.55", seed=3, attacks="all") for _ in range(2))
    differing = {"seconds"}
    for one, other in zip(first.to_plain(), second.to_plain(), strict=True):
        assert {k: v for k, v in one.items() if k not in differing} == {
            k: v for k, v in other.items() if k not in differing
        }


def test_a_population_is_set_aside_only_for_attacks_that_need_it():
    found = audit(leaky_target(), "auc <= 0.55", attacks=["population"])
    assert found.measurements[0].n_nonmembers == 420
    assert any("set aside" in note for note in found.notes)
    assert audit(leaky_target(), "auc <= 0.55").measurements[0].n_nonmembers == 600


def test_overlap_let_in_keeps_a_pass_away_but_not_a_fail():
    (X, y), (other_X, other_y) = cohort(2000)
    from sklearn.linear_model import LogisticRegression

    from pytest_leakpro import Classifier

    both = np.vstack([other_X[:-200], X[:200]]), np.r_[other_y[:-200], y[:200]]
    model = LogisticRegression().fit(X, y)
    with pytest.raises(LeakproError, match="allow_overlap=True"):
        audit(Classifier(model, (X, y), both), "auc <= 0.6")
    found = audit(Classifier(model, (X, y), both, allow_overlap=True, train=False), "auc <= 0.6")
    assert found.verdict is Verdict.INCONCLUSIVE
    with pytest.raises(InconclusiveError, match="because"):
        assert_leakage_below(
            Classifier(model, (X, y), both, allow_overlap=True, train=False), "auc <= 0.6"
        )


@pytest.mark.parametrize(
    ("policy", "verdict", "warned"),
    [("warn", "PASS", True), ("pass", "PASS", False), ("inconclusive", "INCONCLUSIVE", False)],
)
def test_a_weak_suite(policy, verdict, warned):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = audit(safe_target(3000), "auc <= 0.55", weak_suite=policy)
    assert found.verdict.value == verdict
    assert found.measurements[0].weak_suite
    assert any("PASS (weak suite)" in str(entry.message) for entry in caught) is warned
    # Every warning points at the line that asked for the audit.
    assert {entry.filename for entry in caught} <= {__file__}


def test_a_gate_that_is_often_red_says_so():
    with pytest.warns(PytestLeakproWarning, match="red in about one run in") as caught:
        audit(safe_target(1500), "tpr@0.1%fpr <= 1%")
    text = str(caught[0].message)
    assert "although nothing leaks" in text
    assert "members and" in text
    assert "or a limit of" in text


def test_defaults_of_the_session_hold_where_the_call_is_silent():
    log = AuditLog()
    token = session_variable.set(
        SessionDefaults(seed=77, alpha=0.1, budgets=(Budget.parse("auc <= 0.55"),), log=log)
    )
    try:
        found = audit(safe_target(3000))
        assert (found.seed, found.alpha) == (77, 0.1)
        assert str(found.measurements[0].budget) == "auc <= 0.55"
        assert audit(safe_target(3000), "auc <= 0.6", seed=1).seed == 1
        assert [entry.records[0]["seed"] for entry in log.audits] == [77, 1]
    finally:
        session_variable.reset(token)
    assert current_session().seed == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seed": -1}, "seed is a whole number"),
        ({"seed": 1.5}, "seed is a whole number"),
        ({"seed": True}, "seed is a whole number"),
        ({"alpha": 0}, "alpha is a probability"),
        ({"alpha": "small"}, "alpha is a probability"),
        ({"inconclusive": "fails"}, "did you mean 'fail'"),
        ({"weak_suite": "wrn"}, "did you mean 'warn'"),
        ({"attacks": ["los"]}, "did you mean 'loss'"),
    ],
)
def test_options_that_cannot_be(options, says):
    with pytest.raises(LeakproError, match=says):
        assert_leakage_below(safe_target(), "auc <= 0.6", **options)


def test_budgets_that_cannot_go_together():
    with pytest.raises(LeakproError, match="two budgets"):
        audit(safe_target(), "auc <= 0.6", "auc <= 0.7")


@pytest.mark.parametrize("target", [None, object(), "model.pkl", np.zeros(3)])
def test_what_cannot_be_audited(target):
    with pytest.raises(LeakproError, match="cannot be audited: wrap it in Classifier"):
        audit(target, "auc <= 0.6")


def test_an_audit_shows_no_scores():
    found = audit(leaky_target(), "auc <= 0.55")
    assert "array" not in repr(found)
    assert repr(found.exposed["scores", "loss"]) == "MemberScores(600)"
    assert "<table" in found._repr_html_()
    with pytest.raises(FrozenInstanceError):
        found.seed = 3
