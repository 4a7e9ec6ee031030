"""Structural risk: leaves and groups that few people made, counted by hand and by libraries."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import Classifier, LeakproError, Regressor, audit
from pytest_leakpro.targets.inner_models import inner_models
from pytest_leakpro.targets.leaves import leaves_of
from pytest_leakpro.targets.small_groups import groupings_of

N = 200


def cohort(seed=0, columns=4):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * N, columns))
    y = (X[:, 0] + rng.normal(size=2 * N) > 0).astype(int)
    return X, y


def census(model, X=None, y=None, k=10, kind=Classifier, fit=True, **options):
    if X is None:
        X, y = cohort()
    rows = X.iloc if hasattr(X, "iloc") else X
    inside, outside = rows[:N], rows[N : 2 * N]
    if fit:
        model.fit(inside, y[:N])
    target = kind(model, (inside, y[:N]), (outside, y[N : 2 * N]), train=False, **options)
    found = audit(target, f"structural_risk[k={k}] <= 0")
    return round(found.measurements[0].value * found.measurements[0].n_members), found


def leaves(model, inputs):
    return [found for inner in inner_models(model, inputs) if (found := leaves_of(inner))]


def test_leaves_are_as_large_as_the_tree_was_told_to_make_them():
    assert census(DecisionTreeClassifier(min_samples_leaf=10))[0] == 0
    assert census(RandomForestClassifier(5, min_samples_leaf=10, random_state=0))[0] == 0
    assert census(HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=10))[0] == 0
    count, found = census(DecisionTreeClassifier(min_samples_leaf=9))
    assert count > 0
    assert str(found.verdict) == "FAIL"


def test_a_tree_that_is_grown_out_puts_everybody_at_risk():
    X, _ = cohort()
    y = np.arange(2 * N) % 2
    count, found = census(DecisionTreeClassifier(), X, y, k=2 * N)
    assert count == N
    assert "in such a leaf of one class only" in str(found)


def test_who_is_alone_in_a_leaf_is_what_the_tree_says():
    X, y = cohort()
    tree = DecisionTreeClassifier(random_state=0).fit(X[:N], y[:N])
    sizes = tree.tree_.n_node_samples[tree.apply(X[:N])]
    count, found = census(tree, k=2, fit=False)
    assert count == (sizes < 2).sum()
    details = found.details["checks"]["contents"]["structural_risk"]["2"]["leaves"]
    leaf = tree.tree_.children_left < 0
    assert details["leaves"] == leaf.sum()
    assert details["small"] == (tree.tree_.n_node_samples[leaf] < 2).sum()
    assert details["alone"] == details["members"] == count
    exposed = found.vulnerable(count)
    assert set(exposed) == set(np.flatnonzero(sizes < 2))


@pytest.mark.parametrize("bootstrap", [True, False])
def test_leaves_of_a_forest_hold_those_that_each_tree_was_grown_on(bootstrap):
    X, y = cohort()
    forest = RandomForestClassifier(7, bootstrap=bootstrap, random_state=0).fit(X[:N], y[:N])
    (found,) = leaves(forest, X[:N])
    for place, tree in enumerate(forest.estimators_):
        inside = slice(None) if found.in_bag is None else found.in_bag[:, place]
        counts = np.bincount(found.places[inside, place], minlength=tree.tree_.node_count)
        leaf = tree.tree_.children_left < 0
        np.testing.assert_array_equal(counts[leaf], tree.tree_.n_node_samples[leaf])
    # Of other records than those it was trained on, all that fall into a leaf are counted; nor are
    # bootstrap samples of any use where the members stand in another order.
    for other in (X[: N // 2], X[:N][::-1]):
        (found,) = leaves(forest, other)
        assert found.in_bag is None


def test_bagged_trees_are_one_ensemble():
    X, y = cohort()
    bagging = BaggingClassifier(DecisionTreeClassifier(), 5, max_features=0.5, random_state=0)
    bagging.fit(X[:N], y[:N])
    (found,) = leaves(bagging, X[:N])
    assert found.places.shape == (N, 5)
    for place, (tree, columns) in enumerate(
        zip(bagging.estimators_, bagging.estimators_features_, strict=True)
    ):
        np.testing.assert_array_equal(found.places[:, place], tree.apply(X[:N][:, columns]))
    assert found.in_bag is not None
    weighted = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=4)
    weighted.fit(X[:N], y[:N])
    (found,) = leaves(weighted, X[:N])
    assert found.places.shape == (N, len(weighted.estimators_))


def test_trees_of_some_of_the_members_or_of_more_say_so():
    X, y = cohort()
    part = GradientBoostingClassifier(n_estimators=3, subsample=0.5, random_state=0)
    part.fit(X[:N], y[:N])
    assert "grown on a part of the members" in str(census(part, fit=False)[1])
    tree = DecisionTreeClassifier(random_state=0).fit(X[:N], y[:N])
    assert "part of the members" not in str(census(tree, fit=False)[1])
    target = Classifier(tree, (X[: N // 2], y[: N // 2]), (X[N:], y[N:]), train=False)
    assert "200 records, of which 100 were given" in str(audit(target, "structural_risk <= 0"))


def test_rounds_after_the_best_one_are_read_too():
    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    X, _ = cohort()
    y = np.random.default_rng(1).integers(0, 2, 2 * N)  # nothing to learn: the first rounds win
    held = [(X[N:], y[N:])]
    model = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=5, subsample=0.5)
    model.fit(X[:N], y[:N], eval_set=held, verbose=False)
    (found,) = leaves(model, X[:N])
    assert found.places.shape[1] == model.get_booster().num_boosted_rounds() > model.best_iteration
    assert found.by_draw
    data = lightgbm.Dataset(X[:N], y[:N])
    settings = {"verbose": -1, "bagging_fraction": 0.5, "bagging_freq": 1, "objective": "binary"}
    model = lightgbm.train(
        settings,
        data,
        40,
        valid_sets=[lightgbm.Dataset(X[N:], y[N:], reference=data)],
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
        keep_training_booster=True,
    )
    (found,) = leaves(model, X[:N])
    assert found.places.shape[1] == model.num_trees() > model.best_iteration
    assert found.grown_on is not None
    assert found.grown_on[1] < N
    assert not leaves(xgboost.XGBRegressor(n_estimators=2, booster="gblinear").fit(X, y), X)


def test_classes_derived_from_those_of_a_library_are_looked_into():
    class Forest(RandomForestClassifier):
        pass

    class Steps(Pipeline):
        pass

    X, y = cohort()
    model = Steps([("forest", Forest(3, random_state=0))]).fit(X[:N], y[:N])
    (found,) = leaves(model, X[:N])
    assert found.places.shape == (N, 3)


def test_what_cannot_be_looked_at_is_named():
    X, y = cohort()
    model = StackingClassifier([("a", GaussianNB())], DecisionTreeClassifier(random_state=0))
    assert "not looked at: final_estimator_: gets records" in str(census(model)[1])

    class Other(BaseEstimator):
        def fit(self, X, y):
            self.inside = GaussianNB().fit(X, y)

        def predict_proba(self, X):
            return self.inside.predict_proba(X)

    found = str(census(Other(), X, y)[1])
    assert "not looked at: the model (Other): is of no library" in found
    assert "neither leaves" not in found


@pytest.mark.parametrize("frame", [True, False])
def test_histogram_boosting_is_walked_down_as_it_counts(frame):
    X, y = cohort()
    X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    inputs = X[:N]
    if frame:
        inputs = pd.DataFrame(inputs, columns=list("abcd"))
        inputs["ward"] = pd.Categorical(np.random.default_rng(2).choice(list("pqrstu"), N))
    model = HistGradientBoostingClassifier(
        max_iter=6, categorical_features="from_dtype" if frame else None
    ).fit(inputs, y[:N])
    (found,) = leaves(model, inputs)
    total = np.full(N, model._baseline_prediction.ravel()[0])
    for place, (tree,) in enumerate(model._predictors):
        counts = np.bincount(found.places[:, place], minlength=len(tree.nodes))
        leaf = tree.nodes["is_leaf"].astype(bool)
        np.testing.assert_array_equal(counts[leaf], tree.nodes["count"][leaf])
        total += tree.nodes["value"][found.places[:, place]]
    np.testing.assert_allclose(total, model.decision_function(inputs))


def test_xgboost_and_lightgbm_count_as_they_do():
    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    X, y = cohort()
    model = xgboost.XGBClassifier(n_estimators=5).fit(X[:N], y[:N])
    (found,) = leaves(model, X[:N])
    np.testing.assert_array_equal(found.places, model.apply(X[:N]).astype(int))
    (raw,) = leaves(model.get_booster(), X[:N])
    np.testing.assert_array_equal(raw.places, found.places)
    smallest = np.min(
        [pd.Series(tree).groupby(tree).transform("size") for tree in found.places.T], axis=0
    )
    assert census(model, fit=False)[0] == (smallest < 10).sum()
    model = lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=20, verbose=-1)
    model.fit(X[:N], y[:N])
    (found,) = leaves(model, X[:N])
    structure = model.booster_.dump_model()["tree_info"][0]["tree_structure"]
    said = {}

    def gather(node):
        if "leaf_index" in node:
            said[node["leaf_index"]] = node["leaf_count"]
        for side in ("left_child", "right_child"):
            if side in node:
                gather(node[side])

    gather(structure)
    assert dict(enumerate(np.bincount(found.places[:, 0]))) == said
    assert census(model, fit=False)[0] == 0


@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda tree: make_pipeline(StandardScaler(), tree), "steps[1]"),
        (lambda tree: GridSearchCV(tree, {"max_depth": [3]}, cv=2), "best_estimator_"),
        (
            lambda tree: CalibratedClassifierCV(tree, cv=2),
            "calibrated_classifiers_[0].estimator",
        ),
        (lambda tree: VotingClassifier([("a", tree)]), "estimators_[0]"),
    ],
)
def test_trees_are_found_inside_other_estimators(wrap, path):
    X, y = cohort()
    model = wrap(DecisionTreeClassifier(max_depth=5, random_state=0)).fit(X[:N], y[:N])
    found = leaves(model, X[:N])
    assert found[0].path == path
    assert found[0].places.shape == (N, 1)


@settings(max_examples=20)
@given(st.integers(2, 60), st.integers(0, 3))
def test_the_larger_the_group_that_is_safe_the_more_are_at_risk(k, seed):
    X, y = cohort(seed)
    model = GradientBoostingClassifier(n_estimators=3, random_state=0).fit(X[:N], y[:N])
    some, more = (census(model, X, y, k=size, fit=False)[0] for size in (k, k + 5))
    assert some <= more


def test_of_persons_the_persons_are_counted():
    X, y = cohort()
    X[1:N:2], y[1:N:2] = X[0:N:2], y[0:N:2]  # everybody twice
    persons = np.repeat(np.arange(N // 2), 2), np.arange(N) + N
    tree = DecisionTreeClassifier(min_samples_leaf=10, random_state=0)
    assert census(tree, X, y)[0] == 0
    count, found = census(tree, X, y, groups=persons)
    assert count > 0
    assert "members (persons)" in str(found)
    assert found.measurements[0].n_members == N // 2


def frame_of(rng, size=2 * N):
    ward = np.array(["north"] * (size - 9) + ["rare"] * 9)
    ward[:9], ward[-9:] = ward[-9:].copy(), "north"
    return pd.DataFrame({"age": rng.normal(size=size), "ward": ward})


def test_categories_of_few_people_are_counted_by_hand():
    _, y = cohort()
    X = frame_of(np.random.default_rng(0))
    encoder = make_column_transformer((OneHotEncoder(), ["ward"]), remainder="passthrough")
    count, found = census(make_pipeline(encoder, LogisticRegression()), X, y)
    assert count == 9
    assert "1 categories of the column 'ward' with fewer than 10 records, 9 in all" in str(found)
    assert "rare" not in str(found)
    assert set(found.vulnerable(9)) == set(range(9))
    assert census(make_pipeline(encoder, LogisticRegression()), X, y, k=9)[0] == 0
    joined = OneHotEncoder(min_frequency=10)
    encoder = make_column_transformer((joined, ["ward"]), remainder="passthrough")
    # Alone in the joined group, too.
    assert census(make_pipeline(encoder, LogisticRegression()), X, y)[0] == 9


@pytest.mark.parametrize("encoder", [OrdinalEncoder, TargetEncoder])
def test_other_encoders_keep_categories_too(encoder):
    _, y = cohort()
    X = frame_of(np.random.default_rng(0))
    X.loc[:3, "ward"] = None
    columns = make_column_transformer((encoder(), ["ward"]), remainder="passthrough")
    count, found = census(make_pipeline(columns, HistGradientBoostingClassifier()), X, y)
    assert "2 categories of the column 'ward' with fewer than 10 records, 9 in all" in str(found)
    assert count == 9


def test_categories_of_a_frame_are_kept_by_models_that_take_them():
    lightgbm = pytest.importorskip("lightgbm")
    _, y = cohort()
    X = frame_of(np.random.default_rng(0))
    X["ward"] = X["ward"].astype("category")
    for model in (
        lightgbm.LGBMClassifier(n_estimators=2, verbose=-1),
        HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=2),
    ):
        count, found = census(model, X, y)
        assert count == 9
        assert "1 categories of the column 'ward'" in str(found)


def test_classes_terms_and_clusters_of_few_people():
    X, y = cohort()
    y[:4], y[N : N + 4] = 2, 2
    assert census(LogisticRegression(max_iter=1000), X, y)[0] == 4
    texts = np.array(["the patient is well"] * (2 * N), dtype=object)
    texts[:3] = "the patient has scurvy"
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    count, found = census(model, texts.tolist(), np.arange(2 * N) % 2, allow_overlap=True)
    assert count == 3
    assert "scurvy" not in str(found)
    X[:5] += 50
    model = make_pipeline(KMeans(2, n_init=1, random_state=0), LogisticRegression())
    assert census(model, X, np.arange(2 * N) % 2)[0] == 5


def test_components_of_a_mixture_are_groups():
    X, _ = cohort()
    X[:5] += 50
    mixture = GaussianMixture(2, random_state=0).fit(X[:N])
    (inner,) = inner_models(mixture, X[:N])
    (grouping,) = groupings_of(inner)
    assert sorted(np.bincount(grouping.groups)) == [5, N - 5]
    assert set(grouping.records) == set(range(N))


def test_rows_of_an_embedding_are_of_those_who_use_them():
    torch = pytest.importorskip("torch")
    tokens = np.zeros((2 * N, 3), dtype=np.int64)
    tokens[:, 1] = 1 + np.arange(2 * N) % 5
    tokens[:4, 2] = 9
    model = torch.nn.Sequential(
        torch.nn.Embedding(10, 4), torch.nn.Flatten(), torch.nn.Linear(12, 2)
    )
    y = np.arange(2 * N) % 2
    count, found = census(model, tokens, y, fit=False, allow_overlap=True)
    assert count == 4
    assert "1 rows of the embedding" in str(found)

    class OfOneColumn(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.last = torch.nn.Embedding(10, 4), torch.nn.Linear(6, 2)

        def forward(self, x):
            return self.last(torch.cat([self.table(x[:, 0]), x[:, 1:].float()], 1))

    count, found = census(OfOneColumn(), tokens, y, fit=False, allow_overlap=True)
    assert count == 0
    assert "not looked at: the embedding of the model" in str(found)


def test_a_linear_model_of_many_columns_is_noted():
    X, y = cohort(columns=N - 5)
    count, found = census(LinearRegression(), X, y.astype(float), kind=Regressor)
    assert count == 0
    assert "residual degrees of freedom" in str(found)


def test_a_regressor_has_leaves_too():
    X, _ = cohort()
    count, _ = census(
        RandomForestRegressor(3, random_state=0), X, X[:, 0] ** 2, k=5, kind=Regressor
    )
    assert count > N / 2


def test_what_has_no_structure_says_so():
    count, found = census(LogisticRegression())
    assert count == 0
    assert "neither leaves nor parameters of single groups" in str(found)
    X, y = cohort()
    target = Classifier(
        lambda X: np.full((len(X), 2), 0.5), (X[:N], y[:N]), (X[N:], y[N:]), train=False
    )
    with pytest.raises(LeakproError, match="a function has none"):
        audit(target, "structural_risk <= 5%")
