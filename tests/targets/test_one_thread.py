"""Threads inside a model are held back, whatever they are called."""

import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pytest_leakpro.targets.one_thread import one_thread, one_thread_parameters
from pytest_leakpro.targets.trainers import CloneTrainer
from tests.auditing.cohorts import cohort


def threads_of(model):
    return one_thread_parameters(model, model.get_params(deep=True))


def test_scikit_learn_is_left_alone_where_it_uses_one_thread():
    assert threads_of(RandomForestClassifier()) == {}
    nested = make_pipeline(StandardScaler(), BaggingClassifier(RandomForestClassifier(n_jobs=2)))
    assert threads_of(nested) == {"baggingclassifier__estimator__n_jobs": 1}


def test_boosted_trees_use_all_cores_unless_told():
    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    assert threads_of(xgboost.XGBClassifier()) == {"n_jobs": 1}
    assert threads_of(xgboost.XGBClassifier(nthread=2)) == {"nthread": 1}
    assert threads_of(lightgbm.LGBMClassifier()) == {"n_jobs": 1}
    assert threads_of(lightgbm.LGBMClassifier(num_threads=2)) == {"num_threads": 1}
    assert threads_of(make_pipeline(lightgbm.LGBMClassifier())) == {"lgbmclassifier__n_jobs": 1}


def test_catboost_names_only_what_was_set():
    class CatBoostClassifier(BaseEstimator):
        __module__ = "catboost.core"

        def __init__(self, **settings):
            self.settings = settings

        def get_params(self, deep=True):
            return dict(self.settings)

    assert threads_of(CatBoostClassifier(depth=3)) == {"thread_count": 1}
    assert threads_of(CatBoostClassifier(thread_count=4)) == {"thread_count": 1}


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_a_booster_trained_twice_is_the_same(library):
    pytest.importorskip(library)
    kind = {"xgboost": "XGBClassifier", "lightgbm": "LGBMClassifier"}[library]
    recipe = CloneTrainer(getattr(sys.modules[library], kind)(n_estimators=5))
    members, _ = cohort(200)
    with one_thread():
        one, other = (recipe(*members, 7).predict_proba(members[0]) for _ in range(2))
    assert np.array_equal(one, other)


def test_forests_in_a_function_of_the_users_are_held_back_too():
    import joblib

    def where():
        return joblib.parallel.get_active_backend()[0]

    with one_thread():
        seen = joblib.Parallel(n_jobs=2, require="sharedmem")(
            joblib.delayed(where)() for _ in range(2)
        )
        assert joblib.effective_n_jobs(4) == 1
    assert {type(backend).__name__ for backend in seen} == {"SequentialBackend"}
