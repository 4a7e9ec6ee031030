"""Audits with shadow models that are really trained."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pytest_leakpro import (
    Classifier,
    LeakageError,
    LeakproError,
    Recipe,
    Regressor,
    ShadowSignals,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.targets.trainers import CloneTrainer
from tests.auditing.cohorts import cohort, leaky_target, safe_target

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")


@pytest.fixture(autouse=True)
def session(tmp_path):
    """A cache of its own, one process, and what was said."""
    said = []
    defaults = SessionDefaults(
        cache_dir=str(tmp_path / ".leakpro" / "cache"), workers=1, shadow_models=8, say=said.append
    )
    token = session_variable.set(defaults)
    yield said
    session_variable.reset(token)


def fit(X, y, seed):
    return RandomForestClassifier(n_estimators=10, random_state=seed).fit(X, y)


def figures(found):
    return [
        [(entry.attack, entry.value, entry.low, entry.high, entry.p_value) for entry in one.figures]
        for one in found.measurements
    ]


def test_an_estimator_needs_nothing_written(session):
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(leaky_target(train=None), "auc <= 0.6", "tpr@1%fpr <= 5%")
    entry = caught.value.audit.measurements[0]
    assert entry.strength == "scores, 8 shadow models"
    assert not entry.weak_suite
    assert {found.attack for found in entry.figures} == {"learned", "lira", "rmia"}
    assert "8 shadow models" in str(caught.value)
    assert len(session) == 1
    assert session[0].startswith("8 shadow models x ")
    assert session[0].endswith(", then cached")


@pytest.mark.long
def test_a_safe_model_passes_by_a_calibrated_suite():
    found = assert_leakage_below(safe_target(3000, train=None), "auc <= 0.56")
    assert found.measurements[0].shown_verdict == "PASS"


def test_calibration_sees_more_than_the_threshold():
    found = audit(
        leaky_target(1000, train=None), "tpr@1%fpr <= 5%", attacks=["lira", "rmia", "loss"]
    )
    by_attack = {entry.attack: entry.value for entry in found.measurements[0].figures}
    assert max(by_attack["lira"], by_attack["rmia"]) > 2 * by_attack["loss"]


@pytest.mark.long
def test_the_second_run_trains_nothing_nor_does_a_target_trained_again(session, tmp_path):
    log = tmp_path / "log"

    def counting(X, y, seed):
        with log.open("a") as file:
            file.write("x")
        return fit(X, y, seed)

    members, nonmembers = cohort(200)

    def run(model):
        return audit(Classifier(model, members, nonmembers, train=counting), "auc <= 0.6")

    first = run(fit(*members, 0))
    assert log.read_text() == "x" * 8
    again = run(fit(*members, 0))
    assert figures(first) == figures(again)
    run(fit(*members, 1))
    assert log.read_text() == "x" * 8
    assert len(session) == 1


@pytest.mark.long
def test_figures_do_not_depend_on_the_cache_or_the_number_of_processes():
    def run(**options):
        return figures(audit(leaky_target(300, train=None), "auc <= 0.6", **options))

    fresh = run()
    assert run() == fresh
    token = session_variable.set(SessionDefaults(cache_dir=None, shadow_models=8, say=print))
    try:
        assert run(workers=1) == fresh
        assert run(workers=2) == fresh
    finally:
        session_variable.reset(token)


@pytest.mark.parametrize("workers", [1, 2])
def test_any_function_trains(workers):
    members, nonmembers = cohort(200)
    depth = 3
    recipes = {
        "function": fit,
        "lambda": lambda X, y, seed: RandomForestClassifier(5, random_state=seed).fit(X, y),
        "closure": lambda X, y, seed: RandomForestClassifier(
            5, max_depth=depth, random_state=seed
        ).fit(X, y),
        "returns a function": lambda X, y, seed: fit(X, y, seed).predict_proba,
    }
    for recipe in recipes.values():
        target = Classifier(recipe(*members, 0), members, nonmembers, train=recipe)
        found = audit(target, "auc <= 0.9", workers=workers, shadow_models=4)
        assert found.measurements[0].strength == "scores, 4 shadow models"


def test_a_pipeline_is_cloned_with_seeds_inside():
    members, _ = cohort(100)
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=3, n_jobs=2))
    trained = CloneTrainer(pipeline)(*members, 77)
    inner = trained.named_steps["randomforestclassifier"]
    assert inner.random_state == 77
    assert inner.n_jobs == 1
    assert pipeline.named_steps["randomforestclassifier"].random_state == 3


def test_a_recipe_is_audited_from_its_pool(session):
    (X, y), (other_X, other_y) = cohort(400)
    recipe = Recipe(train=fit, X=np.vstack([X, other_X]), y=np.r_[y, other_y])
    found = audit(recipe, "auc <= 0.55")
    assert found.verdict is Verdict.FAIL
    entry = found.measurements[0]
    assert (entry.n_members, entry.n_nonmembers) == (400, 400)
    assert any("audited at 400 of 800 records" in note for note in found.notes)
    assert figures(found) == figures(audit(recipe, "auc <= 0.55"))
    assert figures(found) != figures(audit(recipe, "auc <= 0.55", seed=1))
    assert repr(recipe) == "Recipe('fit', records=800, train_fraction=0.5)"


def test_a_recipe_of_an_estimator_and_of_persons():
    (X, y), _ = cohort(600)
    found = audit(
        Recipe(LogisticRegression(), X, y, train_fraction=0.4, groups=np.arange(600) // 2),
        "auc <= 0.7",
    )
    assert (found.measurements[0].n_members, found.measurements[0].n_nonmembers) == (120, 180)


def test_a_regressor_has_shadow_models_too():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 40))
    y = X[:, 0] + rng.normal(size=600)
    members, nonmembers = (X[:100], y[:100]), (X[100:200], y[100:200])
    model = Ridge(alpha=1e-6).fit(*members)
    found = audit(Regressor(model, members, nonmembers), "auc <= 0.6")
    names = {entry.attack for entry in found.measurements[0].figures}
    assert names == {"learned", "lira"}
    assert found.measurements[0].value > 0.6


def test_more_members_than_nonmembers_are_matched_in_size():
    members, nonmembers = cohort(600)
    few = nonmembers[0][:150], nonmembers[1][:150]
    model = fit(*members, 0)
    found = audit(Classifier(model, members, few), "auc <= 0.6")
    assert any(
        "shadow models are trained on 375 records, the target on 600" in note
        for note in found.notes
    )


def test_another_recipe_is_noticed_and_keeps_a_pass_away():
    members, nonmembers = cohort(600)
    model = LogisticRegression().fit(*members)

    def stump(X, y, seed):
        return RandomForestClassifier(5, max_depth=1, random_state=seed).fit(X, y)

    found = audit(Classifier(model, members, nonmembers, train=stump), "auc <= 0.7")
    assert found.verdict is not Verdict.PASS
    assert any("train= does not train as the target was trained" in note for note in found.notes)


def brought(n_models=16, size=300):
    members, nonmembers = cohort(size)
    X, y = np.vstack([members[0], nonmembers[0]]), np.r_[members[1], nonmembers[1]]
    from pytest_leakpro.shadow.assignment import Assignment

    included = np.stack(Assignment(2 * size, n_models, n_models // 2, 5))
    shadow = []
    for seed, rows in enumerate(included):
        model = fit(X[rows], y[rows], seed)
        view = Classifier(model, members, nonmembers).prepare(0)
        shadow.append(np.r_[view.members.negative_loss, view.nonmembers.negative_loss])
    return members, nonmembers, np.stack(shadow), included


def test_signals_may_be_brought_along(tmp_path, session):
    members, nonmembers, shadow, included = brought()
    np.save(tmp_path / "shadow.npy", shadow)
    np.save(tmp_path / "included.npy", included)
    model = fit(*members, 99)
    signals = ShadowSignals(tmp_path / "shadow.npy", str(tmp_path / "included.npy"))
    found = audit(Classifier(model, members, nonmembers, signals=signals), "auc <= 0.55")
    assert found.verdict is Verdict.FAIL
    assert found.measurements[0].strength == "scores, 16 shadow models"
    assert not session
    assert any("brought along" in note for note in found.notes)


def test_signals_that_do_not_fit():
    members, nonmembers, shadow, included = brought(4, 50)
    model = fit(*members, 0)

    def target(signals):
        return Classifier(model, members, nonmembers, signals=signals)

    for arguments, says in [
        ((shadow[:3], included[:3]), "3 shadow models are too few"),
        ((shadow, included[:, :9]), "included has shape"),
        ((np.where(shadow > 0, np.nan, shadow), included), "NaN or infinite"),
        ((shadow, included * 2.0), "other than True and False"),
        (("nowhere.npy", included), "cannot be read"),
        ((shadow[0], included[0]), "give numbers of shape"),
    ]:
        with pytest.raises(LeakproError, match=says):
            ShadowSignals(*arguments)
    with pytest.raises(LeakproError, match="scored 99 records, but there are 100"):
        target(ShadowSignals(shadow[:, :99], included[:, :99]))
    never = included.copy()
    never[:, 3] = False
    with pytest.raises(LeakproError, match="1 records were in no shadow model and 0 in all"):
        audit(target(ShadowSignals(shadow, never)), "auc <= 0.6")
    with pytest.raises(LeakproError, match="signals is a ndarray"):
        target(shadow)


def test_the_learned_attack_needs_models_that_can_play():
    members, nonmembers, shadow, included = brought(8, 60)
    names = {"learned", "lira", "rmia"}

    def suite(found):
        return {entry.attack for entry in found.measurements[0].figures}

    model = fit(*members, 0)
    assert suite(audit(safe_target(60, train=None), "auc <= 0.9", shadow_models=6)) == names
    few = safe_target(60, train=None)
    assert suite(audit(few, "auc <= 0.9", shadow_models=5)) == names - {"learned"}
    with pytest.raises(LeakproError, match="'learned' does not match: it needs at least 6 shadow"):
        audit(few, "auc <= 0.9", shadow_models=5, attacks=["learned"])
    # Enough models in all, but one record was in two of them only.
    included = included.copy()
    included[:, 0] = np.arange(8) < 2
    signals = ShadowSignals(shadow, included)
    target = Classifier(model, members, nonmembers, signals=signals)
    assert suite(audit(target, "auc <= 0.9")) == names - {"learned"}
    assert "learned" not in suite(audit(target, "auc <= 0.9", attacks="all"))
    with pytest.raises(LeakproError, match="'learned' does not match: each record must be in at"):
        audit(target, "auc <= 0.9", attacks=["lira", "learned"])


def test_what_an_attack_learned_is_not_recorded():
    found = audit(safe_target(60, train=None), "auc <= 0.9", attacks=["learned"])
    (asked,) = found.details["configuration"]["attacks"]
    assert asked == {
        "name": "learned",
        "most_targets": 8,
        "folds": 5,
        "most_rows": 100_000,
        "further": ["gradients", "text scores"],
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_training_that_goes_wrong(workers):
    members, nonmembers = cohort(100)
    model = fit(*members, 0)

    def nothing(X, y, seed):
        return None

    def raising(X, y, seed):
        raise RuntimeError("out of paper")

    def late(X, y, seed):
        # The first model is trained in this process; the others may be elsewhere.
        import os

        if os.environ.get("LEAKPRO_TEST_LATE") or seed % 2 == 0:
            raise RuntimeError("out of paper")
        return fit(X, y, seed)

    def alike(X, y, seed):
        return model

    for recipe, says in [
        (nothing, "shadow model 1 of 4: train returned nothing"),
        (raising, "shadow model 1 of 4: train raised RuntimeError"),
        (late, r"shadow model \d of 4: train raised RuntimeError"),
        (alike, "alike to the last bit"),
    ]:
        target = Classifier(model, members, nonmembers, train=recipe)
        with pytest.raises(LeakproError, match=says) as caught:
            audit(target, "auc <= 0.6", shadow_models=4, workers=workers)
        if recipe in (raising, late):
            assert "out of paper" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shadow_models": 3}, "shadow_models is a whole number of at least 4"),
        ({"workers": 0}, "workers is a whole number of at least 1"),
    ],
)
def test_options_that_cannot_be(options, says):
    with pytest.raises(LeakproError, match=says):
        audit(safe_target(), "auc <= 0.6", **options)


@pytest.mark.parametrize("train", ["fit", 3, RandomForestClassifier])
def test_a_train_that_is_no_function(train):
    with pytest.raises(LeakproError, match="give a function"):
        safe_target(train=train)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"train": 3}, "give a function"),
        ({"train_fraction": 1.0}, "train_fraction is a share"),
        ({"signals": 1}, "takes no signals"),
    ],
)
def test_recipes_that_cannot_be(options, says):
    (X, y), _ = cohort(50)
    with pytest.raises(LeakproError, match=says):
        Recipe(**{"train": fit, "X": X, "y": y, **options})
