"""The scikit-learn faces of XGBoost and LightGBM."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import Classifier, LeakproError, Regressor
from tests.targets.examples import regression_sides, sides

LIGHT = {"n_estimators": 5, "min_child_samples": 2, "verbose": -1, "n_jobs": 1}
XGB = {"n_estimators": 5, "n_jobs": 1}


def models(kind):
    if kind == "lightgbm":
        library = pytest.importorskip("lightgbm")
        return library.LGBMClassifier(**LIGHT), library.LGBMRegressor(**LIGHT)
    library = pytest.importorskip("xgboost")
    return library.XGBClassifier(**XGB), library.XGBRegressor(**XGB)


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", [np.asarray, lambda x: pd.DataFrame(x, columns=list("abc"))])
def test_classifiers(kind, n_classes, container):
    (x, y), (x2, y2) = sides(60, n_classes=n_classes)
    x, x2 = container(x), container(x2)
    model = models(kind)[0].fit(x, y)
    target = Classifier(model, (x, y), (x2, y2))
    assert target.classes == tuple(range(n_classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        view = target.prepare(0)
        assert view.members.n_classes == n_classes
        expected = model.predict_proba(x2)
    found = np.exp(view.nonmembers.log_probabilities)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_regressors(kind):
    members, others = regression_sides(60)
    model = models(kind)[1].fit(*members)
    with pytest.raises(LeakproError, match="use Regressor"):
        Classifier(model, members, others)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        view = Regressor(model, members, others).prepare(0)
        np.testing.assert_allclose(view.members.predictions[:, 0], model.predict(members[0]))


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_unfitted_ones_are_refused(kind):
    classifier, regressor = models(kind)
    with pytest.raises(LeakproError, match="is not fitted"):
        Classifier(classifier, *sides())
    with pytest.raises(LeakproError, match="is not fitted"):
        Regressor(regressor, *regression_sides())


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_a_classifier_is_no_regressor(kind):
    members, others = sides()
    with pytest.raises(LeakproError, match="use Classifier"):
        Regressor(models(kind)[0].fit(*members), members, others)
