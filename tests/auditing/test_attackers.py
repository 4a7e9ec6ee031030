"""One claim audited against several attackers side by side."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier, LeakproError, Verdict, audit
from pytest_leakpro.auditing.parties import parties_of
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.auditing.shadows import shadow_rounds

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
ATTACKERS = ["label", "scores without recipe", "scores"]


@pytest.fixture(autouse=True, scope="module")
def defaults(tmp_path_factory):
    """Keep no shadow models from run to run."""
    folder = tmp_path_factory.mktemp("cache")
    token = session_variable.set(SessionDefaults(cache_dir=str(folder), say=lambda line: None))
    yield
    session_variable.reset(token)


def forest(n=400, **options):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2 * n, 6))
    y = (X[:, 0] + rng.normal(size=2 * n) > 0).astype(int)
    model = RandomForestClassifier(20, random_state=0).fit(X[:n], y[:n])
    return Classifier(model, (X[:n], y[:n]), (X[n:], y[n:]), name="forest", **options)


@pytest.fixture(scope="module")
def found():
    return audit(forest(attackers=ATTACKERS), "auc <= 0.65", "tpr@5%fpr <= 99%", shadow_models=8)


def test_every_budget_has_a_row_per_attacker(found):
    assert [(str(entry.metric), entry.access) for entry in found.measurements] == [
        (metric, attacker) for metric in ("auc", "tpr@5%fpr") for attacker in ATTACKERS
    ]
    by_label, unaware, aware = found.measurements[:3]
    assert by_label.strength == "label, 8 shadow models"
    assert unaware.strength == "scores without recipe, no shadow models"
    assert aware.strength == "scores, 8 shadow models"
    assert by_label.value < aware.value
    assert unaware.value < aware.value
    assert aware.verdict is found.verdict is Verdict.FAIL


def test_errors_are_shared_among_the_attackers(found):
    weights = [figures.weight for entry in found.measurements[:3] for figures in entry.figures]
    assert sum(weights) == pytest.approx(1)
    chances = {entry.pass_chance for entry in found.measurements[:3]}
    assert len(chances) == 1  # that all of them pass


def test_shadow_models_are_trained_once_and_tell_each_attacker_the_same_as_alone(found):
    alone = {
        access: audit(forest(access=access), "auc <= 0.65", shadow_models=8).measurements[0]
        for access in ("label", "scores")
    }
    assert found.measurements[0].value == alone["label"].value
    assert found.measurements[2].value == alone["scores"].value


def test_trained_once():
    trained = []

    def train(X, y, seed):
        trained.append(seed)
        return RandomForestClassifier(5, random_state=seed).fit(X, y)

    target = forest(200, train=train, trainer_version="1", attackers=["label", "scores"])
    found = audit(target, "auc <= 0.65", shadow_models=8, workers=1)
    assert len(trained) == 8
    assert found.details["queries"] >= 2 * 400


def test_members_most_exposed_are_told_by_the_attacker_that_decides(found):
    assert len(found.vulnerable(5)) == 5


def test_named_attacks_run_where_they_match():
    session = SessionDefaults(attacks=["gap", "loss"], shadow_models=8)
    parties = parties_of(forest(100, attackers=["label", "scores"]), session)
    assert [[attack.name for attack in party.suite] for party in parties] == [
        ["gap"],
        ["gap", "loss"],
    ]
    with pytest.raises(LeakproError, match=r"none of the attacks asked for matches .*'label'"):
        parties_of(forest(100, attackers=["label", "scores"]), SessionDefaults(attacks=["loss"]))
    with pytest.raises(LeakproError, match="no attack 'los'"):
        parties_of(forest(100, attackers=["label", "scores"]), SessionDefaults(attacks=["los"]))


@pytest.mark.long
def test_without_leakage_several_attackers_do_not_fail():
    # The model never saw these records. At a true error of 2.5 % four FAILs of 30 come with
    # probability below 1 %.
    failed = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(900, 5))
        y = (X[:, 0] + rng.normal(size=900) > 0).astype(int)
        model = LogisticRegression().fit(X[:300], y[:300])
        target = Classifier(
            model,
            (X[300:600], y[300:600]),
            (X[600:], y[600:]),
            attackers=["label", "scores without recipe"],
            train=False,
        )
        failed += audit(target, "auc <= 0.5", "tpr@5%fpr <= 5%", seed=seed).verdict is Verdict.FAIL
    assert failed <= 4


def test_what_is_read_for_one_attacker_is_hidden_from_those_who_see_less():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 4)), rng.integers(0, 2, 400)
    target = Classifier(
        LogisticRegression().fit(X[:200], y[:200]),
        (X[:200], y[:200]),
        (X[200:], y[200:]),
        attackers=["scores", "white-box"],
    )
    session = SessionDefaults(shadow_models=8, workers=1, say=lambda line: None)
    scores, white_box = parties_of(target, session)
    next(shadow_rounds((scores, white_box), (), session))
    assert set(white_box.view.shadow.further) == {"gradients"}
    assert not scores.view.shadow.further
    assert np.array_equal(scores.view.shadow.shadow, white_box.view.shadow.shadow)
